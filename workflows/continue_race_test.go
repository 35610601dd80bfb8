package workflows

import (
	"strconv"
	"testing"
	"time"

	"connectedapps/connection"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// past writes a history by hand: what the test environment cannot do is to let two
// things arrive in one workflow task.
type past struct {
	t      *testing.T
	events []*historypb.HistoryEvent
}

func (p *past) add(kind enumspb.EventType, attributes func(*historypb.HistoryEvent)) int64 {
	event := &historypb.HistoryEvent{EventId: int64(len(p.events) + 1), EventType: kind,
		EventTime: timestamppb.New(time.Unix(1000+int64(len(p.events)), 0))}
	attributes(event)
	p.events = append(p.events, event)
	return event.GetEventId()
}

func (p *past) payloads(value any) *commonpb.Payloads {
	encoded, err := converter.GetDefaultDataConverter().ToPayloads(value)
	if err != nil {
		p.t.Fatal(err)
	}
	return encoded
}

func (p *past) started(kind, id string, input any) {
	p.add(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
			WorkflowType: &commonpb.WorkflowType{Name: kind}, WorkflowId: id, TaskQueue: &taskqueuepb.TaskQueue{Name: Queue}, Input: p.payloads(input), Attempt: 1,
			OriginalExecutionRunId: "run", FirstExecutionRunId: "run"}}
	})
}

// task begins a workflow task: what was added before it since the last one arrives
// together. long says that the history has become long.
func (p *past) task(long bool) (scheduled, began int64) {
	scheduled = p.add(enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_WorkflowTaskScheduledEventAttributes{WorkflowTaskScheduledEventAttributes: &historypb.WorkflowTaskScheduledEventAttributes{}}
	})
	began = p.add(enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_WorkflowTaskStartedEventAttributes{WorkflowTaskStartedEventAttributes: &historypb.WorkflowTaskStartedEventAttributes{ScheduledEventId: scheduled, SuggestContinueAsNew: long}}
	})
	return scheduled, began
}

// turn is a workflow task that was completed; what the workflow asked for is added after it.
func (p *past) turn() int64 { return p.taken(p.task(false)) }

func (p *past) taken(scheduled, began int64) int64 {
	return p.add(enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_WorkflowTaskCompletedEventAttributes{WorkflowTaskCompletedEventAttributes: &historypb.WorkflowTaskCompletedEventAttributes{
			ScheduledEventId: scheduled, StartedEventId: began}}
	})
}

func (p *past) signal(name string, message any) {
	p.add(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{
			SignalName: name, Input: p.payloads(message)}}
	})
}

func (p *past) attributes(completed int64) {
	p.add(enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_UpsertWorkflowSearchAttributesEventAttributes{UpsertWorkflowSearchAttributesEventAttributes: &historypb.UpsertWorkflowSearchAttributesEventAttributes{
			WorkflowTaskCompletedEventId: completed, SearchAttributes: &commonpb.SearchAttributes{}}}
	})
}

func (p *past) activity(completed int64, name string) int64 {
	return p.add(enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
			ActivityId: strconv.Itoa(len(p.events) + 1), ActivityType: &commonpb.ActivityType{Name: name}, TaskQueue: &taskqueuepb.TaskQueue{Name: Queue}, WorkflowTaskCompletedEventId: completed}}
	})
}

// A signal that arrives in the very task in which the watch is gone and the run
// would continue as new is taken by this run: no other one will ever see it.
func TestASignalBesideTheEndOfTheWatchIsNotLost(t *testing.T) {
	p := &past{t: t}
	state := activeState()
	p.started(TypeConnection, ConnectionWorkflowID(testID), state)
	first := p.turn()
	p.attributes(first)
	watch := p.activity(first, "WatchConnection")
	p.signal(SignalContinueAsNew, struct{}{})
	second := p.turn()
	cancel := p.add(enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_ActivityTaskCancelRequestedEventAttributes{ActivityTaskCancelRequestedEventAttributes: &historypb.ActivityTaskCancelRequestedEventAttributes{
			ScheduledEventId: watch, WorkflowTaskCompletedEventId: second}}
	})
	begun := p.add(enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_ActivityTaskStartedEventAttributes{ActivityTaskStartedEventAttributes: &historypb.ActivityTaskStartedEventAttributes{ScheduledEventId: watch}}
	})
	p.add(enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCELED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_ActivityTaskCanceledEventAttributes{ActivityTaskCanceledEventAttributes: &historypb.ActivityTaskCanceledEventAttributes{
			ScheduledEventId: watch, StartedEventId: begun, LatestCancelRequestedEventId: cancel}}
	})
	p.signal(SignalCredentialRejected, CredentialRejected{Grant: state.Look.Grant, Generation: 1, Verdict: connection.Revoked, Reason: "revoked"})
	third := p.turn()
	p.activity(third, "WatchConnection") // the run goes on
	p.activity(third, "WriteGate")       // and says that it is Expired
	p.signal(SignalContinueAsNew, struct{}{})
	p.turn()
	p.task(false)
	p.replays()
}

// The same, where an auth config ends its run because the history has become long:
// that the app refuses the client is taken by this run.
func TestASignalBesideALongHistoryIsNotLost(t *testing.T) {
	p := &past{t: t}
	in := authConfigInput()
	in.State = &AuthConfigState{Environment: "development", App: "sandbox", Name: "shared", Status: connection.Active}
	p.started(TypeAuthConfig, AuthConfigWorkflowID("development", "sandbox", "shared"), in)
	p.attributes(p.turn())
	p.signal(SignalClientRefused, ClientRefused{Code: "invalid_client"})
	second := p.taken(p.task(true))
	p.attributes(second) // it is told
	p.add(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_WorkflowExecutionContinuedAsNewEventAttributes{WorkflowExecutionContinuedAsNewEventAttributes: &historypb.WorkflowExecutionContinuedAsNewEventAttributes{
			WorkflowType: &commonpb.WorkflowType{Name: TypeAuthConfig}, TaskQueue: &taskqueuepb.TaskQueue{Name: Queue}, WorkflowTaskCompletedEventId: second}}
	})
	p.replays()
}

func (p *past) replays() {
	p.t.Helper()
	replayer := worker.NewWorkflowReplayer()
	Register(replayer)
	if err := replayer.ReplayWorkflowHistory(quiet{}, &historypb.History{Events: p.events}); err != nil {
		p.t.Error(err)
	}
}
