package deployment

import (
	"slices"
	"strings"
	"testing"

	"connectedapps/connection"

	commonpb "go.temporal.io/api/common/v1"
	"go.uber.org/zap"
)

func TestCodecNamesEnvironments(t *testing.T) {
	t.Setenv("CONNECTED_APPS_CODEC", " staging, production,")
	s, err := Read()
	if err != nil || !slices.Equal(s.Codec, []string{"staging", "production"}) {
		t.Fatalf("%v, %v", s.Codec, err)
	}
	t.Setenv("CONNECTED_APPS_CODEC", "")
	if s, err = Read(); err != nil || s.Codec != nil {
		t.Errorf("%v, %v where nothing is set", s.Codec, err)
	}
}

func TestCodecThatCannotBeUnderstood(t *testing.T) {
	t.Setenv("CONNECTED_APPS_NAMESPACE_PRODUCTION", "shared")
	t.Setenv("CONNECTED_APPS_NAMESPACE_STAGING", "shared")
	for value, want := range map[string]string{"stagin": `there is no environment "stagin"`, "true": `there is no environment "true"`, "*": `"*"`,
		"development,staging": "have the same Temporal namespace"} {
		t.Setenv("CONNECTED_APPS_CODEC", value)
		_, err := Read()
		if p, ok := connection.AsProblem(err); !ok || p.Type != connection.ErrInvalidInput || p.Field != "CONNECTED_APPS_CODEC" || p.Remedy == "" || !strings.Contains(p.Message, want) {
			t.Errorf("%s: %v", value, err)
		}
	}
	t.Setenv("CONNECTED_APPS_CODEC", "development")
	if _, err := Read(); err != nil {
		t.Errorf("its own namespace is nobody else's: %v", err)
	}
}

// Without a login for Vault a command that meets no sealed payload works, and one that
// has to seal says which setting is missing.
func TestVaultIsOpenedWhenAPayloadNeedsIt(t *testing.T) {
	t.Setenv("VAULT_TOKEN", "")
	s := Settings{Environments: []string{"development", "staging"}, Codec: []string{"staging"}}
	for environment, status := range map[string]string{"development": "in clear", "staging": "sealed"} {
		opened, err := s.Open(environment, nil, nil, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		if opened.Payloads.Status() != status || opened.Client.Values == nil {
			t.Errorf("%s: %s", environment, opened.Payloads.Status())
		}
		_, err = opened.Payloads.Encode([]*commonpb.Payload{{Data: []byte("x")}})
		p, _ := connection.AsProblem(err)
		if (err == nil) != (environment == "development") || err != nil && p.Field != "CONNECTED_APPS_IDENTITIES" {
			t.Errorf("%s: %v", environment, err)
		}
	}
}
