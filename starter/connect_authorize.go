package main

import (
	"context"
	"fmt"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// authorize has a person authorize at the app, and follows the connect until it is over.
func (p *program) authorize(ctx context.Context, e *environment, f connectFlags, flow activities.Flow) error {
	if flow == activities.FlowDevice {
		return p.authorizeDevice(ctx, e, f)
	}
	link, err := p.requestLink(ctx, e, f.in)
	if err != nil {
		return err
	}
	if f.noWait {
		plan, _ := e.CheckConnect(f.in) // was checked before the start
		return p.print(linkReport{Connection: f.in.Connection, Link: link, Plan: plan}, func(t *table) { t.row(link.URL) })
	}
	p.showLink(ctx, f, link)
	return p.follow(ctx, e, f)
}

func (p *program) requestLink(ctx context.Context, e *environment, in workflows.ConnectInput) (workflows.Link, error) {
	var link workflows.Link
	err := p.work(ctx, e, "the connect to start", func(ctx context.Context) error {
		var err error
		link, err = e.RequestLink(ctx, in)
		return err
	})
	if err == nil && link.URL == "" {
		settings, err := p.settings()
		if err != nil {
			return link, err
		}
		link.URL = fmt.Sprintf("%s/connect/%s/%s", settings.GatewayURL, in.Connection, link.Attempt)
	}
	return link, p.openStill(ctx, in.Connection, err)
}

func (p *program) showLink(ctx context.Context, f connectFlags, link workflows.Link) {
	p.note("Open this link to authorize; it works once, for ten minutes:")
	p.note("")
	p.note("  %s", link.URL)
	p.note("")
	if f.open {
		p.browse(ctx, link.URL)
	}
}

// failedAuthorization says why an authorization or its test failed. A terminal is
// asked for another try; elsewhere the connect is cancelled.
func (p *program) failedAuthorization(ctx context.Context, e *environment, f connectFlags, problem *connection.Problem) error {
	if !p.interactive() {
		return p.giveUp(ctx, e, f.in.Connection, problem)
	}
	p.explain(problem)
	again, err := p.confirm(ctx, "Try again with a new link?", true)
	if err != nil {
		return p.openStill(ctx, f.in.Connection, err)
	}
	if !again {
		return p.giveUp(ctx, e, f.in.Connection, problem)
	}
	link, err := p.requestLink(ctx, e, f.in)
	if err == nil {
		p.showLink(ctx, f, link)
	}
	return err
}

// explain says what did not work, before the person is asked what to do about it.
func (p *program) explain(problem *connection.Problem) {
	p.note("It did not work: %s", problem.Message)
	if problem.Remedy != "" {
		p.note("What to do: %s", problem.Remedy)
	}
}

// giveUp cancels the connect, so that nothing is left behind, and answers why.
func (p *program) giveUp(ctx context.Context, e *environment, id connection.ID, why *connection.Problem) error {
	cancelled := "The connect is cancelled; nothing is left behind."
	if in, err := e.Requested(ctx, id); err == nil && in.Mode == workflows.ModeReplace {
		cancelled = "The reconnect is cancelled; the connection keeps the credential it had."
	}
	err := p.work(ctx, e, "the connect to be cancelled", func(ctx context.Context) error {
		return e.CancelConnect(ctx, id, workflows.Reason{Reason: why.Message})
	})
	if err == nil {
		p.note("%s", cancelled)
	}
	switch exitOf(why.Type) {
	case exitRefused, exitUnavailable, exitUsage:
		return why
	}
	failed := *why
	failed.Type = connection.ErrTestFailed
	return &failed
}

// leftOpen is what an interrupted connect says: it is not lost.
type leftOpen struct {
	id  connection.ID
	err error
}

func (l *leftOpen) Error() string { return l.err.Error() }

func (l *leftOpen) Unwrap() error { return l.err }

func (l *leftOpen) say() string {
	return fmt.Sprintf("The connect of %s stays open for 24 hours.\n  go on with it: connected-apps connect %s --resume\n  or cancel it:  connected-apps connect %s --cancel", l.id, l.id, l.id)
}

// openStill marks an interruption as one of a connect that stays open.
func (p *program) openStill(ctx context.Context, id connection.ID, err error) error {
	if err != nil && ctx.Err() != nil {
		return &leftOpen{id: id, err: ctx.Err()}
	}
	return err
}
