package main

import (
	"math"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestAMissedExactCountIsWrongAndAMissedTimeIsNot(t *testing.T) {
	late := over([]round{{Ours: measured{P50: 3}, Floor: measured{P50: 2}}}, byP50, atMost("p50", 0, 1.1, ""))
	told := report{Results: []*result{{Name: "one", Checks: []check{late, atMost("events", 0, 0, "").exact()}}}}
	if err := told.wrong(); err != nil || late.Met || late.Have != 1.5 {
		t.Errorf("%v %+v", err, late)
	}
	for _, c := range []check{atMost("events", 1, 0, ""), atLeast("events", 1, 2, ""), equal("events", 0, 1, ""), equal("events", 2, 1, ""),
		atMost("events", math.NaN(), 1, ""), atLeast("events", math.NaN(), 1, "")} {
		told.Results[0].Checks = []check{c.exact()}
		if err := told.wrong(); err == nil || !strings.Contains(err.Error(), "one: events is "+number(c.Have)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestMediansAndQuantiles(t *testing.T) {
	for _, c := range []struct {
		all         []float64
		median, p95 float64
	}{
		{[]float64{3, 1, 2}, 2, 3}, {[]float64{4, 1, 3, 2}, 2.5, 4}, {[]float64{7}, 7, 7}, {nil, math.NaN(), 0},
	} {
		if m, q := median(c.all), quantile(c.all, 0.95); m != c.median && !math.IsNaN(c.median) || q != c.p95 {
			t.Errorf("%v: median %v, p95 %v", c.all, m, q)
		}
	}
	rounds := []round{{Ours: measured{PerSecond: 9}, Floor: measured{PerSecond: 10}}, {Ours: measured{PerSecond: 12}, Floor: measured{PerSecond: 10}},
		{Ours: measured{PerSecond: 10}, Floor: measured{PerSecond: 10}}}
	if c := over(rounds, byRate, atLeast("rate", 0, 0.95, "")); !c.Met || c.Have != 1 || c.Low != 0.9 || c.High != 1.2 || c.had() != "1 (0.900 to 1.200)" {
		t.Errorf("%+v %s", c, c.had())
	}
}

func TestOperationsAreReadFromAHistory(t *testing.T) {
	began := time.Unix(1000, 0)
	event := func(at time.Duration, kind enumspb.EventType) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{EventType: kind, EventTime: timestamppb.New(began.Add(at))}
	}
	events := []*historypb.HistoryEvent{
		event(0, enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED),
		event(1, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),
		event(5, enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED),
		event(8, enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED),
		event(9, enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED),
		event(10, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED),
		event(11, enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED), // it has only begun
		event(20, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED),
		event(29, enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED),
	}
	took, children, err := operations(events)
	if err != nil || len(took) != 2 || took[0] != 7 || took[1] != 20 || len(children) != 1 {
		t.Errorf("%v %v %v", took, children, err)
	}
	if _, _, err := operations([]*historypb.HistoryEvent{events[1], events[1]}); err == nil {
		t.Error("two at once were taken for one after the other")
	}
}

func TestCountersAreSummedByLabel(t *testing.T) {
	before := counters{"action_total{action_type=a,namespace=n}": 1, "action_total{action_type=b,namespace=n}": 2}
	after := counters{"action_total{action_type=a,namespace=n}": 4, "action_total{action_type=b,namespace=n}": 2,
		"action_total{action_type=a,namespace=other}": 7, "service_requests{namespace=n,operation=StartActivityExecution,service_name=frontend}": 5,
		"service_requests{namespace=n,operation=StartActivityExecution,service_name=history}": 5}
	if kinds := after.actions("n"); kinds["a"] != 4 || kinds["b"] != 2 || kinds[startActivity] != 5 || total(kinds) != 11 {
		t.Errorf("%v", kinds)
	}
	if grown := after.since(before); grown.sum("action_total", "namespace=n") != 3 || grown.sum("action_total") != 10 || grown.sum("action") != 0 {
		t.Errorf("%v", grown)
	}
}

func TestTheAuditLogIsRead(t *testing.T) {
	const own = `"auth":{"metadata":{"role_name":"connected-apps-worker-development"}}`
	text := `{"type":"request",` + own + `,"request":{"operation":"read","path":"connected-apps/development/secrets/data/connections/sandbox/a"}}
{"type":"response",` + own + `,"request":{"operation":"read","path":"connected-apps/development/secrets/data/connections/sandbox/a"}}
{"type":"request",` + own + `,"request":{"operation":"update","path":"auth/token/renew-self"}}
{"type":"request","request":{"operation":"read","path":"connected-apps/development/secrets/data/connections/sandbox/b"}}
{"type":"request",` + own + `,"request":{"operation":"pat`
	all, err := readAudit([]byte(text))
	if err != nil || len(all) != 3 {
		t.Fatalf("%+v %v", all, err)
	}
	if counted(all, "data/", "read") != 2 || counted(byWorker(all), "", "read") != 1 || counted(byWorker(all), "", "update") != 0 {
		t.Errorf("%+v", all)
	}
}
