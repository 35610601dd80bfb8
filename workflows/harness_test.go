package workflows

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// recorder stands in for the activities and writes down what was called, in order.
type recorder struct {
	mu    sync.Mutex
	calls []string

	plan    activities.ConnectPlan
	fail    map[string]error
	probe   func(n int) (*activities.ProbeReport, error)
	watch   func(n int, in activities.WatchInput) (*activities.Look, error)
	login   func(n int, in activities.AdvanceLoginInput) (*activities.AdvanceLoginReport, error)
	poll    func(n int, in activities.PollDeviceInput) (*activities.StoredReport, error)
	discard func(in activities.DiscardInput) *activities.DiscardReport
	begun   activities.BeginAuthorizationResult
	revoked []activities.RevokeInput
	watched []activities.WatchInput
	gates   []connection.Gate
	heard   []string // what alerts were told: "+kind", "~kind days" and "-kind: resolution"
	deaf    bool     // alerts end at once: the test environment waits for every child
	counts  map[string]int
	alerts  alertRecorder
}

func (r *recorder) called(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[string]int{}
	}
	r.calls = append(r.calls, name)
	r.counts[name]++
	return r.counts[name]
}

func (r *recorder) count(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[name]
}

// answer records a call, and fails it if the test says so.
func answer[In, Out any](r *recorder, name string, out func(In) Out) func(context.Context, In) (Out, error) {
	return func(_ context.Context, in In) (Out, error) {
		r.called(name)
		if err := r.fail[name]; err != nil {
			var none Out
			return none, connection.Boundary(name, err)
		}
		return out(in), nil
	}
}

// patient does not take a busy machine for a workflow that blocks, nor for one that hangs.
func patient(env *testsuite.TestWorkflowEnvironment) {
	env.SetTestTimeout(time.Minute)
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
}

func newEnvironment(t *testing.T, r *recorder) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	patient(env)
	Register(withoutConnection{env})
	env.RegisterWorkflowWithOptions(reservation, workflow.RegisterOptions{Name: TypeConnection})
	add := func(name string, f any) { env.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name}) }
	ref := func(grant string) connection.CredentialRef {
		return connection.CredentialRef{Connection: testID, Grant: grant, Generation: 1, Candidate: true}
	}
	add("ValidateConnect", answer(r, "ValidateConnect", func(in activities.ConnectRequest) *activities.ConnectPlan {
		plan := r.plan
		plan.Values = changed(in.Kept.Values, in.Values)
		return &plan
	}))
	add("BeginAuthorization", answer(r, "BeginAuthorization", func(activities.BeginAuthorizationInput) *activities.BeginAuthorizationResult {
		begun := r.begun
		return &begun
	}))
	add("ExchangeCode", answer(r, "ExchangeCode", func(in activities.ExchangeCodeInput) *activities.StoredReport {
		return &activities.StoredReport{Ref: ref(in.Attempt), Renewable: true}
	}))
	add("StoreCredential", answer(r, "StoreCredential", func(in activities.StoreCredentialInput) *activities.StoredReport {
		return &activities.StoredReport{Ref: ref(in.Grant), Unfinished: r.login != nil}
	}))
	add("AdvanceLogin", func(_ context.Context, in activities.AdvanceLoginInput) (*activities.AdvanceLoginReport, error) {
		report, err := r.login(r.called("AdvanceLogin"), in)
		if report != nil {
			report.Stored = &activities.StoredReport{Ref: ref(in.Grant)}
		}
		return report, connection.Boundary("AdvanceLogin", err)
	})
	add("BeginDevice", answer(r, "BeginDevice", func(activities.BeginDeviceInput) *activities.BeginDeviceReport {
		return &activities.BeginDeviceReport{UserCode: fmt.Sprintf("CODE-%d", r.count("BeginDevice")),
			VerificationURI: "https://app.example/device", Lifetime: codeLife}
	}))
	add("PollDevice", func(_ context.Context, in activities.PollDeviceInput) (*activities.StoredReport, error) {
		report, err := r.poll(r.called("PollDevice"), in)
		if err == nil && report == nil {
			report = &activities.StoredReport{Ref: ref(in.Attempt), Unfinished: r.login != nil}
		}
		return report, connection.Boundary("PollDevice", err)
	})
	add("ProbeConnection", func(_ context.Context, in activities.ProbeInput) (*activities.ProbeReport, error) {
		n := r.called("ProbeConnection")
		if r.probe != nil {
			report, err := r.probe(n)
			if report != nil {
				report.Ref = in.Ref
			}
			return report, connection.Boundary("ProbeConnection", err)
		}
		return &activities.ProbeReport{Tested: "everything", Identity: connection.Identity{Account: "ada"}, Ref: in.Ref}, nil
	})
	add("AdoptCandidate", answer(r, "AdoptCandidate", func(in activities.AdoptInput) *activities.AdoptReport {
		r.gates = append(r.gates, in.Gate)
		return &activities.AdoptReport{Ref: in.Ref}
	}))
	add("DiscardAttempts", answer(r, "DiscardAttempts", func(in activities.DiscardInput) *activities.DiscardReport {
		if r.discard != nil {
			return r.discard(in)
		}
		if in.Keep != "" || r.count("StoreCredential")+r.count("ExchangeCode") == 0 || r.count("AdoptCandidate") > 0 {
			return &activities.DiscardReport{}
		}
		return &activities.DiscardReport{Candidates: []connection.CredentialRef{ref("left")}}
	}))
	add("RevokeGrant", answer(r, "RevokeGrant", func(in activities.RevokeInput) *activities.RevokeReport {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.revoked = append(r.revoked, in)
		return &activities.RevokeReport{Outcome: activities.RevocationDone}
	}))
	add("RefreshCredential", answer(r, "RefreshCredential", func(in activities.RefreshInput) *activities.RefreshReport {
		in.Ref.Generation = 2
		return &activities.RefreshReport{Ref: in.Ref}
	}))
	add("WriteGate", func(_ context.Context, in activities.WriteGateInput) error {
		r.called("WriteGate")
		r.gates = append(r.gates, in.Gate)
		return nil
	})
	add("DestroyCredential", func(context.Context, activities.DestroyInput) error { r.called("DestroyCredential"); return nil })
	add("WatchConnectSession", func(context.Context, activities.WatchSessionInput) error {
		return connection.LookAgain("still under way", time.Minute).Temporal()
	})
	addAlerts(add, r)
	add("WatchConnection", func(_ context.Context, in activities.WatchInput) (*activities.Look, error) {
		n := r.called("WatchConnection")
		r.mu.Lock()
		r.watched = append(r.watched, in)
		r.mu.Unlock()
		if r.watch != nil {
			look, err := r.watch(n, in)
			return look, connection.Boundary("WatchConnection", err)
		}
		return nil, connection.LookAgain("healthy", time.Hour).Temporal()
	})
	return env
}

// withoutConnection registers everything but Connection, which the test environment
// would wait for for ever, since a connection has no end.
type withoutConnection struct{ Registry }

func (r withoutConnection) RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions) {
	if options.Name != TypeConnection {
		r.Registry.RegisterWorkflowWithOptions(w, options)
	}
}

// reservation is what ConnectApp sees of a Connection: it adopts and answers, or is released.
func reservation(ctx workflow.Context, in State) error {
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(workflow.GetSignalChannel(ctx, signalRelease), func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	selector.AddReceive(workflow.GetSignalChannel(ctx, signalActivate), func(c workflow.ReceiveChannel, _ bool) {
		var message activate
		c.Receive(ctx, &message)
		e := &entity{state: &in, activate: &message, mutex: workflow.NewMutex(ctx)}
		e.adopt(ctx)
	})
	selector.Select(ctx)
	return nil
}

// alert stands in for Alert, and records what it is told.
func (r *recorder) alert(ctx workflow.Context, in AlertInput) error {
	say := func(what string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heard = append(r.heard, what)
	}
	say("+" + string(in.Kind))
	for over := r.deaf; !over; {
		selector := workflow.NewSelector(ctx)
		selector.AddReceive(workflow.GetSignalChannel(ctx, signalAlertNews), func(c workflow.ReceiveChannel, _ bool) {
			var news AlertNews
			c.Receive(ctx, &news)
			say(fmt.Sprintf("~%s %d", news.Kind, news.Days))
		})
		selector.AddReceive(workflow.GetSignalChannel(ctx, signalAlertResolved), func(c workflow.ReceiveChannel, _ bool) {
			var resolved AlertResolved
			c.Receive(ctx, &resolved)
			say("-" + string(in.Kind) + ": " + resolved.Resolution)
			over = true
		})
		selector.Select(ctx)
	}
	return nil
}

// codeLife is how long a device code lives.
const codeLife = 10 * time.Minute

const testID connection.ID = "development/sandbox/test"
