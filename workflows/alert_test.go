package workflows

import (
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
)

const testAlertID = "alert/development/sandbox/test/expired-1"

func alertInput() AlertInput {
	return AlertInput{AlertSubject: AlertSubject{Environment: "development", App: "sandbox", Connection: testID, Name: "Address book", Owner: "team-7"},
		AlertNews: AlertNews{Kind: connection.AlertExpired, Reason: "revoked", Remedy: "reconnect it", Verdict: connection.Revoked}}
}

func alertEnvironment(t *testing.T, r *recorder) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	env := newEnvironment(t, r)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: testAlertID})
	return env
}

func resolvedAfter(env *testsuite.TestWorkflowEnvironment, after time.Duration) {
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(signalAlertResolved, AlertResolved{Resolution: "it has recovered"})
	}, after)
}

func alertState(t *testing.T, env *testsuite.TestWorkflowEnvironment) AlertState {
	t.Helper()
	return described[AlertState](t, env)
}

func done(t *testing.T, env *testsuite.TestWorkflowEnvironment) {
	t.Helper()
	if !env.IsWorkflowCompleted() || env.GetWorkflowError() != nil {
		t.Fatalf("completed: %v, %v", env.IsWorkflowCompleted(), env.GetWorkflowError())
	}
}

func sinks(names ...string) func(int) []string { return func(int) []string { return names } }

// Every sink hears of the opening before the end, also one that is slow, and the
// slow one holds nobody up.
func TestEachSinkHearsInOrder(t *testing.T) {
	r := &recorder{}
	r.alerts.sinks = sinks("fast", "slow")
	env := alertEnvironment(t, r)
	began := env.Now()
	r.alerts.deliver = func(_ int, in activities.DeliverAlertInput) (*activities.DeliverAlertReport, error) {
		if in.Sink == "slow" && in.Message.Type == activities.MessageOpened && env.Now().Sub(began) < 3*time.Hour {
			return nil, connection.RateLimited("the sink slow answered 503 and asks to wait", time.Hour)
		}
		return &activities.DeliverAlertReport{Delivered: true}, nil
	}
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(signalAlertNews, AlertNews{Kind: connection.AlertExpired, Days: 1}) }, time.Hour)
	resolvedAfter(env, 2*time.Hour)
	env.RegisterDelayedCallback(func() {
		if got := r.alerts.told("fast"); len(got) != 3 {
			t.Errorf("the fast one waits for the slow one: %v", got)
		}
		if got := r.alerts.told("slow"); len(got) != 0 {
			t.Errorf("%v", got)
		}
	}, 2*time.Hour+time.Minute)
	env.ExecuteWorkflow(TypeAlert, alertInput())
	done(t, env)
	want := []string{activities.MessageOpened, activities.MessageUpdated, activities.MessageResolved}
	for _, sink := range []string{"fast", "slow"} {
		if got := r.alerts.told(sink); !slices.Equal(got, want) {
			t.Errorf("%s was told %v", sink, got)
		}
	}
	if len(r.alerts.announced) != 3 {
		t.Errorf("%d messages for three transitions", len(r.alerts.announced))
	}
	ids := map[string]string{}
	for _, in := range r.alerts.delivered {
		if other, ok := ids[in.Message.Type]; ok && other != in.ID || !strings.HasPrefix(in.ID, "msg_") {
			t.Errorf("%s has the IDs %s and %s", in.Message.Type, other, in.ID)
		}
		ids[in.Message.Type] = in.ID
	}
	if ids[want[0]] == ids[want[1]] || ids[want[1]] == ids[want[2]] {
		t.Errorf("%v", ids)
	}
	s := alertState(t, env)
	for _, d := range s.Deliveries {
		if d.State != DeliveryDelivered || d.At.IsZero() {
			t.Errorf("%+v", d)
		}
	}
	if len(s.Deliveries) != 6 || s.Resolution != "it has recovered" || s.Days != 1 {
		t.Errorf("%+v", s)
	}
}

func TestASinkThatIsMadeLaterHearsTheRest(t *testing.T) {
	r := &recorder{}
	r.alerts.sinks = func(n int) []string {
		if n == 1 {
			return []string{"first"}
		}
		return []string{"first", "second"}
	}
	env := alertEnvironment(t, r)
	resolvedAfter(env, time.Hour)
	env.ExecuteWorkflow(TypeAlert, alertInput())
	done(t, env)
	if got := r.alerts.told("second"); !slices.Equal(got, []string{activities.MessageResolved}) {
		t.Errorf("%v", got)
	}
	if got := r.alerts.told("first"); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

// A sink that stays away is given up after three days for each message, visibly. The
// test environment ends any activity after ten attempts, so these are far apart.
func TestASinkThatStaysAwayIsGivenUp(t *testing.T) {
	r := &recorder{}
	r.alerts.sinks = sinks("away")
	r.alerts.deliver = func(int, activities.DeliverAlertInput) (*activities.DeliverAlertReport, error) {
		return nil, connection.RateLimited("the sink away answered 503", 10*time.Hour)
	}
	env := alertEnvironment(t, r)
	began := env.Now()
	resolvedAfter(env, time.Hour)
	env.RegisterDelayedCallback(func() {
		s := alertState(t, env)
		if s.Deliveries[0].State != DeliveryPending || s.Resolved.IsZero() {
			t.Errorf("after 70 hours: %+v", s)
		}
	}, 69*time.Hour)
	env.ExecuteWorkflow(TypeAlert, alertInput())
	done(t, env)
	s := alertState(t, env)
	for _, d := range s.Deliveries {
		if d.State != DeliveryGivenUp || d.Reason != "the sink away answered 503" {
			t.Errorf("%+v", d)
		}
	}
	if took := env.Now().Sub(began); len(s.Deliveries) != 2 || took < 2*70*time.Hour || took > 2*deliverFor {
		t.Errorf("%d deliveries in %s", len(s.Deliveries), took)
	}
	if !strings.Contains(s.details(), "given-up") || r.alerts.attempts != 2*8 {
		t.Errorf("%d attempts\n%s", r.alerts.attempts, s.details())
	}
}

// A sink that is gone for good is not asked again.
func TestASinkThatIsGoneIsGivenUpAtOnce(t *testing.T) {
	r := &recorder{}
	r.alerts.sinks = sinks("gone")
	r.alerts.deliver = func(int, activities.DeliverAlertInput) (*activities.DeliverAlertReport, error) {
		return &activities.DeliverAlertReport{Status: 410, Reason: "the sink is disabled"}, nil
	}
	env := alertEnvironment(t, r)
	resolvedAfter(env, time.Hour)
	env.ExecuteWorkflow(TypeAlert, alertInput())
	done(t, env)
	if s := alertState(t, env); r.alerts.attempts != 2 || s.Deliveries[0].State != DeliveryGivenUp || s.Deliveries[0].Reason != "the sink is disabled" {
		t.Errorf("%d attempts, %+v", r.alerts.attempts, s)
	}
}

func TestAPersonResolves(t *testing.T) {
	r := &recorder{}
	r.alerts.sinks = sinks("ops")
	env := alertEnvironment(t, r)
	hold := true
	r.alerts.deliver = func(int, activities.DeliverAlertInput) (*activities.DeliverAlertReport, error) {
		if hold {
			return nil, connection.RateLimited("busy", time.Hour)
		}
		return &activities.DeliverAlertReport{Delivered: true}, nil
	}
	first, second := &reply{}, &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateResolve, "1", first, Reason{Reason: "called them"}) }, time.Hour)
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateResolve, "2", second, Reason{Reason: "again"})
		env.SignalWorkflow(signalAlertNews, AlertNews{Kind: connection.AlertExpired, Days: 3})
		env.SignalWorkflow(signalAlertResolved, AlertResolved{Resolution: "it has recovered"})
	}, 2*time.Hour)
	env.RegisterDelayedCallback(func() { hold = false }, 3*time.Hour)
	env.ExecuteWorkflow(TypeAlert, alertInput())
	done(t, env)
	answered, _ := first.result.(AlertState)
	if first.err != nil || second.err != nil || answered.Resolution != "a person has resolved it: called them" || answered.Resolved.IsZero() {
		t.Errorf("%+v %+v", first, second)
	}
	if got := r.alerts.told("ops"); len(r.alerts.announced) != 2 || !slices.Equal(got, []string{activities.MessageOpened, activities.MessageResolved}) {
		t.Errorf("%d messages, %v", len(r.alerts.announced), got)
	}
}

// The message says all that a receiver needs, in words and in fields.
func TestWhatAMessageSays(t *testing.T) {
	s := AlertState{ID: testAlertID, AlertInput: alertInput()}
	message := s.message(activities.MessageOpened, time.Unix(1, 0))
	data := message.Data
	if data.Alert != testAlertID || data.Connection != testID || data.Owner != "team-7" || data.Verdict != connection.Revoked ||
		data.Title != "Address book (development/sandbox/test) has expired: a person must reconnect it" {
		t.Errorf("%+v", data)
	}
	for _, kind := range connection.AlertKinds() {
		s.Kind, s.Days, s.Connection, s.AuthConfig = kind, 1, "", "demo"
		if title := s.title(activities.MessageOpened); !strings.Contains(title, "Address book (auth config development/sandbox/demo)") ||
			strings.Contains(title, "needs attention") {
			t.Errorf("%s: %s", kind, title)
		}
	}
}

func TestAlertIDs(t *testing.T) {
	for id, want := range map[string]string{
		testAlertID: "development", "alert/auth-config/staging/gitea/acme/client-refused-12": "staging",
		"alert/development/sandbox/test": "", "connection/a/b/c/d": "", "alert/a/b/c d/e": "", "": "",
	} {
		if got, _ := AlertEnvironment(id); got != want {
			t.Errorf("%s is of %q", id, got)
		}
	}
	about := AlertSubject{Environment: "staging", App: "gitea", AuthConfig: "acme"}
	if got, ok := parseAlertID(alertWorkflowID(about, connection.AlertExpiring, 3)); !ok || got != about {
		t.Errorf("%+v", got)
	}
	query := AlertFilter{App: "sandbox", Owner: "o'hara", Kind: connection.AlertFailing, Connection: testID}.query("development").String()
	for _, part := range []string{"WorkflowType = 'Alert'", "ExecutionStatus = 'Running'", "AlertKind IS NOT NULL", "AlertKind = 'failing'",
		"ConnectionOwner = 'o''hara'", "WorkflowId STARTS_WITH 'alert/development/sandbox/test/'"} {
		if !slices.Contains(strings.Split(query, " AND "), part) {
			t.Errorf("%s is not in %s", part, query)
		}
	}
}

// What is resolved is not listed any more, however long it is still delivered.
func TestAResolvedAlertHasNoKindInTheList(t *testing.T) {
	s := AlertState{ID: testAlertID, AlertInput: alertInput()}
	kind, ok := temporal.NewSearchAttributes(s.attributes()...).GetKeyword(AttributeAlertKind)
	if !ok || kind != string(connection.AlertExpired) {
		t.Errorf("%q %v", kind, ok)
	}
	s.Resolved = time.Unix(1, 0)
	if kind, ok := temporal.NewSearchAttributes(s.attributes()...).GetKeyword(AttributeAlertKind); ok {
		t.Errorf("%q", kind)
	}
}
