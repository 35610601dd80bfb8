package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"connectedapps/deployment"
)

// clean removes the variables that the launcher looks at, and puts them back after the test.
func clean(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "TEMPORAL_") || strings.HasPrefix(name, "VAULT_") || strings.HasPrefix(name, "CONNECTED_APPS_") {
			t.Setenv(name, value) // restores it afterwards
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestTheRootTokenReachesNoChild(t *testing.T) {
	clean(t)
	t.Setenv("VAULT_ADDR", "https://vault.example")
	t.Setenv("VAULT_TOKEN", "root")
	t.Setenv("VAULT_CACERT", "/ca.pem")
	s, err := takeSurroundings()
	if err != nil {
		t.Fatal(err)
	}
	if s.token != "root" || s.vault != "https://vault.example" {
		t.Errorf("got %+v", s)
	}
	if _, set := os.LookupEnv("VAULT_TOKEN"); set {
		t.Error("VAULT_TOKEN is still in the environment that children inherit")
	}
	if os.Getenv("VAULT_CACERT") == "" {
		t.Error("VAULT_CACERT is needed to reach that Vault")
	}
}

func TestVaultOfOnesOwnNeedsAToken(t *testing.T) {
	clean(t)
	t.Setenv("VAULT_ADDR", "https://vault.example")
	if _, err := takeSurroundings(); err == nil || !strings.Contains(err.Error(), "VAULT_TOKEN") {
		t.Errorf("got %v", err)
	}
}

func TestVariablesOfAnotherServerDoNotLeadAstray(t *testing.T) {
	clean(t)
	for _, name := range []string{"TEMPORAL_PROFILE", "TEMPORAL_API_KEY", "TEMPORAL_NAMESPACE", "VAULT_NAMESPACE", "VAULT_TOKEN", "CONNECTED_APPS_ENV_FILE"} {
		t.Setenv(name, "x")
	}
	if _, err := takeSurroundings(); err != nil {
		t.Fatal(err)
	}
	for _, pair := range os.Environ() {
		if strings.HasPrefix(pair, "TEMPORAL_") || strings.HasPrefix(pair, "VAULT_") || strings.HasPrefix(pair, "CONNECTED_APPS_") {
			t.Errorf("%s is left", pair)
		}
	}
}

func TestTheEnvFileIsWhatTheCommandLineReads(t *testing.T) {
	clean(t)
	o, err := parseUp([]string{"--dir", t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	env, err := o.shared(surroundings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeEnv(o.path("env"), append(env, "CONNECTED_APPS_IDENTITIES="+o.identities("gateway"))); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CONNECTED_APPS_ENV_FILE", o.path("env"))
	if err := deployment.LoadFile(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, pair := range env {
			name, _, _ := strings.Cut(pair, "=")
			_ = os.Unsetenv(name)
		}
		_ = os.Unsetenv("CONNECTED_APPS_IDENTITIES")
	}()
	settings, err := deployment.Read()
	if err != nil {
		t.Fatal(err)
	}
	if settings.GatewayURL != "http://127.0.0.1:8400" || settings.Identities != filepath.Join(o.dir, "identities", "gateway") || !settings.AllowHTTP {
		t.Errorf("got %+v", settings)
	}
	if !slices.Equal(settings.Codec, []string{"staging", "production"}) {
		t.Errorf("sealed are %v", settings.Codec)
	}
	if os.Getenv("TEMPORAL_ADDRESS") != "127.0.0.1:7233" || os.Getenv("VAULT_ADDR") != "http://127.0.0.1:8200" {
		t.Errorf("TEMPORAL_ADDRESS=%s VAULT_ADDR=%s", os.Getenv("TEMPORAL_ADDRESS"), os.Getenv("VAULT_ADDR"))
	}
	if slices.ContainsFunc(env, func(pair string) bool { return strings.Contains(pair, "TOKEN") }) {
		t.Error("there is a token in the file")
	}
}

func TestEnvFileRefusesLineBreaks(t *testing.T) {
	if err := writeEnv(filepath.Join(t.TempDir(), "env"), []string{"A=b\nVAULT_ADDR=http://elsewhere"}); err == nil {
		t.Error("a value with a line break was written")
	}
}
