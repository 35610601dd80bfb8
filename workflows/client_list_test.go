package workflows

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"

	activitypb "go.temporal.io/api/activity/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestFilterSaysItsQuery(t *testing.T) {
	const open = "WorkflowType = 'Connection' AND ExecutionStatus = 'Running' AND ConnectionEnvironment = 'development'"
	cases := map[string]struct {
		filter Filter
		want   string
	}{
		"nothing": {Filter{}, ""},
		"every field": {Filter{IDPrefix: "development/sandbox/my", App: "sandbox", Name: "Sales", Account: "ada@example.com", Status: connection.Expired,
			Owner: "ada", Toolkit: "reader", AuthKind: connection.APIKey, AuthConfig: "demo", ExpiresBefore: time.Date(2027, 1, 31, 1, 0, 0, 0, time.FixedZone("", 3600))},
			" AND ConnectionApp = 'sandbox' AND ConnectionName = 'Sales' AND ConnectionAccount = 'ada@example.com' AND ConnectionStatus = 'Expired'" +
				" AND ConnectionOwner = 'ada' AND ConnectionToolkit = 'reader' AND ConnectionAuthKind = 'api-key' AND ConnectionAuthConfig = 'demo'" +
				" AND ConnectionExpires < '2027-01-31T00:00:00Z'"},
		"quotation mark": {Filter{Owner: "o'neill' OR 1=1"}, " AND ConnectionOwner = 'o''neill'' OR 1=1'"},
		"backslash":      {Filter{Owner: `x\' OR ConnectionStatus = 'Active`}, ` AND ConnectionOwner = 'x\\'' OR ConnectionStatus = ''Active'`},
	}
	for name, c := range cases {
		want := open
		if c.filter.IDPrefix != "" {
			want += " AND WorkflowId STARTS_WITH 'connection/" + c.filter.IDPrefix + "'"
		}
		want += c.want
		if got := c.filter.query("development").String(); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// toldFacts answers facts, and fails for connections that it does not know.
type toldFacts map[connection.ID]time.Time

func (f toldFacts) Facts(_ context.Context, id connection.ID) (connection.Facts, error) {
	used, ok := f[id]
	switch {
	case !ok:
		return connection.Facts{}, connection.VaultUnavailable("sealed")
	case used.IsZero():
		return connection.Facts{}, connection.ErrAbsent
	}
	return connection.Facts{LastUsed: used}, nil
}

func TestExactKeepsTheLaterTime(t *testing.T) {
	hour := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	facts := toldFacts{"e/a/later": hour.Add(17 * time.Minute), "e/a/stale": hour.Add(-time.Hour), "e/a/gone": {}}
	rows := []Row{{ID: "e/a/later", LastUsed: hour}, {ID: "e/a/stale", LastUsed: hour}, {ID: "e/a/gone", LastUsed: hour}}
	c := &Client{Facts: facts}
	if err := c.Exact(context.Background(), rows); err != nil {
		t.Fatal(err)
	}
	if !rows[0].LastUsed.Equal(hour.Add(17*time.Minute)) || !rows[1].LastUsed.Equal(hour) || !rows[2].LastUsed.Equal(hour) {
		t.Errorf("%v", rows)
	}
	if err := c.Exact(context.Background(), []Row{{ID: "e/a/unknown"}}); connection.TypeOf(err) != connection.ErrVaultUnavailable {
		t.Errorf("%v", err)
	}
	if err := (&Client{}).Exact(context.Background(), rows); err != nil {
		t.Errorf("a client without facts: %v", err)
	}
}

// failingList is a Temporal whose lists fail.
type failingList struct {
	client.Client
	err error
}

func (f failingList) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return nil, f.err
}

func TestAForgedPageIsRefused(t *testing.T) {
	unread := errors.New("invalid character 'x' looking for beginning of value") // as SQL's store says it
	for name, c := range map[string]struct {
		err  error
		page string
		want string
	}{
		"a forged page":            {serviceerror.NewInvalidArgument("invalid page token"), "x", connection.ErrInvalidInput},
		"one that SQL cannot read": {unread, "x", connection.ErrInvalidInput},
		"no page":                  {unread, "", connection.ErrTemporalUnavailable},
		"away":                     {serviceerror.NewUnavailable("away"), "x", connection.ErrTemporalUnavailable},
		"late":                     {context.DeadlineExceeded, "x", connection.ErrTemporalUnavailable},
	} {
		fake := &Client{Temporal: failingList{err: c.err}, Environment: "development"}
		_, _, err := fake.List(context.Background(), Filter{}, 10, []byte(c.page))
		if got := connection.TypeOf(err); got != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if problem, ok := connection.AsProblem(err); ok && c.want == connection.ErrInvalidInput && problem.Field != "cursor" {
			t.Errorf("%s: %+v", name, problem)
		}
	}
}

// updates is a Temporal that answers disconnects, and counts how many are asked at once.
type updates struct {
	client.Client
	mu         sync.Mutex
	asked      []string
	now, peak  int
	afterwards func(n int)
}

func (u *updates) UpdateWorkflow(ctx context.Context, options client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	u.mu.Lock()
	u.asked = append(u.asked, options.WorkflowID)
	u.now++
	u.peak = max(u.peak, u.now)
	n := len(u.asked)
	u.mu.Unlock()
	if u.afterwards != nil {
		u.afterwards(n)
	}
	defer func() {
		u.mu.Lock()
		u.now--
		u.mu.Unlock()
	}()
	time.Sleep(time.Millisecond)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case strings.HasSuffix(options.WorkflowID, "/gone"):
		return nil, serviceerror.NewNotFound("no such workflow")
	case strings.HasSuffix(options.WorkflowID, "/failing"):
		return nil, errors.New("a failure")
	}
	return answered{}, nil
}

func (u *updates) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return nil, serviceerror.NewNotFound("no such workflow")
}

type answered struct{ client.WorkflowUpdateHandle }

func (answered) Get(_ context.Context, out any) error {
	out.(*DisconnectResult).Revocation = "revoked"
	return nil
}

func TestDisconnectAllTellsEachResult(t *testing.T) {
	fake := &updates{}
	c := &Client{Temporal: fake, Environment: "development"}
	ids := []connection.ID{"development/a/gone", "development/a/failing", "production/a/elsewhere"}
	for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		ids = append(ids, connection.ID("development/a/"+name))
	}
	results := map[connection.ID]Disconnected{}
	err := c.DisconnectAll(context.Background(), ids, "left", func(d Disconnected) { results[d.Connection] = d })
	if err != nil || len(results) != len(ids) {
		t.Fatalf("%d results of %d, %v", len(results), len(ids), err)
	}
	if results["development/a/gone"].Revocation != RevocationGone || results["development/a/z"].Revocation != "revoked" {
		t.Errorf("%v", results)
	}
	if connection.TypeOf(results["development/a/failing"].Problem) != connection.ErrTemporalUnavailable {
		t.Errorf("%v", results["development/a/failing"])
	}
	if connection.TypeOf(results["production/a/elsewhere"].Problem) != connection.ErrInvalidInput || slices.Contains(fake.asked, "connection/production/a/elsewhere") {
		t.Error("a connection of another environment was asked")
	}
	if fake.peak > bulkAtOnce || fake.peak < 2 {
		t.Errorf("%d at once", fake.peak)
	}
}

func TestDisconnectAllStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	fake := &updates{afterwards: func(n int) {
		if n == 5 {
			cancel()
		}
	}}
	ids := make([]connection.ID, 100)
	for i := range ids {
		ids[i] = connection.ID("development/a/c" + strings.Repeat("x", i%50))
	}
	err := (&Client{Temporal: fake, Environment: "development"}).DisconnectAll(ctx, ids, "", func(d Disconnected) {
		if d.Problem != nil {
			t.Errorf("the end of the context was told as a failure: %v", d.Problem)
		}
	})
	if !errors.Is(err, context.Canceled) || len(fake.asked) > 5+bulkAtOnce {
		t.Errorf("%d were asked, %v", len(fake.asked), err)
	}
}

func TestSetPolicyIsCheckedBeforeItIsSent(t *testing.T) {
	c := &Client{Environment: "development"} // without Temporal: sending would panic
	idle, short := connection.IdlePolicy("sleepy"), time.Second
	for _, in := range []SetPolicy{{Idle: &idle}, {ProbeEvery: &short}} {
		if _, err := c.SetPolicy(context.Background(), "development/a/b", in); connection.TypeOf(err) != connection.ErrInvalidInput {
			t.Errorf("%v", err)
		}
	}
}

// running is a Temporal with one standalone activity.
type running struct {
	client.Client
	client.ActivityHandle
	info *activitypb.ActivityExecutionInfo
}

func (r running) GetActivityHandle(options client.GetActivityHandleOptions) client.ActivityHandle {
	if options.ActivityID != "action/development/a/b/key" {
		return nil
	}
	return r
}

func (r running) Describe(context.Context, client.DescribeActivityOptions) (*client.ActivityExecutionDescription, error) {
	described := &client.ActivityExecutionDescription{RawResponse: &workflowservice.DescribeActivityExecutionResponse{Info: r.info}}
	described.Attempt, described.NextAttemptScheduleTime = r.info.GetAttempt(), r.info.GetNextAttemptScheduleTime().AsTime()
	return described, nil
}

func TestActionProgressKnowsWhenAnAttemptRuns(t *testing.T) {
	next := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, at := range map[time.Time]*timestamppb.Timestamp{{}: nil, next: timestamppb.New(next)} {
		c := &Client{Temporal: running{info: &activitypb.ActivityExecutionInfo{Attempt: 2, NextAttemptScheduleTime: at}}}
		got, err := c.ActionProgress(context.Background(), "development/a/b", "key")
		if err != nil || got != (ActionProgress{Attempt: 2, Next: want}) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}
