package workflows

import (
	"context"
	"errors"

	"connectedapps/activities"
	"connectedapps/connection"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// step is an activity with its types, so that the compiler checks what goes in
// and what comes out; ExecuteActivity alone checks neither.
type step[In, Out any] struct{ name string }

func describe[In, Out any](name string, _ func(*activities.Activities, context.Context, In) (Out, error)) step[In, Out] {
	return step[In, Out]{name}
}

// act is a step that answers nothing but that it is done.
type act[In any] struct{ name string }

func describeAct[In any](name string, _ func(*activities.Activities, context.Context, In) error) act[In] {
	return act[In]{name}
}

// Every activity that workflows use, by the name it is registered under.
var (
	validateConnect   = describe("ValidateConnect", (*activities.Activities).ValidateConnect)
	beginAuthorize    = describe("BeginAuthorization", (*activities.Activities).BeginAuthorization)
	exchangeCode      = describe("ExchangeCode", (*activities.Activities).ExchangeCode)
	storeCredential   = describe("StoreCredential", (*activities.Activities).StoreCredential)
	advanceLogin      = describe("AdvanceLogin", (*activities.Activities).AdvanceLogin)
	beginDevice       = describe("BeginDevice", (*activities.Activities).BeginDevice)
	pollDevice        = describe("PollDevice", (*activities.Activities).PollDevice)
	probeConnection   = describe("ProbeConnection", (*activities.Activities).ProbeConnection)
	refreshStep       = describe("RefreshCredential", (*activities.Activities).RefreshCredential)
	adoptCandidate    = describe("AdoptCandidate", (*activities.Activities).AdoptCandidate)
	discardAttempts   = describe("DiscardAttempts", (*activities.Activities).DiscardAttempts)
	revokeGrant       = describe("RevokeGrant", (*activities.Activities).RevokeGrant)
	watchConnection   = describe("WatchConnection", (*activities.Activities).WatchConnection)
	callAction        = describe("CallAction", (*activities.Activities).CallAction)
	storeAuthConfig   = describe("StoreAuthConfig", (*activities.Activities).StoreAuthConfig)
	announceAlert     = describe("AnnounceAlert", (*activities.Activities).AnnounceAlert)
	deliverAlert      = describe("DeliverAlert", (*activities.Activities).DeliverAlert)
	deliverSession    = describe("DeliverSessionMessage", (*activities.Activities).DeliverSessionMessage)
	storeSink         = describe("StoreSink", (*activities.Activities).StoreSink)
	destroySink       = describeAct("DestroySink", (*activities.Activities).DestroySink)
	writeGate         = describeAct("WriteGate", (*activities.Activities).WriteGate)
	destroy           = describeAct("DestroyCredential", (*activities.Activities).DestroyCredential)
	watchSession      = describeAct("WatchConnectSession", (*activities.Activities).WatchConnectSession)
	destroyAuthConfig = describeAct("DestroyAuthConfig", (*activities.Activities).DestroyAuthConfig)
	stageRotation     = describe("StageRotation", (*activities.Activities).StageRotation)
	proveRotation     = describe("ProveRotation", (*activities.Activities).ProveRotation)
	commitRotation    = describeAct("CommitRotation", (*activities.Activities).CommitRotation)
	abandonRotation   = describeAct("AbandonRotation", (*activities.Activities).AbandonRotation)
	retireAuthConfig  = describeAct("RetireAuthConfig", (*activities.Activities).RetireAuthConfig)
	countUsers        = describe("CountAuthConfigUsers", (*activities.Activities).CountAuthConfigUsers)
	watchAuthConfig   = describe("WatchAuthConfig", (*activities.Activities).WatchAuthConfig)
)

// start schedules the activity. The summary is what an operator reads in the event history.
func (s step[In, Out]) start(ctx workflow.Context, options workflow.ActivityOptions, summary string, in In) workflow.Future {
	options.Summary = summary
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), s.name, in)
}

func (s step[In, Out]) do(ctx workflow.Context, options workflow.ActivityOptions, summary string, in In) (Out, error) {
	var out Out
	err := s.start(ctx, options, summary, in).Get(ctx, &out)
	return out, err
}

func (s act[In]) start(ctx workflow.Context, options workflow.ActivityOptions, summary string, in In) workflow.Future {
	options.Summary = summary
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), s.name, in)
}

func (s act[In]) do(ctx workflow.Context, options workflow.ActivityOptions, summary string, in In) error {
	return s.start(ctx, options, summary, in).Get(ctx, nil)
}

// why is the problem behind an error of an activity; nil for nil.
func why(err error) *connection.Problem {
	if err == nil {
		return nil
	}
	if problem, ok := connection.AsProblem(err); ok {
		return problem
	}
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		where := "the activity did not end in time"
		if timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE {
			where = "it could not be done in the time there was"
		}
		return connection.ProviderUnavailable(where, 0)
	}
	if temporal.IsCanceledError(err) {
		return connection.Refused(connection.ErrSessionClosed, "it was cancelled", "start again")
	}
	return connection.Internal("workflow")
}

// final is a problem as a workflow or an update ends with it: said, and not retried.
func final(problem *connection.Problem) error {
	if problem == nil {
		return nil
	}
	told := *problem
	told.Retryable, told.RetryAfter = false, 0
	return told.Temporal()
}
