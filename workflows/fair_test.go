package workflows

import (
	"context"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// shares writes down under which priority each activity of the egress queue is scheduled.
type shares struct {
	interceptor.WorkerInterceptorBase
	seen map[string]temporal.Priority
}

func watchShares(env *testsuite.TestWorkflowEnvironment) *shares {
	s := &shares{seen: map[string]temporal.Priority{}}
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{s}, DeadlockDetectionTimeout: time.Minute})
	return s
}

func (s *shares) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &inbound{interceptor.WorkflowInboundInterceptorBase{Next: next}, s}
}

type inbound struct {
	interceptor.WorkflowInboundInterceptorBase
	shares *shares
}

func (i *inbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&outbound{interceptor.WorkflowOutboundInterceptorBase{Next: next}, i.shares})
}

type outbound struct {
	interceptor.WorkflowOutboundInterceptorBase
	shares *shares
}

func (o *outbound) ExecuteActivity(ctx workflow.Context, name string, in ...any) workflow.Future {
	if options := workflow.GetActivityOptions(ctx); options.TaskQueue == EgressQueue {
		o.shares.seen[name] = options.Priority
	}
	return o.Next.ExecuteActivity(ctx, name, in...)
}

func (s *shares) demand(t *testing.T, want map[string]temporal.Priority) {
	t.Helper()
	for name, priority := range want {
		if s.seen[name] != priority {
			t.Errorf("%s ran as %+v, want %+v", name, s.seen[name], priority)
		}
	}
	for name, priority := range s.seen {
		if priority.FairnessKey == "" {
			t.Errorf("%s is nobody's", name)
		}
	}
}

func TestAConnectionsWorkIsItsOwners(t *testing.T) {
	for owner, key := range map[string]string{"team-7": "team-7", "": testID.String()} {
		env := entityEnvironment(t, &recorder{})
		seen := watchShares(env)
		env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateTest, "test", &reply{}, struct{}{}) }, time.Minute)
		env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateRefresh, "refresh", &reply{}, struct{}{}) }, 2*time.Minute)
		disconnectAfter(env, time.Hour)
		in := activeState()
		in.Owner = owner
		env.ExecuteWorkflow("entity", in)
		seen.demand(t, map[string]temporal.Priority{
			"WatchConnection":   {PriorityKey: forWatches, FairnessKey: key},
			"ProbeConnection":   {PriorityKey: forPeople, FairnessKey: key},
			"RefreshCredential": {PriorityKey: forPeople, FairnessKey: key},
			"RevokeGrant":       {FairnessKey: key},
		})
	}
}

func TestAConnectIsItsOwners(t *testing.T) {
	r := &recorder{plan: keyPlan()}
	env := newEnvironment(t, r)
	seen := watchShares(env)
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateProvideCredential, "1", &reply{}, ProvideCredential{Inbox: "entry", Fingerprint: "f"})
	}, 0)
	in := request()
	in.Owner = "team-7"
	env.ExecuteWorkflow(TypeConnectApp, in)
	people := temporal.Priority{PriorityKey: forPeople, FairnessKey: "team-7"}
	seen.demand(t, map[string]temporal.Priority{"StoreCredential": people, "ProbeConnection": people})
}

func TestAnActionIsItsOwners(t *testing.T) {
	env := newEnvironment(t, &recorder{})
	env.RegisterActivityWithOptions(func(context.Context, activities.CallActionInput) (*activities.CallActionResult, error) {
		return &activities.CallActionResult{}, nil
	}, activity.RegisterOptions{Name: "CallAction"})
	seen := watchShares(env)
	env.ExecuteWorkflow(TypeRunAction, RunActionInput{activities.CallActionInput{Connection: testID, Action: "whoami", Owner: "team-7"}})
	seen.demand(t, map[string]temporal.Priority{"CallAction": {FairnessKey: "team-7"}})
	standalone := StandaloneActionOptions(activities.CallActionInput{Connection: testID, Owner: "team-7"})
	if standalone.Priority.FairnessKey != "team-7" {
		t.Errorf("a standalone one is of %q", standalone.Priority.FairnessKey)
	}
}

func TestAShareHasAKeyThatTemporalTakes(t *testing.T) {
	key := func(owner string, id connection.ID) string {
		return fair(workflow.ActivityOptions{}, owner, id).Priority.FairnessKey
	}
	long := connection.ID("development/" + strings.Repeat("a", 63) + "/" + strings.Repeat("b", 63))
	for _, owner := range []string{"team-7", strings.Repeat("o", 64), strings.Repeat("o", 65), strings.Repeat("ö", 40), ""} {
		if k := key(owner, long); k == "" || len(k) > maxFairnessKey {
			t.Errorf("%d bytes for %q", len(k), owner)
		}
	}
	if key(strings.Repeat("o", 65), long) == key(strings.Repeat("o", 66), long) || key("", long) == key("", testID) {
		t.Error("two owners have one share")
	}
	if key(strings.Repeat("o", 64), long) != strings.Repeat("o", 64) || key("", testID) != testID.String() {
		t.Error("a key that fits is not as it was given")
	}
}
