package workflows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// world is what the steps of a connect do to Vault, the app and Temporal: what a
// saga must leave as it was.
type world struct {
	t          *testing.T
	env        *testsuite.TestWorkflowEnvironment
	stored     []string // candidates in Vault
	revoked    []string // grants that were ended at the app
	made       []string // grants that there ever were
	adopted    string
	reserved   bool
	log        []string       // the compensations, in order
	running    map[string]int // activities under way
	overlapped string         // what was still running when the undoing began
}

// storing are the steps that may leave a candidate, whether they answer or not.
var storing = []string{"ExchangeCode", "StoreCredential"}

func newWorld(t *testing.T, r *recorder, trouble func(w *world, step string)) *world {
	w := &world{t: t, running: map[string]int{}}
	r.discard = func(in activities.DiscardInput) *activities.DiscardReport {
		report := &activities.DiscardReport{}
		for _, grant := range w.stored {
			if grant != in.Keep && grant != w.adopted {
				report.Candidates = append(report.Candidates, connection.CredentialRef{Connection: testID, Grant: grant, Candidate: true})
			}
		}
		return report
	}
	w.env = newEnvironment(t, r)
	heard(w.env)
	w.env.RegisterWorkflowWithOptions(w.connection, workflow.RegisterOptions{Name: TypeConnection, DisableAlreadyRegisteredCheck: true})
	w.env.RegisterActivityWithOptions(func(context.Context, activities.BeginAuthorizationInput) (*activities.BeginAuthorizationResult, error) {
		r.called("BeginAuthorization")
		time.Sleep(20 * time.Millisecond) // in earnest: what is scheduled beside it would begin meanwhile
		return &r.begun, connection.Boundary("BeginAuthorization", r.fail["BeginAuthorization"])
	}, activity.RegisterOptions{Name: "BeginAuthorization", DisableAlreadyRegisteredCheck: true})
	w.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
		w.begins(info.ActivityType.Name, args)
		if trouble != nil {
			trouble(w, info.ActivityType.Name)
		}
	})
	w.env.SetOnActivityCompletedListener(func(info *activity.Info, _ converter.EncodedValue, _ error) { w.running[info.ActivityType.Name]-- })
	return w
}

// begins writes down what a step does, before it is known whether its answer will arrive.
func (w *world) begins(step string, args converter.EncodedValues) {
	var in struct {
		Attempt string                   `json:"attempt"`
		Grant   string                   `json:"grant"`
		Keep    string                   `json:"keep"`
		Ref     connection.CredentialRef `json:"ref"`
	}
	if err := args.Get(&in); err != nil {
		w.t.Fatal(step, err)
	}
	if step == "DiscardAttempts" && in.Keep == "" {
		for _, name := range slices.Sorted(func(yield func(string) bool) {
			for name, n := range w.running {
				if n > 0 && !yield(name) {
					return
				}
			}
		}) {
			w.overlapped += " " + name
		}
		w.log = append(w.log, "attempts removed")
	}
	w.running[step]++
	grant := in.Grant + in.Attempt
	switch {
	case slices.Contains(storing, step) && !slices.Contains(w.stored, grant):
		w.stored, w.made = append(w.stored, grant), append(w.made, grant)
	case step == "RevokeGrant":
		w.revoked, w.log = append(w.revoked, in.Ref.Grant), append(w.log, "revoked")
	case step == "DestroyCredential":
		w.stored = slices.DeleteFunc(w.stored, func(g string) bool { return g == in.Ref.Grant })
		w.log = append(w.log, "destroyed")
	}
}

// connection stands in for Connection: it is reserved until it adopts, or is released.
func (w *world) connection(ctx workflow.Context, in State) error {
	w.reserved = true
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(workflow.GetSignalChannel(ctx, signalRelease), func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, nil)
		w.reserved, w.log = false, append(w.log, "released")
	})
	selector.AddReceive(workflow.GetSignalChannel(ctx, signalActivate), func(c workflow.ReceiveChannel, _ bool) {
		var message activate
		c.Receive(ctx, &message)
		e := &entity{state: &in, activate: &message, mutex: workflow.NewMutex(ctx)}
		if e.adopt(ctx); e.state.Look.Status == connection.Active {
			w.adopted = message.Ref.Grant
		}
	})
	for w.reserved && w.adopted == "" {
		selector.Select(ctx)
	}
	return nil
}

// play is a person who does all that is asked for, by a link or by typing in.
func (w *world) play(oauth bool, in ConnectInput) error {
	send := func(after time.Duration, id, name string, message func() any) *reply {
		answer := &reply{}
		w.env.RegisterDelayedCallback(func() { w.env.UpdateWorkflow(name, id, answer, message()) }, after)
		return answer
	}
	if oauth {
		link := send(0, "1", UpdateRequestLink, func() any { return RequestLink{Fingerprint: "f"} })
		attempt := func() string { found, _ := link.result.(Link); return found.Attempt }
		send(time.Second, "2", UpdateBeginAuthorization, func() any { return BeginAuthorization{Attempt: attempt(), StateSHA256: stateHash} })
		w.env.RegisterDelayedCallback(func() {
			w.env.SignalWorkflow(SignalAuthorization, AuthorizationReceived{Attempt: attempt(), StateSHA256: stateHash, Inbox: "code"})
		}, 2*time.Second)
	} else {
		send(0, "1", UpdateProvideCredential, func() any { return ProvideCredential{Inbox: "entry", Fingerprint: "f"} })
	}
	send(time.Minute, "9", UpdateApprove, func() any { return Approve{} })
	w.env.ExecuteWorkflow(TypeConnectApp, in)
	return w.env.GetWorkflowError()
}

// clean fails the test unless everything is as if the connect had never been.
func (w *world) clean() {
	w.t.Helper()
	if len(w.stored) > 0 || w.reserved {
		w.t.Errorf("left: candidates %v, reserved %t", w.stored, w.reserved)
	}
	for _, grant := range w.made {
		if !slices.Contains(w.revoked, grant) {
			w.t.Errorf("the grant %s lives on at the app", grant)
		}
	}
	if w.overlapped != "" {
		w.t.Errorf("the undoing began beside%s", w.overlapped)
	}
	said := strings.Join(w.log, ", ")
	want := ""
	switch {
	case len(w.made) > 0:
		want = "attempts removed, revoked, destroyed, released"
	case slices.Contains(w.log, "attempts removed"):
		want = "attempts removed, released"
	case w.log != nil:
		want = "released"
	}
	if said != want {
		w.t.Errorf("undone in another order than the reverse: %s", said)
	}
}
