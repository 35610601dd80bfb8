package e2e

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// A worker killed while it waits for the token endpoint of a connect carries on: the app
// has not looked at the code, which is presented once more and exchanged once.
func TestAWorkerKilledDuringTheExchangeCarriesOn(t *testing.T) {
	p, callback := begun(t, "killed-exchange", "approve")
	s.sandboxSettings(t, map[string]any{"token_delay": "2s"})
	mark := s.mark(t)
	answered := p.once(http.MethodGet, callback, nil, "")
	if answered.status/100 != 3 {
		t.Fatalf("%d %s", answered.status, answered.text)
	}
	time.Sleep(500 * time.Millisecond) // into the delay, before the app has looked at the code
	s.killWorker(t)
	if _, err := s.client.AwaitConnect(within(t, 3*time.Minute), id("killed-exchange")); err != nil {
		t.Fatal(err)
	}
	// Only connects are counted: other connections renew their tokens meanwhile.
	exchanges, good := 0, 0
	for _, e := range s.since(t, mark) {
		if e.Kind == "token" && e.GrantType == "authorization_code" {
			exchanges++
			if e.Outcome == "ok" {
				good++
			}
		}
	}
	if exchanges != 1 || good != 1 {
		t.Errorf("the app has seen the code %d times and exchanged it %d times, want once", exchanges, good)
	}
}

// A worker killed after the token endpoint has rotated, before the answer came:
// the new pair is lost, the old one is presented once more and refused, and the
// connection says so instead of pretending.
func TestAWorkerKilledAfterTheRotationIsSaidToBeUnknown(t *testing.T) {
	connectBy(t, "killed-late", "oauth")
	s.sandboxSettings(t, map[string]any{"token_answer_delay": "3s"})
	mark := s.mark(t)
	refreshed := make(chan error, 1)
	go func() { _, err := s.client.Refresh(within(t, 3*time.Minute), id("killed-late")); refreshed <- err }()
	eventually(t, "the app has rotated", func() bool {
		return count(s.since(t, mark), func(e entry) bool { return e.Kind == "token" }) >= 1
	})
	s.killWorker(t)
	problem := problemOf(t, <-refreshed, connection.ErrReconnectRequired)
	if problem.Message == "" {
		t.Error("no reason")
	}
	described, err := s.client.Describe(within(t, time.Minute), id("killed-late"))
	if err != nil || described.Look.Status != connection.Expired || described.Look.Reason == "" {
		t.Fatalf("%+v %v", described.Look, err)
	}
	if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "token" && e.GrantType == "refresh_token" }); n != 2 {
		t.Errorf("the token was presented %d times", n)
	}
	_, err = run(t, "killed-late", "whoami", map[string]any{})
	problemOf(t, err, connection.ErrReconnectRequired)
}

// A worker killed before the app has seen the token loses nothing: the next one
// presents it when the budget of the first is over.
func TestAWorkerKilledBeforeTheRotationLosesNothing(t *testing.T) {
	connectBy(t, "killed-early", "oauth")
	s.sandboxSettings(t, map[string]any{"token_delay": "4s"})
	refreshed := make(chan error, 1)
	go func() { _, err := s.client.Refresh(within(t, 3*time.Minute), id("killed-early")); refreshed <- err }()
	time.Sleep(time.Second)
	s.killWorker(t)
	s.sandbox(t, http.MethodPost, "/admin/settings", map[string]any{"token_delay": "0s"}, nil)
	if err := <-refreshed; err != nil {
		t.Fatal(err)
	}
	if result, err := s.client.Test(within(t, time.Minute), id("killed-early")); err != nil || !result.Passed {
		t.Fatalf("%+v %v", result, err)
	}
}

// A worker killed during an action that only reads runs it again; one that
// changes something at an app that knows no keys is reported, and not repeated.
func TestAWorkerKilledDuringAnAction(t *testing.T) {
	connectBy(t, "killed-action", "api-key")
	ctx := within(t, 3*time.Minute)
	done := make(chan error, 1)
	mark := s.mark(t)
	go func() {
		_, err := s.client.RunAction(ctx, activities.CallActionInput{Connection: id("killed-action"), Action: "slow", Arguments: []byte(`{"seconds":3}`)})
		done <- err
	}()
	time.Sleep(time.Second)
	s.killWorker(t)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.sandboxSettings(t, map[string]any{"api_delay": "3s"})
	once := activities.CallActionInput{Connection: id("killed-action"), Action: "create-key", Arguments: []byte(`{"name":"x"}`), IdempotencyKey: "only-once"}
	go func() {
		_, err := s.client.RunAction(ctx, once)
		done <- err
	}()
	time.Sleep(time.Second)
	s.killWorker(t)
	problemOf(t, <-done, connection.ErrOutcomeUnknown)
	// Whoever repeats it with its key is told the same: the app has no key that would tell.
	_, err := s.client.RunAction(ctx, once)
	problemOf(t, err, connection.ErrOutcomeUnknown)
	if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "api" && e.Method == http.MethodPost }); n > 1 {
		t.Errorf("the key was asked for %d times", n)
	}
}

// While Vault does not answer, nothing is marked broken and nothing is spent;
// work waits and carries on by itself.
func TestVaultAwayIsWaitedFor(t *testing.T) {
	connectBy(t, "vault-away", "oauth")
	vault := s.child(t, "devstack-vault", "")
	mark := s.mark(t)
	if err := syscall.Kill(vault, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(vault, syscall.SIGCONT) })
	refreshed := make(chan error, 1)
	go func() { _, err := s.client.Refresh(within(t, 3*time.Minute), id("vault-away")); refreshed <- err }()
	time.Sleep(3 * time.Second)
	if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "token" }); n != 0 {
		t.Errorf("%d tokens were spent while Vault could not take the answer", n)
	}
	if err := syscall.Kill(vault, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := <-refreshed; err != nil {
		t.Fatal(err)
	}
	if described, err := s.client.Describe(within(t, time.Minute), id("vault-away")); err != nil || described.Look.Status != connection.Active {
		t.Errorf("%+v %v", described.Look, err)
	}
}

// The app's trouble expires nobody.
func TestTroubleOfTheAppExpiresNobody(t *testing.T) {
	connectBy(t, "trouble", "oauth")
	s.sandboxSettings(t, map[string]any{"fail_token_requests": map[string]any{"count": -1, "status": 503}})
	_, err := s.client.Refresh(within(t, 2*time.Minute), id("trouble"))
	problem, _ := connection.AsProblem(err)
	if problem == nil || problem.Verdict != connection.Transient {
		t.Fatalf("%+v", problem)
	}
	s.sandbox(t, http.MethodPost, "/admin/settings/reset", map[string]any{}, nil)
	time.Sleep(4 * time.Second) // the spender's cool-down
	if _, err := s.client.Refresh(within(t, time.Minute), id("trouble")); err != nil {
		t.Fatal(err)
	}
	if described, err := s.client.Describe(within(t, time.Minute), id("trouble")); err != nil || described.Look.Status != connection.Active {
		t.Errorf("%+v %v", described.Look, err)
	}
}

// A revoked grant is noticed by work, asked about once, and not asked again.
func TestARevokedGrantExpiresOnce(t *testing.T) {
	start := s.mark(t)
	connectBy(t, "revoked", "oauth")
	s.sandbox(t, http.MethodPost, "/admin/revoke-grant", map[string]any{"family": familySince(t, start)}, nil)
	mark := s.mark(t)
	for range 5 {
		_, err := run(t, "revoked", "whoami", map[string]any{})
		problemOf(t, err, connection.ErrReconnectRequired)
	}
	eventually(t, "the status", func() bool {
		described, err := s.client.Describe(within(t, time.Minute), id("revoked"))
		return err == nil && described.Look.Status == connection.Expired
	})
	if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "token" }); n > 2 {
		t.Errorf("the dead credential was asked about %d times", n)
	}
	eventually(t, "nothing looks at it any more", func() bool {
		described, err := s.client.Describe(within(t, time.Minute), id("revoked"))
		return err == nil && described.NextLook.IsZero()
	})
	rows, _, err := s.client.List(within(t, time.Minute), workflows.Filter{Status: connection.Expired}, 100, nil)
	if err != nil || len(rows) == 0 {
		t.Errorf("%v %v", rows, err)
	}
	// Repaired as it can be today: its ID is free the moment the disconnect answers.
	if _, err := s.client.Disconnect(within(t, time.Minute), id("revoked"), "its grant is dead"); err != nil {
		t.Fatal(err)
	}
	connectBy(t, "revoked", "oauth")
	if _, err := run(t, "revoked", "whoami", map[string]any{}); err != nil {
		t.Error(err)
	}
}

// A worker killed anywhere between the first and the last step of a connect
// carries on: the same connection comes out, once.
func TestAWorkerKilledDuringAConnectCarriesOn(t *testing.T) {
	for _, delay := range []time.Duration{5 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			name := "killed-connect-" + delay.String()
			ctx := within(t, 3*time.Minute)
			open, secret := typed("api-key")
			ref, err := s.secrets.Inbox().Leave(ctx, secret)
			if err != nil {
				t.Fatal(err)
			}
			s.sandboxSettings(t, map[string]any{"api_delay": "100ms"}) // the test takes a while
			provided := make(chan error, 1)
			go func() {
				_, err := s.client.Connect(ctx, workflows.ConnectInput{
					ConnectRequest: activities.ConnectRequest{Connection: id(name), Method: "api-key", Values: open}}, ref)
				provided <- err
			}()
			time.Sleep(delay)
			s.killWorker(t)
			if err := <-provided; err != nil {
				t.Errorf("whoever provided the credential got no answer: %v", err)
			}
			if _, err := s.client.AwaitConnect(ctx, id(name)); err != nil {
				t.Fatal(err)
			}
			if result, err := s.client.Test(ctx, id(name)); err != nil || !result.Passed {
				t.Errorf("%+v %v", result, err)
			}
			if found, _ := s.root.Logical().List("connected-apps/" + environment + "/secrets/metadata/candidates/sandbox/" + name); found != nil {
				t.Errorf("a candidate is left: %v", found.Data)
			}
		})
	}
}

// An action that was cancelled once its request had left is not sent again by its key,
// where the app knows no keys.
func TestACancelledActionIsNotSentAgain(t *testing.T) {
	connectBy(t, "cut-off", "api-key")
	s.sandboxSettings(t, map[string]any{"api_delay": "4s"})
	ctx, mark := within(t, 2*time.Minute), s.mark(t)
	once := activities.CallActionInput{Connection: id("cut-off"), Action: "create-key", Arguments: []byte(`{"name":"x"}`), IdempotencyKey: "cut-off"}
	done := make(chan error, 1)
	go func() { _, err := s.client.RunAction(ctx, once); done <- err }()
	eventually(t, "the action runs", func() bool {
		run, err := s.client.ActionRun(ctx, id("cut-off"), "cut-off")
		return err == nil && !run.Over
	})
	time.Sleep(time.Second)
	if err := s.client.CancelAction(ctx, id("cut-off"), "cut-off", "not wanted"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Fatal("it was not cancelled")
	}
	_, err := s.client.RunAction(ctx, once)
	problemOf(t, err, connection.ErrOutcomeUnknown)
	if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "api" && e.Method == http.MethodPost }); n > 1 {
		t.Errorf("the key was asked for %d times", n)
	}
	s.sandbox(t, http.MethodPost, "/admin/settings", map[string]any{"api_delay": "0s"}, nil)
	leave(t, "cut-off")
}
