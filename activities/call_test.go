package activities

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
)

func activityEnvironment(t *testing.T, a *Activities) *testsuite.TestActivityEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	a.RegisterEgress(env)
	return env
}

func (w *world) call(t *testing.T, a *Activities, in CallActionInput) (*CallActionResult, error) {
	t.Helper()
	return called(activityEnvironment(t, a), in)
}

func called(env *testsuite.TestActivityEnvironment, in CallActionInput) (*CallActionResult, error) {
	in.Connection = testID
	value, err := env.ExecuteActivity("CallAction", in)
	if err != nil {
		return nil, err
	}
	result := new(CallActionResult)
	return result, value.Get(result)
}

func TestTheGateRefuses(t *testing.T) {
	tests := map[string]struct {
		gate func(*connection.Document)
		in   CallActionInput
		want string
	}{
		"closed":            {func(d *connection.Document) { d.Gate.Closed = true }, CallActionInput{Action: "whoami"}, connection.ErrConnectionNotFound},
		"pending":           {func(d *connection.Document) { d.Gate.Status = connection.Pending }, CallActionInput{Action: "whoami"}, connection.ErrConnectionPending},
		"paused":            {func(d *connection.Document) { d.Gate.Status = connection.Paused }, CallActionInput{Action: "whoami"}, connection.ErrConnectionPaused},
		"expired":           {func(d *connection.Document) { d.Gate.Status = connection.Expired }, CallActionInput{Action: "whoami"}, connection.ErrReconnectRequired},
		"rejected":          {func(d *connection.Document) { d.Rejected = &connection.Rejection{Generation: 1, Reason: "gone"} }, CallActionInput{Action: "whoami"}, connection.ErrReconnectRequired},
		"rejected before":   {func(d *connection.Document) { d.Rejected = &connection.Rejection{Generation: 0} }, CallActionInput{Action: "whoami"}, ""},
		"in error":          {func(d *connection.Document) { d.Gate.Status = connection.Error }, CallActionInput{Action: "whoami"}, ""},
		"no such toolkit":   {nil, CallActionInput{Action: "whoami", Toolkit: "other"}, connection.ErrToolkitNotFound},
		"not in toolkit":    {nil, CallActionInput{Action: "list-contacts"}, connection.ErrActionNotInToolkit},
		"no such action":    {nil, CallActionInput{Action: "nonsense"}, connection.ErrUnknownAction},
		"wrong arguments":   {nil, CallActionInput{Action: "whoami", Arguments: json.RawMessage(`7`)}, connection.ErrInvalidArguments},
		"an open gate":      {nil, CallActionInput{Action: "whoami"}, ""},
		"the named toolkit": {nil, CallActionInput{Action: "whoami", Toolkit: connection.DefaultToolkit}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			if test.gate != nil {
				w.vault.change(t, w.ref, test.gate)
			}
			_, err := w.call(t, w.process(), test.in)
			demand(t, err, test.want)
			if test.want != "" && w.provider.probes+len(w.provider.calls) != 0 {
				t.Error("the provider was asked")
			}
			if name == "rejected" && !strings.Contains(err.Error(), "gone") {
				t.Errorf("%v does not say why", err)
			}
		})
	}
	t.Run("absent", func(t *testing.T) {
		w := newWorld(t, "strict")
		_ = w.vault.Destroy(context.Background(), w.ref)
		_, err := w.call(t, w.process(), CallActionInput{Action: "whoami"})
		demand(t, err, connection.ErrConnectionNotFound)
	})
	t.Run("another environment", func(t *testing.T) {
		w := newWorld(t, "strict")
		a := w.process()
		a.Environment = "production"
		_, err := w.call(t, a, CallActionInput{Action: "whoami"})
		demand(t, err, connection.ErrUnknownEnvironment)
	})
}

var newKey = CallActionInput{Action: "create-key", Arguments: json.RawMessage(`{"name":"ci"}`)}

// What is neither idempotent nor has a key is never sent again after it may have left.
func TestOnceOnly(t *testing.T) {
	contact := CallActionInput{Action: "create-contact", Arguments: json.RawMessage(`{"name":"Ada"}`)}
	remove := CallActionInput{Action: "delete-contact", Arguments: json.RawMessage(`{"id":"1"}`)}
	tests := map[string]struct {
		in    CallActionInput
		found any // heartbeat details of the attempt before
		want  string
		calls int
	}{
		"first attempt":              {newKey, nil, "", 1},
		"cut off while sending":      {newKey, sending, connection.ErrOutcomeUnknown, 0},
		"cut off before":             {newKey, "", "", 1},
		"cut off after an answer":    {newKey, answered, "", 1},
		"with a key, while sending":  {contact, sending, "", 1},
		"idempotent, while sending":  {remove, sending, "", 1},
		"read only, while sending":   {CallActionInput{Action: "whoami"}, sending, "", 0},
		"details of another's shape": {newKey, 7, "", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			env := activityEnvironment(t, w.process())
			if test.found != nil {
				env.SetHeartbeatDetails(test.found)
			}
			_, err := called(env, test.in)
			demand(t, err, test.want)
			if got := len(w.provider.calls); got != test.calls {
				t.Errorf("%d calls %q, want %d", got, w.provider.calls, test.calls)
			}
		})
	}
}

// The detail is at the server before the request is at the provider.
func TestSendingIsSaidBeforeItIsDone(t *testing.T) {
	for in, want := range map[*CallActionInput]int{&newKey: 1, {Action: "whoami"}: 0} {
		w := newWorld(t, "strict")
		a := w.process()
		env := activityEnvironment(t, a)
		var mu sync.Mutex
		var said []string
		env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
			mu.Lock()
			defer mu.Unlock()
			var text string
			if details.Get(&text) == nil {
				said = append(said, text)
			}
		})
		before := -1
		a.Provider = &http.Client{Transport: ahead{a.Provider.Transport, func() {
			mu.Lock()
			defer mu.Unlock()
			before = len(said)
		}}}
		if _, err := called(env, *in); err != nil {
			t.Fatal(err)
		}
		if before != want || want == 1 && said[0] != sending {
			t.Errorf("%s: %d beats %q before the request, want %d", in.Action, before, said, want)
		}
	}
}

// ahead does something before a request leaves.
type ahead struct {
	next http.RoundTripper
	do   func()
}

func (m ahead) RoundTrip(r *http.Request) (*http.Response, error) {
	m.do()
	return m.next.RoundTrip(r)
}

func TestWhatACallMeans(t *testing.T) {
	tests := map[string]struct {
		status int
		want   string
	}{
		"carried out":         {0, ""},
		"refused":             {http.StatusUnprocessableEntity, connection.ErrRejectedInput},
		"asked to wait":       {http.StatusTooManyRequests, connection.ErrRateLimited},
		"perhaps carried out": {http.StatusBadGateway, connection.ErrOutcomeUnknown},
		"not carried out":     {http.StatusServiceUnavailable, connection.ErrProviderUnavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			w.provider.api = test.status
			_, err := w.call(t, w.process(), newKey)
			demand(t, err, test.want)
			if len(w.provider.calls) != 1 || len(w.told.signals()) != 0 {
				t.Errorf("calls %q, signals %q", w.provider.calls, w.told.signals())
			}
		})
	}
}

func TestWaitingForAReconnect(t *testing.T) {
	unlimited := &temporal.RetryPolicy{}
	tests := map[string]struct {
		info   activity.Info
		remedy string
	}{
		"no limits":        {activity.Info{RetryPolicy: unlimited}, ""},
		"long enough":      {activity.Info{RetryPolicy: unlimited, ScheduleToCloseTimeout: time.Hour}, ""},
		"attempts run out": {activity.Info{RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 3}}, "MaximumAttempts"},
		"time runs out":    {activity.Info{RetryPolicy: unlimited, ScheduleToCloseTimeout: 59 * time.Minute}, "ScheduleToCloseTimeout"},
	}
	for name, test := range tests {
		if got := tooImpatient(test.info); test.remedy == "" != (got == "") || !strings.Contains(got, test.remedy) {
			t.Errorf("%s: %q", name, got)
		}
	}
	for attempt, want := range map[int32]time.Duration{0: parkMin, 1: parkMin, 2: 2 * parkMin, 4: 8 * parkMin, 5: parkMax, 1 << 30: parkMax} {
		if got := parkWait(attempt); got != want {
			t.Errorf("attempt %d waits %s, want %s", attempt, got, want)
		}
	}
	w := newWorld(t, "strict")
	w.vault.change(t, w.ref, func(d *connection.Document) { d.Gate.Status, d.Gate.Reason = connection.Expired, "revoked by hand" })
	// The environment's own time-out is ten minutes: it is named, once and for all.
	_, err := w.call(t, w.process(), CallActionInput{Action: "whoami", WaitForReconnect: true})
	demand(t, err, connection.ErrReconnectRequired)
	problem, _ := connection.AsProblem(err)
	if problem.Retryable || !strings.Contains(problem.Remedy, "ScheduleToCloseTimeout") || strings.Count(problem.Message, "has expired") != 1 {
		t.Errorf("%+v", problem)
	}
}

func TestLastUsedIsNotedOnceAMinute(t *testing.T) {
	w := newWorld(t, "strict")
	env := activityEnvironment(t, w.process())
	for range 20 {
		if _, err := called(env, CallActionInput{Action: "whoami"}); err != nil {
			t.Fatal(err)
		}
	}
	if w.vault.notes != 1 || w.vault.reads != 1 || w.vault.peek(w.ref).Facts.LastUsed.IsZero() {
		t.Fatalf("%d notes and %d reads for 20 calls, want one each", w.vault.notes, w.vault.reads)
	}
	w.vault.advance(usedGrain)
	if _, err := w.call(t, w.process(), CallActionInput{Action: "whoami"}); err != nil || w.vault.notes != 2 {
		t.Fatalf("%d notes a minute later (%v), want 2", w.vault.notes, err)
	}
}

func TestSecretOutputsAreKept(t *testing.T) {
	w := newWorld(t, "strict")
	result, err := w.call(t, w.process(), newKey)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(result.Data), "the-new-key") || result.Secrets["key"] == "" {
		t.Fatalf("data %s, secrets %v", result.Data, result.Secrets)
	}
	if kept := w.vault.kept["outputs/"+testID.String()]["key"]; kept.Reveal() != "the-new-key" {
		t.Error("the key is not in Vault")
	}
}

func TestA401WithAFreshCredential(t *testing.T) {
	key := connection.Document{Grant: "first", Generation: 1, Credential: connection.Credential{Method: "api-key",
		Fields: map[string]connection.Secret{"api_key": connection.NewSecret("good-key")}}}
	whoever := CallActionInput{Action: "create-contact", Arguments: json.RawMessage(`{"name":"Ada"}`)}
	tests := map[string]struct {
		key        bool // an API key, which nothing can renew
		probe      int
		want       string
		refreshes  int
		signals    int
		generation int
	}{
		"the probe confirms":           {false, 401, connection.ErrReconnectRequired, 1, 1, 2},
		"the probe passes":             {false, 0, connection.ErrRejectedInput, 1, 0, 2},
		"the app is in trouble":        {false, 503, connection.ErrProviderUnavailable, 1, 0, 2},
		"a key, the probe confirms":    {true, 401, connection.ErrReconnectRequired, 0, 1, 1},
		"a key, the probe passes":      {true, 0, connection.ErrRejectedInput, 0, 0, 1},
		"a key, the app is in trouble": {true, 503, connection.ErrProviderUnavailable, 0, 0, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			if test.key {
				key.Credential.Values = map[string]string{"base_url": w.provider.URL}
				w.put(key)
			}
			w.provider.api, w.provider.probe = http.StatusUnauthorized, test.probe
			_, err := w.call(t, w.process(), whoever)
			demand(t, err, test.want)
			now := w.vault.peek(w.ref)
			if len(w.provider.ledger()) != test.refreshes || len(w.told.signals()) != test.signals ||
				rejected(now) != (test.signals == 1) || now.Generation != test.generation {
				t.Errorf("%d refreshes, signals %q, rejected %v at generation %d",
					len(w.provider.ledger()), w.told.signals(), now.Rejected, now.Generation)
			}
		})
	}
}

// A stale token is renewed and the call goes through, unnoticed by whoever asked.
func TestA401IsRenewedUnnoticed(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.set(func() { clear(w.provider.access) })
	if _, err := w.call(t, w.process(), newKey); err != nil {
		t.Fatal(err)
	}
	if len(w.provider.ledger()) != 1 || len(w.provider.calls) != 2 {
		t.Errorf("%d refreshes, calls %q", len(w.provider.ledger()), w.provider.calls)
	}
}

func TestATokenAboutToExpireIsRenewedFirst(t *testing.T) {
	w := newWorld(t, "strict")
	w.vault.advance(time.Hour - lead/2)
	if _, err := w.call(t, w.process(), newKey); err != nil || len(w.provider.ledger()) != 1 || len(w.provider.calls) != 1 {
		t.Fatalf("%d refreshes, calls %q, %v", len(w.provider.ledger()), w.provider.calls, err)
	}
	t.Run("and sent as it is while the token endpoint is away", func(t *testing.T) {
		w := newWorld(t, "strict")
		w.provider.always = unavailable
		w.vault.advance(time.Hour - lead/2)
		if _, err := w.call(t, w.process(), newKey); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTheKeyOfACall(t *testing.T) {
	info := activity.Info{ActivityID: "5"}
	info.WorkflowExecution.ID, info.WorkflowExecution.RunID = "order-7", "run-1"
	other := info
	other.ActivityID = "6"
	alone := activity.Info{ActivityID: "mine"}
	again := info
	again.Attempt = 7
	if key(CallActionInput{}, info) != key(CallActionInput{}, again) || key(CallActionInput{}, info) == key(CallActionInput{}, other) {
		t.Error("a key is not an activity's own")
	}
	if key(CallActionInput{IdempotencyKey: "k"}, info) != "k" || key(CallActionInput{}, alone) != "mine" {
		t.Error("a key given is not taken")
	}
}

// A refresh under way would find no place for its answer, once the candidate is moved.
func TestAdoptionWaitsForARefresh(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	candidate := connection.CredentialRef{Connection: testID, Grant: "second", Generation: 1, Candidate: true}
	document := w.vault.peek(w.ref).Document
	document.Grant, document.Intent = "second", &connection.Intent{Attempt: "somebody", Budget: budget}
	if _, err := w.vault.compareAndSet(candidate, document, 0); err != nil {
		t.Fatal(err)
	}
	in := AdoptInput{Ref: candidate, Gate: connection.Gate{Status: connection.Active, Grant: "second"}}
	_, err := a.adopt(context.Background(), in)
	demand(t, err, connection.ErrLookAgain)
	w.vault.change(t, candidate, func(d *connection.Document) { d.Generation, d.Intent = 2, nil })
	for range 2 { // run again it finds its work done
		report, err := a.adopt(context.Background(), in)
		if err != nil || report.Ref.Grant != "second" || report.Ref.Generation != 2 {
			t.Fatalf("%+v, %v", report, err)
		}
	}
	if now := w.vault.peek(candidate); now.Version != 0 {
		t.Error("the candidate is still there")
	}
}
