package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

const (
	// reachTime is how long Temporal may take to say that it is there.
	reachTime = 8 * time.Second
	// answerTime is how long workflows may take to answer what a person waits for:
	// a refresh that waits for another's budget and a test with its retries fit in.
	answerTime = 3 * time.Minute
	// actionTime covers an action with all its retries, which end after an hour.
	actionTime = time.Hour + 5*time.Minute
	// quietTime is how long nothing is said; sayEvery paces what is said after that.
	quietTime, sayEvery = time.Second, 10 * time.Second
	// pollersAfter is when it is asked whether a worker is there at all.
	pollersAfter = 4 * time.Second
	// polledLately is how recent a worker's poll must be: a long poll lasts a minute.
	polledLately = 75 * time.Second
)

// reachable fails with ErrTemporalUnavailable unless Temporal answers within reachTime.
func (e *environment) reachable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	_, err := e.Temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	problem := connection.TemporalUnavailable("Temporal cannot be reached for the environment " + e.Environment)
	problem.Remedy = "check that it runs and that TEMPORAL_ADDRESS is right, then try again; what was started before goes on by itself"
	return problem
}

// wait runs something that is not a workflow's work, and says what for when it takes longer than a second.
func (p *program) wait(ctx context.Context, what string, work func(context.Context) error) error {
	return p.waitFor(ctx, nil, what, answerTime, work)
}

// work runs something that needs a worker of the environment, and says so soon when there is none.
func (p *program) work(ctx context.Context, e *environment, what string, work func(context.Context) error) error {
	return p.waitFor(ctx, e, what, answerTime, work)
}

func (p *program) waitFor(ctx context.Context, e *environment, what string, limit time.Duration, work func(context.Context) error) error {
	return p.waitSaying(ctx, e, what, func(context.Context) string { return "" }, limit, work)
}

// waitSaying asks now and then how things stand, and says that too; "" says nothing.
func (p *program) waitSaying(ctx context.Context, e *environment, what string, stand func(context.Context) string, limit time.Duration, work func(context.Context) error) error {
	bounded, cancel := context.WithCancel(ctx)
	if limit > 0 {
		bounded, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- work(bounded) }()
	started := time.Now()
	say, pollers := time.NewTimer(quietTime), time.NewTimer(pollersAfter)
	defer say.Stop()
	defer pollers.Stop()
	for {
		select {
		case err := <-done:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		case <-say.C:
			line := fmt.Sprintf("waiting for %s (%s)", what, time.Since(started).Round(time.Second))
			if how := stand(bounded); how != "" {
				line += ": " + how
			}
			p.note("%s", line)
			say.Reset(sayEvery)
		case <-pollers.C:
			if e == nil {
				continue
			}
			if there, err := e.hasWorker(bounded); err == nil && !there {
				return noWorker(e.Environment)
			}
		}
	}
}

func noWorker(environment string) *connection.Problem {
	problem := connection.TemporalUnavailable("no worker of the environment " + environment + " is running")
	problem.Remedy = fmt.Sprintf("start one with: CONNECTED_APPS_ENVIRONMENT=%s connected-apps-worker; what was asked for is kept in Temporal until then", environment)
	return problem
}

// hasWorker asks Temporal whether anybody takes workflow tasks.
func (e *environment) hasWorker(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	answer, err := e.Temporal.DescribeTaskQueue(ctx, workflows.Queue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return false, err
	}
	return polls(answer, time.Now()), nil
}

func polls(answer *workflowservice.DescribeTaskQueueResponse, now time.Time) bool {
	for _, poller := range answer.GetPollers() {
		if lately(poller, now) {
			return true
		}
	}
	return false
}

func lately(poller *taskqueuepb.PollerInfo, now time.Time) bool {
	return now.Sub(poller.GetLastAccessTime().AsTime()) < polledLately
}
