package workflows

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// maxAttempts bounds how many links one connect hands out; far more than a person needs.
const maxAttempts = 100

// listen registers every handler before anything blocks: an update that came
// with the start is delivered in the first task.
func (c *connect) listen(ctx workflow.Context) error {
	workflow.Go(ctx, c.receiveAuthorizations)
	workflow.Go(ctx, func(ctx workflow.Context) {
		channel := workflow.GetSignalChannel(ctx, signalActivated)
		for {
			var reply activated
			if !channel.Receive(ctx, &reply) {
				return
			}
			c.reply = &reply
		}
	})
	if err := workflow.SetQueryHandler(ctx, QueryProgress, func() (Progress, error) { return c.progress, nil }); err != nil {
		return err
	}
	if err := workflow.SetQueryHandler(ctx, QueryRequest, func() (ConnectInput, error) { return c.in, nil }); err != nil {
		return err
	}
	handlers := map[string]any{
		UpdateRequestLink:        c.requestLink,
		UpdateBeginAuthorization: c.beginAuthorization,
		UpdateProvideCredential:  c.provideCredential,
		UpdateTest:               c.testAgain,
		UpdateApprove:            c.approveNow,
		UpdateCancel:             c.cancelNow,
	}
	for _, name := range workflow.DeterministicKeys(handlers) {
		if err := workflow.SetUpdateHandler(ctx, name, handlers[name]); err != nil {
			return err
		}
	}
	return nil
}

// planned waits until the request has been checked; a refused one is told to
// whoever asked, in the same words that end the workflow.
func (c *connect) planned(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return c.plan != nil && c.progress.Phase != PhaseReserving || c.progress.Phase.Over() }); err != nil {
		return err
	}
	return c.open()
}

// open reports, as an error for whoever asks, that the connect is over.
func (c *connect) open() error {
	switch {
	case c.progress.Phase == PhaseActive:
		return final(connection.Refused(connection.ErrSessionClosed, "the connect is finished", "use the connection"))
	case c.progress.Phase.Over() && c.progress.Problem != nil:
		return final(c.progress.Problem)
	case c.cancel != nil:
		return final(connection.Refused(connection.ErrSessionClosed, "the connect was cancelled", "start a new one"))
	}
	return nil
}

// wanting refuses a further credential once one has passed its test.
func (c *connect) wanting() error {
	if !c.tested {
		return nil
	}
	return final(connection.Refused(connection.ErrSessionClosed, "a credential has been tested already", "approve the connect, or cancel it"))
}

// same refuses a request that means another connect than this one.
func (c *connect) same(fingerprint string) error {
	if fingerprint == c.in.Fingerprint {
		return nil
	}
	return final(connection.Refused(connection.ErrConnectionIDTaken,
		fmt.Sprintf("another connect of %s is under way", c.in.Connection), "choose another name, or cancel that connect first"))
}

func (c *connect) requestLink(ctx workflow.Context, in RequestLink) (Link, error) {
	if err := c.same(in.Fingerprint); err != nil {
		return Link{}, err
	}
	if err := c.planned(ctx); err != nil {
		return Link{}, err
	}
	if !c.plan.Kind.NeedsPerson() {
		return Link{}, final(connection.InvalidInput("method", c.plan.MethodTitle+" is not authorized in a browser", "provide the credential instead"))
	}
	if err := c.wanting(); err != nil {
		return Link{}, err
	}
	if len(c.progress.Attempts) >= maxAttempts {
		return Link{}, final(connection.Refused(connection.ErrLinkInvalid, "this connect has handed out too many links", "cancel it and start a new one"))
	}
	attempt := AttemptState{ID: fresh(ctx), State: AttemptOpen, Expires: workflow.Now(ctx).Add(linkLife)}
	c.progress.Attempts = append(c.progress.Attempts, attempt)
	link := Link{Attempt: attempt.ID, Expires: attempt.Expires}
	if c.plan.GatewayURL != "" {
		link.URL = fmt.Sprintf("%s/connect/%s/%s", c.plan.GatewayURL, c.in.Connection, attempt.ID)
	}
	return link, nil
}

func (c *connect) beginAuthorization(ctx workflow.Context, in BeginAuthorization) (*activities.BeginAuthorizationResult, error) {
	if err := c.planned(ctx); err != nil {
		return nil, err
	}
	attempt := c.find(in.Attempt)
	switch {
	case attempt == nil || len(in.StateSHA256) != 64:
		return nil, final(linkInvalid("this link is not known here"))
	case attempt.State != AttemptOpen || c.tested:
		return nil, final(linkInvalid("this link has been used"))
	case !workflow.Now(ctx).Before(attempt.Expires):
		attempt.State = AttemptExpired
		return nil, final(linkInvalid("this link is too old"))
	}
	// Single use from here on, whoever else presses the button while Vault is asked.
	attempt.State, attempt.StateSHA256 = AttemptBegun, in.StateSHA256
	result, err := beginAuthorize.do(ctx, asked, "prepare the authorization", activities.BeginAuthorizationInput{
		Connection: c.in.Connection, Attempt: in.Attempt, Method: c.plan.Method, AuthConfig: c.in.AuthConfig,
		Scopes: c.plan.Scopes, Values: c.plan.Values})
	if err != nil {
		attempt = c.find(in.Attempt)
		attempt.State, attempt.StateSHA256 = AttemptOpen, ""
		return nil, final(why(err))
	}
	return result, nil
}

// receiveAuthorizations takes callbacks. One that does not fit an attempt that has
// begun (another state, a second time, too late) changes nothing.
func (c *connect) receiveAuthorizations(ctx workflow.Context) {
	channel := workflow.GetSignalChannel(ctx, SignalAuthorization)
	for {
		var in AuthorizationReceived
		if !channel.Receive(ctx, &in) {
			return
		}
		attempt := c.find(in.Attempt)
		if attempt == nil || attempt.State != AttemptBegun || attempt.StateSHA256 != in.StateSHA256 || c.tested {
			workflow.GetLogger(ctx).Warn("a callback fits no attempt that has begun", "attempt", connection.Bound(in.Attempt, 64))
			continue
		}
		if !workflow.Now(ctx).Before(attempt.Expires) {
			attempt.State = AttemptExpired
			attempt.Problem = linkInvalid("the authorization took more than ten minutes")
			continue
		}
		attempt.State = AttemptExchanging
		c.pending = append(c.pending, &event{authorization: &in})
	}
}

func (c *connect) provideCredential(ctx workflow.Context, in ProvideCredential) (Progress, error) {
	if in.Fingerprint != "" {
		if err := c.same(in.Fingerprint); err != nil {
			return Progress{}, err
		}
	}
	if err := c.planned(ctx); err != nil {
		return Progress{}, err
	}
	if c.plan.Kind.NeedsPerson() {
		return Progress{}, final(connection.InvalidInput("method", c.plan.MethodTitle+" is authorized in a browser", "ask for a link instead"))
	}
	next := c.auto
	if next == nil || next.done {
		if err := c.wanting(); err != nil {
			return Progress{}, err
		}
		next = &event{credential: &in}
		c.pending = append(c.pending, next)
	}
	return c.outcome(ctx, next)
}

func (c *connect) testAgain(ctx workflow.Context, _ struct{}) (Progress, error) {
	if err := c.planned(ctx); err != nil {
		return Progress{}, err
	}
	if c.progress.Stored == nil {
		return Progress{}, final(connection.Refused(connection.ErrTestFailed, "there is no credential to test yet", "provide one first"))
	}
	if c.progress.Phase != PhaseTestFailed {
		return c.progress, nil
	}
	next := &event{}
	c.pending = append(c.pending, next)
	return c.outcome(ctx, next)
}

// outcome answers when the event has been tried, or the connect is over without it.
func (c *connect) outcome(ctx workflow.Context, next *event) (Progress, error) {
	if err := workflow.Await(ctx, func() bool { return next.done || c.progress.Phase.Over() || c.tested }); err != nil {
		return Progress{}, err
	}
	if !next.done {
		return c.progress, c.open()
	}
	return c.progress, nil
}

func (c *connect) approveNow(ctx workflow.Context, in Approve) (Progress, error) {
	if err := c.open(); err != nil {
		return Progress{}, err
	}
	if c.progress.Phase != PhaseReview {
		return Progress{}, final(connection.Refused(connection.ErrInvalidInput, "there is nothing to review yet", "wait until the test has passed"))
	}
	for _, action := range in.Actions {
		if !slices.Contains(c.plan.Actions, action) {
			return Progress{}, final(connection.Refused(connection.ErrActionNotInToolkit,
				fmt.Sprintf("%q was not asked for", connection.Bound(action, 63)), "choose from: "+strings.Join(c.plan.Actions, ", ")))
		}
	}
	c.approve = &in
	if err := workflow.Await(ctx, func() bool { return c.progress.Phase.Over() }); err != nil {
		return Progress{}, err
	}
	if c.progress.Phase != PhaseActive {
		return c.progress, c.open()
	}
	return c.progress, nil
}

func (c *connect) cancelNow(_ workflow.Context, in Reason) error {
	if c.progress.Phase.Over() {
		return c.open()
	}
	if c.sealed {
		return final(connection.Refused(connection.ErrSessionClosed, "the connection is being activated", "disconnect it instead"))
	}
	c.cancel = &in
	return nil
}

func (c *connect) find(id string) *AttemptState {
	for i := range c.progress.Attempts {
		if c.progress.Attempts[i].ID == id {
			return &c.progress.Attempts[i]
		}
	}
	return nil
}

func linkInvalid(message string) *connection.Problem {
	return connection.Refused(connection.ErrLinkInvalid, message, "ask for a new link")
}

// randomName is a slug of 128 bits and more.
func randomName() string { return strings.ToLower(rand.Text()) }
