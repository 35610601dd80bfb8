package main

import (
	"context"
	"fmt"

	"connectedapps/connection"
	"connectedapps/workflows"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"
)

// resumeConnect goes on with an open connect, whoever started it from where: it
// reads what the connect was asked from the connect's own history, which holds no secret.
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
	if f.in, err = e.startedWith(ctx, id); err != nil {
		return err
	}
	switch attempt := latest(progress); {
	case progress.Plan == nil || progress.Phase == workflows.PhaseReview || progress.Phase == workflows.PhaseActivating || progress.Phase == workflows.PhaseTesting:
		return p.follow(ctx, e, f)
	case !progress.Plan.Kind.NeedsPerson():
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
		return p.authorize(ctx, e, f)
	}
}

// startedWith reads the input of the open connect.
func (e *environment) startedWith(ctx context.Context, id connection.ID) (workflows.ConnectInput, error) {
	var in workflows.ConnectInput
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	history := e.Temporal.GetWorkflowHistory(ctx, workflows.ConnectWorkflowID(id), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	first, err := history.Next()
	if err != nil {
		return in, connection.TemporalUnavailable("the connect's own history cannot be read")
	}
	payloads := first.GetWorkflowExecutionStartedEventAttributes().GetInput()
	if err := converter.GetDefaultDataConverter().FromPayloads(payloads, &in); err != nil || in.Connection != id {
		return in, connection.Refused(connection.ErrSessionClosed, fmt.Sprintf("the connect of %s was not started in a way that can be resumed here", id),
			"cancel it and start a new one")
	}
	return in, nil
}
