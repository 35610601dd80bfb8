package workflows

import (
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
)

// visit is a session, with the real ConnectApp as its child and a person who plays.
type visit struct {
	*testsuite.TestWorkflowEnvironment
	t  *testing.T
	r  *recorder
	in ConnectSessionInput
	n  int
}

var (
	tokenHash   = strings.Repeat("a1", 32)
	browserHash = strings.Repeat("b2", 32)
	otherHash   = strings.Repeat("c3", 32)
)

func newVisit(t *testing.T, r *recorder) *visit {
	t.Helper()
	v := &visit{TestWorkflowEnvironment: newEnvironment(t, r), t: t, r: r}
	v.in = ConnectSessionInput{Environment: "development", Session: "s1", App: "sandbox",
		ConnectRequest: activities.ConnectRequest{Connection: testID, Values: map[string]string{"host": "https://app.example"}},
		DisplayName:    "Address book", Owner: "team-7", RequestedBy: "Acme", ReturnTo: "https://platform.example/done", TokenSHA256: tokenHash}
	v.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: ConnectSessionWorkflowID("development", "s1"), TaskQueue: Queue})
	return v
}

// send sends an update to the session.
func (v *visit) send(after time.Duration, name string, message any) *reply {
	answer := &reply{}
	v.n++
	id := strings.Repeat("i", v.n)
	v.RegisterDelayedCallback(func() { v.UpdateWorkflow(name, id, answer, message) }, after)
	return answer
}

func (v *visit) claim(after time.Duration) *reply {
	return v.send(after, UpdateClaim, ClaimSession{TokenSHA256: tokenHash, BrowserSHA256: browserHash})
}

// start chooses what the session leaves open, in the claiming browser.
func (v *visit) start(after time.Duration) *reply {
	return v.send(after, UpdateStart, StartSession{BrowserSHA256: browserHash, Method: "api-key"})
}

// toConnect sends an update to the connect that is open.
func (v *visit) toConnect(after time.Duration, name string, message func() any) *reply {
	answer := &reply{}
	v.n++
	id := strings.Repeat("i", v.n)
	v.RegisterDelayedCallback(func() {
		if err := v.UpdateWorkflowByID(ConnectWorkflowID(testID), name, id, answer, message()); err != nil {
			answer.err = err
		}
	}, after)
	return answer
}

// provide hands a secret over to the connect that the reply began.
func (v *visit) provide(after time.Duration, begun *reply) *reply {
	return v.toConnect(after, UpdateProvideCredential, func() any {
		b, ok := begun.result.(Reconnecting)
		if !ok {
			v.t.Errorf("no connect was begun: %+v", begun)
		}
		return ProvideCredential{Inbox: "entry", Fingerprint: b.Connect.Fingerprint}
	})
}

// give ends the connect that is open, by its own update.
func (v *visit) giveUp(after time.Duration) *reply {
	return v.toConnect(after, UpdateCancel, func() any { return Reason{Reason: "not today"} })
}

func (v *visit) look(after time.Duration) *ConnectSessionState {
	var found ConnectSessionState
	v.RegisterDelayedCallback(func() { found = described[ConnectSessionState](v.t, v.TestWorkflowEnvironment) }, after)
	return &found
}

// play runs the session to its end, and answers its result and how long it took.
func (v *visit) play() (ConnectSessionState, time.Duration) {
	v.t.Helper()
	began := v.Now()
	v.ExecuteWorkflow(TypeConnectSession, v.in)
	took := v.Now().Sub(began)
	var result ConnectSessionState
	if err := v.GetWorkflowResult(&result); err != nil {
		v.t.Fatal(err)
	}
	if now := described[ConnectSessionState](v.t, v.TestWorkflowEnvironment); now.State != result.State {
		v.t.Errorf("described as %s, ended as %s", now.State, result.State)
	}
	return result, took
}

// refused fails the test unless the update was answered with that type. early says
// that it must have been before it left anything in the history.
func (v *visit) refused(answer *reply, kind string, early bool) {
	v.t.Helper()
	if connection.TypeOf(answer.err) != kind || answer.accepted == early {
		v.t.Errorf("accepted: %t, %v, want %s", answer.accepted, answer.err, kind)
	}
}
