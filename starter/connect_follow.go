package main

import (
	"context"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

const (
	// lookEvery is how often the connect is asked how far it has come.
	lookEvery = 500 * time.Millisecond
	// lookTime bounds one such question.
	lookTime = 5 * time.Second
	// unseenFor is how long the connect may be out of sight before the command gives up watching it.
	unseenFor = time.Minute
)

// phases say what a connect is doing; those missing are said in other words where they occur.
var phases = map[workflows.Phase]string{
	workflows.PhaseValidating:    "Checking what was asked for…",
	workflows.PhaseReserving:     "Reserving the name…",
	workflows.PhaseAuthorization: "Waiting for the authorization in the browser…",
	workflows.PhaseCredential:    "Waiting for the credential…",
	workflows.PhaseDevice:        "Waiting for the authorization at the app…",
	workflows.PhaseObtaining:     "Obtaining the credential…",
	workflows.PhaseTesting:       "Testing the connection…",
	workflows.PhaseReview:        "The test has passed. Waiting for review…",
	workflows.PhaseActivating:    "Creating the toolkit and activating…",
	workflows.PhaseFailed:        "Undoing what was done…",
	workflows.PhaseCancelled:     "Cancelled.",
}

// follower watches one connect and says what is new, each thing once.
type follower struct {
	p       *program
	said    workflows.Phase
	begun   string // the attempt whose beginning was said
	failed  string // the attempt whose failure was dealt with
	prompt  string // the device code that was shown
	unseen  time.Time
	current workflows.Progress
}

// follow watches a connect until it is over, with the person where one is needed.
func (p *program) follow(ctx context.Context, e *environment, f connectFlags) error {
	return p.followFrom(ctx, e, f, &follower{p: p})
}

// followFrom is follow for a follower that knows something already.
func (p *program) followFrom(ctx context.Context, e *environment, f connectFlags, w *follower) error {
	id := f.in.Connection
	for {
		if err := w.look(ctx, e, id); err != nil {
			return p.openStill(ctx, id, err)
		}
		if w.unseen.IsZero() {
			w.say()
			over, err := w.act(ctx, e, f)
			if over || err != nil {
				return p.openStill(ctx, id, err)
			}
		}
		select {
		case <-ctx.Done():
			return &leftOpen{id: id, err: ctx.Err()}
		case <-time.After(lookEvery):
		}
	}
}

// look asks once. Being unable to is not the connect's end; it is said, and borne for a minute.
func (w *follower) look(ctx context.Context, e *environment, id connection.ID) error {
	bounded, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	progress, err := e.Progress(bounded, id)
	switch {
	case err == nil:
		w.current, w.unseen = progress, time.Time{}
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case connection.TypeOf(err) != connection.ErrTemporalUnavailable && bounded.Err() == nil:
		return err
	case w.unseen.IsZero():
		w.unseen = time.Now()
		w.p.note("The connect cannot be seen just now; it goes on by itself. Still trying…")
	case time.Since(w.unseen) > unseenFor:
		problem := connection.TemporalUnavailable("the connect has not been seen for a minute")
		problem.Remedy = "it goes on by itself; watch it again with: connected-apps connect " + id.String() + " --resume"
		return problem
	}
	return nil
}

// say writes what has changed since the last time.
func (w *follower) say() {
	for _, attempt := range w.current.Attempts {
		if attempt.State != workflows.AttemptOpen && attempt.State != workflows.AttemptExpired && w.begun != attempt.ID && attempt.ID == latest(w.current).ID {
			w.begun = attempt.ID
			w.p.note("The link was opened, and the authorization has begun.")
		}
	}
	if w.current.Phase == w.said {
		return
	}
	w.said = w.current.Phase
	if text, ok := phases[w.said]; ok {
		w.p.note("%s", text)
	}
}

// act does what the phase asks of whoever runs the command; over means that the connect is.
func (w *follower) act(ctx context.Context, e *environment, f connectFlags) (over bool, err error) {
	progress, p := w.current, w.p
	switch progress.Phase {
	case workflows.PhaseActive:
		return true, p.printConnected(progress)
	case workflows.PhaseFailed, workflows.PhaseCancelled:
		if progress.Problem != nil {
			return true, progress.Problem
		}
		return true, connection.Refused(connection.ErrSessionClosed, "the connect was ended", "start a new one")
	case workflows.PhaseReview:
		return false, w.review(ctx, e, f)
	case workflows.PhaseAnswer:
		return false, w.answer(ctx, e, f)
	case workflows.PhaseChoice:
		return false, w.choose(ctx, e, f)
	case workflows.PhaseDevice:
		return false, w.device(ctx, e, f)
	case workflows.PhaseValidating, workflows.PhaseReserving, workflows.PhaseAuthorization, workflows.PhaseCredential,
		workflows.PhaseObtaining, workflows.PhaseTesting, workflows.PhaseTestFailed, workflows.PhaseActivating:
		// What is to be done depends on the attempt, below.
	}
	attempt := latest(progress)
	if attempt.ID == "" || attempt.ID == w.failed {
		return false, nil
	}
	switch {
	case attempt.State == workflows.AttemptFailed && attempt.Problem != nil:
		w.failed = attempt.ID
		return false, p.failedAuthorization(ctx, e, f, attempt.Problem)
	case attempt.State == workflows.AttemptExpired || time.Now().After(attempt.Expires) && (attempt.State == workflows.AttemptOpen || attempt.State == workflows.AttemptBegun):
		w.failed = attempt.ID
		return false, w.tooOld(ctx, e, f)
	}
	return false, nil
}

// tooOld makes a new link for a terminal; elsewhere a person must come first.
func (w *follower) tooOld(ctx context.Context, e *environment, f connectFlags) error {
	if !w.p.interactive() {
		id := f.in.Connection.String()
		return connection.Refused(connection.ErrLinkInvalid, "nobody used the link within ten minutes",
			"the connect stays open for 24 hours; get a new link with: connected-apps connect "+id+" --resume, or cancel with: connected-apps connect "+id+" --cancel")
	}
	w.p.note("The link is too old now; here is a new one.")
	link, err := w.p.requestLink(ctx, e, f.in)
	if err == nil {
		f.open = false // the person has seen the page, and may not want it opened every ten minutes
		w.p.showLink(ctx, f, link)
	}
	return err
}

// review shows what would be made and asks; without a terminal somebody else approves.
func (w *follower) review(ctx context.Context, e *environment, f connectFlags) error {
	id := f.in.Connection
	p := w.p
	if test := w.current.Test; test != nil {
		p.note("  account: %s", or(account(test.Identity), "not told by the app"))
	}
	if plan := w.current.Plan; plan != nil {
		p.note("  toolkit %s: %s", plan.Toolkit, strings.Join(plan.Actions, ", "))
	}
	if !p.interactive() {
		return connection.Refused(connection.ErrConnectionPending, id.String()+" waits for review",
			"approve it with: connected-apps connect "+id.String()+" --approve, or cancel with --cancel")
	}
	yes, err := p.confirm(ctx, "Create the toolkit and activate the connection?", true)
	if err != nil {
		return err
	}
	if !yes {
		return p.giveUp(ctx, e, id, connection.Refused(connection.ErrTestFailed, "the review was declined", "start again when it is wanted"))
	}
	return p.work(ctx, e, "the connection to become active", func(ctx context.Context) error {
		_, err := e.Approve(ctx, id, workflows.Approve{})
		return err
	})
}

// latest is the attempt that counts for whoever watches: the last one handed out.
func latest(progress workflows.Progress) workflows.AttemptState {
	if len(progress.Attempts) == 0 {
		return workflows.AttemptState{}
	}
	return progress.Attempts[len(progress.Attempts)-1]
}
