package workflows

import (
	"encoding/json"
	"testing"

	"connectedapps/activities"
)

func TestSameRequestIsWhatIsAskedOfTheApp(t *testing.T) {
	before := activities.CallActionInput{Connection: "development/a/b", Action: "pay", Arguments: json.RawMessage(`{"n": 1}`), IdempotencyKey: "k",
		WaitForReconnect: true, MaxBytes: 10, Owner: "one"}
	for name, c := range map[string]struct {
		change func(*activities.CallActionInput)
		want   bool
	}{
		"itself":             {func(*activities.CallActionInput) {}, true},
		"without waiting":    {func(in *activities.CallActionInput) { in.WaitForReconnect = false }, true},
		"another bound":      {func(in *activities.CallActionInput) { in.MaxBytes = 0 }, true},
		"another share":      {func(in *activities.CallActionInput) { in.Owner = "two" }, true},
		"spaces":             {func(in *activities.CallActionInput) { in.Arguments = json.RawMessage(`{"n":1}`) }, true},
		"other arguments":    {func(in *activities.CallActionInput) { in.Arguments = json.RawMessage(`{"n":2}`) }, false},
		"another action":     {func(in *activities.CallActionInput) { in.Action = "refund" }, false},
		"another projection": {func(in *activities.CallActionInput) { in.Projection = "id" }, false},
		"another page":       {func(in *activities.CallActionInput) { in.Cursor = "c" }, false},
	} {
		in := before
		c.change(&in)
		if same, err := sameAsked(before, in); err != nil || same != c.want {
			t.Errorf("%s: %t, %v", name, same, err)
		}
	}
}
