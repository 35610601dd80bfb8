package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
)

// With far more actions of one owner waiting than a worker can do at once, the one
// of another owner begins before those that came earlier.
func TestABurstOfOneOwnerDoesNotStarveAnother(t *testing.T) {
	const burst, starters = 900, 50 // a worker does 200 at once
	connectBy(t, "fair", "api-key")
	s.sandboxSettings(t, map[string]any{"api_delay": "5s"})
	mark := s.mark(t)
	ctx := within(t, 5*time.Minute)
	start := func(owner, name string) client.ActivityHandle {
		in := activities.CallActionInput{Connection: id("fair"), Action: "whoami", Owner: owner, IdempotencyKey: fmt.Sprintf("fair-%d-%s", mark, name)}
		options := workflows.StandaloneActionOptions(in)
		options.ID = "action/" + id("fair").String() + "/" + in.IdempotencyKey
		handle, err := s.client.Temporal.ExecuteActivity(ctx, options, "CallAction", in)
		if err != nil {
			t.Error(err)
		}
		return handle
	}
	asked := burst
	var all sync.WaitGroup
	for i := range starters {
		all.Go(func() {
			for j := range burst / starters {
				start("a", fmt.Sprintf("%d-%d", i, j))
			}
		})
	}
	all.Wait()
	// Only what has to wait can be overtaken. One more of the first owner shows whether
	// the worker has its hands full: it waits then.
	var last client.ActivityHandle
	eventually(t, "the worker has its hands full", func() bool {
		last = start("a", fmt.Sprintf("last-%d", asked))
		asked++
		return !t.Failed() && !startedWithin(ctx, t, last, time.Second)
	})
	other := start("b", "other")
	asked++
	eventually(t, "the one of another owner begins", func() bool { return !began(ctx, t, other).IsZero() })
	if earlier := began(ctx, t, last); !earlier.IsZero() {
		t.Errorf("the one of another owner began %s, after one that waited already, which began %s", began(ctx, t, other), earlier)
	}
	eventually(t, "every action has reached the app", func() bool {
		return count(s.since(t, mark), func(e entry) bool { return e.Kind == "api" && e.Status == http.StatusOK }) >= asked
	})
	t.Logf("of %d, the one of another owner began %s before one that was asked for earlier", asked, began(ctx, t, last).Sub(began(ctx, t, other)))
}

// began is when an action was given to a worker; the zero time while it waits.
func began(ctx context.Context, t *testing.T, action client.ActivityHandle) time.Time {
	t.Helper()
	told, err := action.Describe(ctx, client.DescribeActivityOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if told.LastStartedTime.Unix() <= 0 {
		return time.Time{}
	}
	return told.LastStartedTime
}

func startedWithin(ctx context.Context, t *testing.T, action client.ActivityHandle, wait time.Duration) bool {
	t.Helper()
	for deadline := time.Now().Add(wait); began(ctx, t, action).IsZero(); time.Sleep(100 * time.Millisecond) {
		if !time.Now().Before(deadline) {
			return false
		}
	}
	return true
}
