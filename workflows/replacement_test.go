package workflows

import (
	"maps"
	"slices"
	"testing"

	"connectedapps/connection"
	"connectedapps/connectors"
)

func TestWhatAReconnectAsksFor(t *testing.T) {
	none := living()
	none.Toolkits, none.Values = nil, nil
	held := []string{"a", "b", "gone"}
	for name, c := range map[string]struct {
		state      State
		in         ReconnectInput
		access     string
		asked      []string
		kept       []string
		method     string
		authConfig string
	}{
		"what the toolkits need": {living(), ReconnectInput{}, "", nil, held, "api-key", "registered"},
		"an action more":         {living(), ReconnectInput{Actions: []string{"c", "a"}}, "", []string{"c", "a"}, held, "api-key", "registered"},
		"all":                    {living(), ReconnectInput{Access: connectors.AccessReadWrite}, connectors.AccessReadWrite, nil, held, "api-key", "registered"},
		"the least":              {none, ReconnectInput{}, connectors.AccessRead, nil, nil, "api-key", "registered"},
		"the same method":        {living(), ReconnectInput{Method: "api-key"}, "", nil, held, "api-key", "registered"},
		"another method":         {living(), ReconnectInput{Method: "oauth"}, "", nil, held, "oauth", ""},
		"another registration":   {living(), ReconnectInput{AuthConfig: "new"}, "", nil, held, "api-key", "new"},
		"another of each":        {living(), ReconnectInput{Method: "oauth", AuthConfig: "new"}, "", nil, held, "oauth", "new"},
	} {
		t.Run(name, func(t *testing.T) {
			c.state.AuthConfig = "registered"
			e := &entity{state: &c.state}
			asked := e.replacement(c.in)
			if asked.Access != c.access || !slices.Equal(asked.Actions, c.asked) || !slices.Equal(asked.Kept.Actions, c.kept) {
				t.Errorf("%q %v, keeps %v", asked.Access, asked.Actions, asked.Kept.Actions)
			}
			if (asked.Kept.AuthConfig == "registered") != (c.authConfig == "") {
				t.Errorf("keeps the values of %q", asked.Kept.AuthConfig)
			}
			if asked.Method != c.method || asked.AuthConfig != c.authConfig || !maps.Equal(asked.Kept.Values, c.state.Values) || asked.Values != nil {
				t.Errorf("by %q with %q and %v", asked.Method, asked.AuthConfig, asked.Kept)
			}
			other := c.in
			other.RequestedBy = "another"
			if other := e.replacement(other); other.Fingerprint == asked.Fingerprint || len(asked.Fingerprint) != 64 {
				t.Errorf("fingerprint %q", asked.Fingerprint)
			}
		})
	}
	if len(living().Toolkits[0].Actions) != 1 {
		t.Error("a toolkit was changed")
	}
}

func TestAnUnnamedAccountIsTheLastOne(t *testing.T) {
	before := living().Look
	in := activate{Ref: connection.CredentialRef{Grant: "new"}}
	if look := adopted(before, in, false); look.Identity != ada || look.Grant != "new" {
		t.Errorf("%+v", look)
	}
	if look := adopted(before, in, true); look.Identity.Known() {
		t.Errorf("it may be another: %+v", look)
	}
}
