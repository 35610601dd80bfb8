package main

import (
	"context"

	"connectedapps/activities"
	"connectedapps/workflows"
)

// resumeConnect goes on with an open connect, whoever started it from where: the
// connect itself says what it was asked for.
func (p *program) resumeConnect(ctx context.Context, e *environment, f connectFlags) error {
	id := f.in.Connection
	var progress workflows.Progress
	err := p.work(ctx, e, "the connect", func(ctx context.Context) error {
		var err error
		progress, err = e.Progress(ctx, id)
		return err
	})
	if err != nil {
		return err
	}
	if progress.Phase.Over() {
		return p.follow(ctx, e, f)
	}
	if f.in, err = e.Requested(ctx, id); err != nil {
		return err
	}
	f.resume = true
	switch attempt := latest(progress); {
	case progress.Plan == nil || progress.Phase == workflows.PhaseReview || progress.Phase == workflows.PhaseActivating || progress.Phase == workflows.PhaseTesting:
		return p.follow(ctx, e, f)
	case progress.Phase == workflows.PhaseAnswer || progress.Phase == workflows.PhaseChoice:
		return p.follow(ctx, e, f)
	case progress.Plan.Flow == activities.FlowDevice:
		return p.authorizeDevice(ctx, e, f)
	case progress.Plan.Flow != activities.FlowBrowser:
		method, err := p.completeInput(&f)
		if err != nil {
			return err
		}
		secrets, err := p.collect(ctx, secretInputs(method.Inputs), f.secretFile)
		if err != nil {
			return err
		}
		return p.provide(ctx, e, f, method, secrets)
	case attempt.State == workflows.AttemptExchanging:
		return p.follow(ctx, e, f)
	default:
		return p.authorize(ctx, e, f, activities.FlowBrowser)
	}
}
