package mcp

import (
	"context"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// late is a backend whose actions are there to be cancelled only at the third time of asking.
type late struct {
	*fake
	asked int
}

func (l *late) CancelAction(ctx context.Context, id connection.ID, key, reason string) error {
	l.mu.Lock()
	l.asked++
	early := l.asked < 3
	l.mu.Unlock()
	if early {
		return connection.InvalidInput("run", "there is no such run of an action, or it is over", "look at it")
	}
	return l.fake.CancelAction(ctx, id, key, reason)
}

// waits makes actions wait until nobody waits for them, and answers how many have ended so.
func (b *bench) waits() (left func() int) {
	count := 0
	b.run = func(ctx context.Context, _ activities.CallActionInput) (*activities.CallActionResult, error) {
		<-ctx.Done()
		b.mu.Lock()
		count++
		b.mu.Unlock()
		return nil, ctx.Err()
	}
	return func() int { b.mu.Lock(); defer b.mu.Unlock(); return count }
}

type answer struct {
	result *sdk.CallToolResult
	err    error
}

// begin calls with the key "k", and answers how to cancel that and what comes of it.
func (b *bench) begin(session *sdk.ClientSession) (cancel context.CancelFunc, came <-chan answer) {
	b.t.Helper()
	before := len(b.runs())
	ctx, cancel := context.WithCancel(context.Background())
	b.t.Cleanup(cancel)
	ended := make(chan answer, 1)
	go func() {
		params := &sdk.CallToolParams{Name: toolName(ref("development/atlas/main"), "list-maps"), Meta: sdk.Meta{MetaKey: "k"}}
		params.SetProgressToken("p")
		result, err := session.CallTool(ctx, params)
		ended <- answer{result, err}
	}()
	eventually(b.t, "the call", func() bool { return len(b.runs()) > before })
	return cancel, ended
}

func (b *bench) cancels() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.cancelled)
}

func TestCancelThatOvertakesTheStart(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		b := newBench(t, func(o *Options) {
			e, err := o.Environments.Of(testID)
			if err != nil {
				t.Fatal(err)
			}
			o.Environments = backend.NewSet(backend.Environment{Name: "development", Client: &late{fake: e.Client.(*fake)}})
		})
		b.handler.pace.retry = 5 * time.Millisecond
		left := b.waits()
		session := b.connect("agent", "", version, nil)
		b.names(session)
		cancel, _ := b.begin(session)
		cancel()
		eventually(t, "the end", func() bool { return left() == 1 })
		if b.cancels() != 1 {
			t.Error("an action that was being started was not cancelled")
		}
	})
}

func TestTheLastCallCancels(t *testing.T) {
	eras(t, func(t *testing.T, version string) {
		b := newBench(t)
		left := b.waits()
		one, two := b.connect("agent", "", version, nil), b.connect("agent", "", version, nil)
		b.names(one)
		first, _ := b.begin(one)
		second, _ := b.begin(two)
		first()
		eventually(t, "the end of the first", func() bool { return left() == 1 })
		if b.cancels() != 0 {
			t.Error("an action was cancelled that another call waits for")
		}
		second()
		eventually(t, "the end of the second", func() bool { return left() == 2 })
		if b.cancels() != 1 {
			t.Error("an action was not cancelled though nobody waits for it")
		}
		if n := len(b.handler.waiters.all); n != 0 {
			t.Errorf("%d are still counted", n)
		}
	})
}

// A session that is idle for too long is closed though a call waits in it; what its client
// sends then makes the SDK cancel that.
func TestASessionThatEndsLeavesActionsAlone(t *testing.T) {
	b := newBench(t)
	left := b.waits()
	session := b.connect("agent", "", oldest, nil)
	b.names(session)
	b.begin(session)
	b.handler.boxes.close()
	eventually(t, "the end of the call", func() bool {
		ctx, done := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer done()
		_ = session.Ping(ctx, nil)
		return left() == 1
	})
	if b.cancels() != 0 {
		t.Error("an action was cancelled because a session ended")
	}
}

func TestAWaitingCallIsJudgedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		token  string
		change func(known map[string]access.Person)
		want   string // "" is that it goes on
	}{
		"revoked": {"agent", func(known map[string]access.Person) { delete(known, "agent") }, connection.ErrNotSignedIn},
		"narrowed": {"agent", func(known map[string]access.Person) {
			known["agent"] = access.Person{Subject: "token:development/agent", Toolkits: []connection.ToolkitRef{ref("development/atlas/other")}}
		}, connection.ErrNotAllowed},
		"a provider's that ran out": {"person", func(known map[string]access.Person) { delete(known, "person") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.guard.known["person"] = access.Person{Subject: "oidc:ada", Roles: map[string]access.Role{"development": access.Operator}}
			b.waits()
			session := b.connect(c.token, "?toolkit=development/atlas/main", oldest, nil)
			b.names(session)
			_, came := b.begin(session)
			b.guard.mu.Lock()
			c.change(b.guard.known)
			b.guard.mu.Unlock()
			select {
			case a := <-came:
				if a.err != nil || c.want == "" {
					t.Fatalf("%v, %v", a.result, a.err)
				}
				told, _ := a.result.StructuredContent.(map[string]any)
				problem, _ := told["error"].(map[string]any)
				if !a.result.IsError || problem["type"] != c.want || b.cancels() != 1 {
					t.Errorf("%s; %d cancelled", text(a.result), b.cancels())
				}
			case <-time.After(map[bool]time.Duration{true: 300 * time.Millisecond, false: 10 * time.Second}[c.want == ""]):
				if c.want != "" {
					t.Error("it still waits")
				}
			}
		})
	}
}
