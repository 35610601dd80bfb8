package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/workflows"
)

// With far more actions of one owner waiting than a worker can do at once, the one
// of another owner is served in turn, and not after the last of them.
func TestABurstOfOneOwnerDoesNotStarveAnother(t *testing.T) {
	const burst, starters = 1500, 50
	connectBy(t, "fair", "api-key")
	s.sandboxSettings(t, map[string]any{"api_delay": "5s"})
	mark := s.mark(t)
	ctx := within(t, 5*time.Minute)
	start := func(owner, action, key string) {
		in := activities.CallActionInput{Connection: id("fair"), Action: action, Owner: owner, IdempotencyKey: key}
		options := workflows.StandaloneActionOptions(in)
		options.ID = "action/" + id("fair").String() + "/" + key
		if _, err := s.client.Temporal.ExecuteActivity(ctx, options, "CallAction", in); err != nil {
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	for i := range starters {
		all.Go(func() {
			for j := range burst / starters {
				start("a", "whoami", fmt.Sprintf("fair-%d-%d-%d", mark, i, j))
			}
		})
	}
	all.Wait()
	begun := count(s.since(t, mark), func(e entry) bool { return e.Kind == "api" })
	start("b", "list-contacts", fmt.Sprintf("fair-%d-b", mark))
	eventually(t, "every action has reached the app", func() bool {
		return count(s.since(t, mark), func(e entry) bool { return e.Kind == "api" && e.Status == http.StatusOK }) > burst
	})
	after, found := 0, false
	for _, e := range s.since(t, mark) {
		switch {
		case e.Kind != "api":
		case e.Path == "/api/v1/contacts":
			found = true
		case found:
			after++
		}
	}
	if after < burst/5 {
		t.Errorf("only %d of the %d came after the one of another owner, which was asked for when %d were done", after, burst, begun)
	}
	t.Logf("%d of %d were done when the other owner's was asked for, and %d came after it", begun, burst, after)
}
