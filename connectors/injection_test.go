package connectors

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"connectedapps/connection"
)

// What an action computes may be a message whose parts are told apart by line
// breaks, so no argument that becomes a header of it may hold one.
func TestComputedMessagesTakeNoLineBreaks(t *testing.T) {
	for _, id := range []string{"send-message", "create-draft"} {
		s := sessionOf(t, "gmail", "oauth")
		action := s.mustAction(t, id)
		properties, _, err := action.properties()
		if err != nil {
			t.Fatal(err)
		}
		honest := map[string]any{"to": "a@b", "subject": "s", "text": "one\r\n\r\ntwo"}
		call := func(arguments map[string]any) error {
			text, err := json.Marshal(arguments)
			if err != nil {
				t.Fatal(err)
			}
			p := answering(200, `{"id":"1"}`)
			_, err = s.Call(ctx(), p.client(), action, CallInput{Arguments: text})
			if err != nil && len(p.asked) > 0 {
				t.Errorf("%s: something was sent", id)
			}
			return err
		}
		if err := call(honest); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		for _, name := range slices.DeleteFunc(properties, func(name string) bool { return name == "text" || name == "thread_id" }) {
			for _, injected := range []string{"a@b\r\nBcc: x", "a@b\nBcc: x", "a@b\rBcc: x", "\r\na@b", "a@b\n", "a@b\r\n", "a@b\r"} {
				arguments := maps.Clone(honest)
				arguments[name] = injected
				if err := call(arguments); err == nil {
					t.Errorf("%s: %s takes %q", id, name, injected)
				} else if problem := problemOf(t, err); problem.Type != connection.ErrInvalidArguments {
					t.Errorf("%s: %s: %+v", id, name, problem)
				}
			}
		}
	}
}
