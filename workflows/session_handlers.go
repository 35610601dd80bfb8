package workflows

import (
	"connectedapps/activities"

	"go.temporal.io/sdk/workflow"
)

// maxStarts bounds how many starts one session takes, whatever becomes of them; far more
// than a person needs, and far less than the 2,000 updates that Temporal lets a run have.
const maxStarts = 100

// listen registers every handler. Who may not claim or start, or comes too late to cancel,
// is refused before the update is accepted, and so leaves nothing in the history: a link
// can be guessed at, and a button pressed, for as long as it lives without filling it.
func (s *connectSession) listen(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryDescribe, func() (ConnectSessionState, error) { return s.state, nil }); err != nil {
		return err
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateClaim, s.claim, workflow.UpdateHandlerOptions{
		Validator: func(ctx workflow.Context, in ClaimSession) error { return final(s.refusal(in, workflow.Now(ctx))) }})
	if err != nil {
		return err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, UpdateStart, s.start, workflow.UpdateHandlerOptions{
		Validator: func(ctx workflow.Context, in StartSession) error {
			return final(s.notYours(in.BrowserSHA256, workflow.Now(ctx)))
		}})
	if err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateCancel, s.cancelNow, workflow.UpdateHandlerOptions{
		Validator: func(workflow.Context, Reason) error { return final(s.tooLate()) }})
}

// claim uses the link up. It does not block, so nothing has changed since it was validated.
func (s *connectSession) claim(ctx workflow.Context, in ClaimSession) (ConnectSessionState, error) {
	if s.state.BrowserSHA256 == "" {
		s.state.BrowserSHA256, s.state.State, s.state.Claimed = in.BrowserSHA256, SessionClaimed, workflow.Now(ctx)
		s.show(ctx)
	}
	return s.state, nil
}

// start begins the connect that the person chose, or joins it if it is open.
func (s *connectSession) start(ctx workflow.Context, in StartSession) (Reconnecting, error) {
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	s.starts++
	connect, err := s.state.connect(in)
	if err != nil {
		return Reconnecting{}, final(why(err))
	}
	if s.child != nil && !s.child.IsReady() {
		return s.join(connect)
	}
	plan, err := s.plan(quiet, connect.ConnectRequest)
	if err != nil {
		return Reconnecting{}, err
	}
	if err := s.mutex.Lock(quiet); err != nil {
		return Reconnecting{}, err
	}
	defer s.mutex.Unlock()
	if s.concluded() {
		s.conclude(quiet)
	}
	if problem := s.ended(workflow.Now(ctx)); problem != nil {
		return Reconnecting{}, final(problem)
	}
	if s.child != nil {
		return s.join(connect)
	}
	return s.begin(quiet, Reconnecting{Connect: connect, Plan: plan})
}

// join answers the connect that is open, to whoever means the same one.
func (s *connectSession) join(connect ConnectInput) (Reconnecting, error) {
	if s.begun.Connect.Fingerprint != connect.Fingerprint {
		return Reconnecting{}, final(anotherConnect(s.state.Connection))
	}
	return s.begun, nil
}

// plan checks the choice. Vault being away is waited for, as long as the session lasts.
func (s *connectSession) plan(quiet workflow.Context, request activities.ConnectRequest) (*activities.ConnectPlan, error) {
	checking, stop := workflow.WithCancel(quiet)
	defer stop()
	answer := validateConnect.start(checking, vaultWork, "check what the person chose", request)
	if err := workflow.Await(quiet, func() bool { return answer.IsReady() || s.state.State.Over() }); err != nil {
		return nil, err
	}
	if !answer.IsReady() {
		return nil, final(s.state.closed())
	}
	var plan *activities.ConnectPlan
	if err := answer.Get(quiet, &plan); err != nil {
		return nil, final(why(err))
	}
	return plan, nil
}

// cancelNow ends the session. An open connect is undone first; what takes long of that,
// such as a revocation at an app that is away, goes on after the answer, whose state is
// connecting still. Too late is an error that says so.
func (s *connectSession) cancelNow(ctx workflow.Context, in Reason) (ConnectSessionState, error) {
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	s.stop(quiet, in)
	if !s.state.State.Over() {
		if _, err := workflow.AwaitWithTimeout(quiet, disconnectAnswer, func() bool { return s.state.State.Over() }); err != nil {
			return ConnectSessionState{}, err
		}
	}
	if s.state.State.Over() && s.state.State != SessionCancelled {
		return ConnectSessionState{}, final(s.tooLate())
	}
	return s.state, nil
}
