package workflows

import (
	"fmt"
	"slices"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// listen registers every handler before anything blocks: an update that came
// with the start is delivered in the first task.
func (c *connect) listen(ctx workflow.Context) error {
	workflow.Go(ctx, c.receiveAuthorizations)
	workflow.Go(ctx, c.pollDevices)
	receive(ctx, signalActivated, func(in activated) { c.reply = &in })
	receive(ctx, signalHandedOver, func(in handedOver) {
		c.handing++
		workflow.Go(ctx, func(ctx workflow.Context) { c.tryHandedOver(ctx, in) })
	})
	if err := workflow.SetQueryHandler(ctx, QueryProgress, func() (Progress, error) { return c.progress, nil }); err != nil {
		return err
	}
	if err := workflow.SetQueryHandler(ctx, QueryRequest, func() (ConnectInput, error) { return c.in, nil }); err != nil {
		return err
	}
	return takeUpdates(ctx, map[string]any{
		UpdateRequestLink:        c.requestLink,
		UpdateRequestDevice:      c.requestDevice,
		UpdateAnswerStep:         c.answerStep,
		UpdateChooseAccount:      c.chooseAccount,
		UpdateBeginAuthorization: c.beginAuthorization,
		UpdateProvideCredential:  c.provideCredential,
		UpdateTest:               c.testAgain,
		UpdateApprove:            c.approveNow,
		UpdateCancel:             c.cancelNow,
	})
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
	case c.failure != nil:
		return final(c.failure)
	}
	return nil
}

// flows refuses what does not fit how the credential is obtained, with what does.
func (c *connect) flows(flow activities.Flow) error {
	have := c.plan.Flow
	if have == activities.FlowAutomatic {
		have = activities.FlowInput // a corrected input may always be provided
	}
	if have == flow {
		return nil
	}
	title := c.plan.MethodTitle
	switch have {
	case activities.FlowBrowser:
		return final(connection.InvalidInput("method", title+" is authorized in a browser", "ask for a link instead"))
	case activities.FlowDevice:
		return final(connection.InvalidInput("method", title+" is authorized with a code on another device", "ask for a code instead"))
	case activities.FlowInput, activities.FlowAutomatic:
	}
	return final(connection.InvalidInput("method", title+" is not authorized at the app", "provide the credential instead"))
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

func (c *connect) provideCredential(ctx workflow.Context, in ProvideCredential) (Progress, error) {
	if in.Fingerprint != "" {
		if err := c.same(in.Fingerprint); err != nil {
			return Progress{}, err
		}
	}
	if err := c.planned(ctx); err != nil {
		return Progress{}, err
	}
	if err := c.flows(activities.FlowInput); err != nil {
		return Progress{}, err
	}
	next := c.auto
	if next == nil || next.done {
		if err := c.wanting(); err != nil {
			return Progress{}, err
		}
		next = &event{credential: &in}
		c.pending = append(c.pending, next)
	} else if c.asking() { // it has begun by itself, and come to a question
		return c.progress, nil
	}
	return c.outcome(ctx, next)
}

func (c *connect) testAgain(ctx workflow.Context, _ struct{}) (Progress, error) {
	if err := c.planned(ctx); err != nil {
		return Progress{}, err
	}
	if c.candidate == nil {
		return Progress{}, final(connection.Refused(connection.ErrTestFailed, "there is no credential to test yet", "provide one first"))
	}
	if c.tested || c.current != nil {
		return c.progress, nil
	}
	next := &event{}
	c.pending = append(c.pending, next)
	return c.outcome(ctx, next)
}

// outcome answers when the event has been tried, or a person is asked, or the
// connect is over without it.
func (c *connect) outcome(ctx workflow.Context, next *event) (Progress, error) {
	stops := next.stops
	if err := workflow.Await(ctx, func() bool { return next.done || next.stops > stops || c.progress.Phase.Over() || c.tested }); err != nil {
		return Progress{}, err
	}
	if !next.done && next.stops == stops {
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
