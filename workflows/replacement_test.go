package workflows

import (
	"slices"
	"testing"

	"connectedapps/connection"
	"connectedapps/connectors"
)

func TestWhatAReconnectAsksFor(t *testing.T) {
	none := living()
	none.Toolkits = nil
	for name, c := range map[string]struct {
		state  State
		in     ReconnectInput
		access string
		want   []string
	}{
		"what the toolkits need":     {living(), ReconnectInput{}, "", []string{"a", "b", "gone"}},
		"an action more":             {living(), ReconnectInput{Actions: []string{"c", "a"}}, "", []string{"a", "b", "c", "gone"}},
		"an action more, said twice": {living(), ReconnectInput{Access: connectors.AccessActions, Actions: []string{"c"}}, connectors.AccessActions, []string{"a", "b", "c", "gone"}},
		"all":                        {living(), ReconnectInput{Access: connectors.AccessReadWrite}, connectors.AccessReadWrite, nil},
		"the least":                  {none, ReconnectInput{}, connectors.AccessRead, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := &entity{state: c.state}
			asked := e.replacement(c.in)
			if asked.Access != c.access || !slices.Equal(asked.Actions, c.want) {
				t.Errorf("%q %v", asked.Access, asked.Actions)
			}
			if other := e.replacement(ReconnectInput{RequestedBy: "another"}); other.Fingerprint == asked.Fingerprint || len(asked.Fingerprint) != 64 {
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
