package main

import (
	"context"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// authorizeDevice shows the code to type in at the app, and follows the connect until it is over.
func (p *program) authorizeDevice(ctx context.Context, e *environment, f connectFlags) error {
	prompt, err := p.requestDevice(ctx, e, f.in)
	if err != nil {
		return err
	}
	if f.noWait {
		return p.print(prompt, func(t *table) {
			t.row("GO TO", prompt.VerificationURI)
			t.row("CODE", prompt.UserCode)
			t.row("UNTIL", prompt.Expires.Local().Format(time.TimeOnly))
		})
	}
	p.showDevice(ctx, f, prompt)
	return p.followFrom(ctx, e, f, &follower{p: p, prompt: prompt.UserCode})
}

func (p *program) requestDevice(ctx context.Context, e *environment, in workflows.ConnectInput) (workflows.DevicePrompt, error) {
	var prompt workflows.DevicePrompt
	err := p.work(ctx, e, "the connect to start", func(ctx context.Context) error {
		var err error
		prompt, err = e.RequestDevice(ctx, in)
		return err
	})
	return prompt, p.openStill(ctx, in.Connection, err)
}

func (p *program) showDevice(ctx context.Context, f connectFlags, prompt workflows.DevicePrompt) {
	p.note("Open %s and type in this code, until %s:", clean(prompt.VerificationURI), prompt.Expires.Local().Format(time.TimeOnly))
	p.note("")
	p.note("  %s", clean(prompt.UserCode))
	p.note("")
	if prompt.VerificationURIComplete != "" {
		p.note("Or open %s", clean(prompt.VerificationURIComplete))
	}
	if f.open {
		p.browse(ctx, or(prompt.VerificationURIComplete, prompt.VerificationURI))
	}
}

// device shows a code that was not shown here yet, and gets a new one for one that is too old.
func (w *follower) device(ctx context.Context, e *environment, f connectFlags) error {
	prompt := w.current.Device
	switch {
	case prompt != nil && prompt.UserCode != w.prompt && time.Now().Before(prompt.Expires):
		w.prompt = prompt.UserCode
		w.p.showDevice(ctx, f, *prompt)
		return nil
	case prompt != nil && time.Now().Before(prompt.Expires) && w.current.Problem == nil:
		return nil
	}
	problem := w.current.Problem
	if problem == nil {
		problem = connection.Refused(connection.ErrLinkInvalid, "nobody used the code in time", "")
	}
	if !w.p.interactive() {
		return w.p.giveUp(ctx, e, f.in.Connection, problem)
	}
	w.p.explain(problem)
	again, err := w.p.confirm(ctx, "Try again with a new code?", true)
	if err != nil {
		return err
	}
	if !again {
		return w.p.giveUp(ctx, e, f.in.Connection, problem)
	}
	fresh, err := w.p.requestDevice(ctx, e, f.in)
	if err == nil {
		w.prompt = fresh.UserCode
		w.p.showDevice(ctx, f, fresh)
	}
	return err
}
