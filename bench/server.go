package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"github.com/prometheus/common/expfmt"
)

// counters are the values of Temporal's own metrics, by name and labels.
type counters map[string]float64

// counters reads Temporal's metrics endpoint. The count and the sum of a histogram stand under its name and _count or _sum.
func (r *rig) counters(ctx context.Context) (counters, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.ready.TemporalMetrics, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("temporal's metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, fmt.Errorf("temporal's metrics: %w", err)
	}
	all := counters{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			labels := make([]string, 0, len(m.GetLabel()))
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			slices.Sort(labels)
			key := "{" + strings.Join(labels, ",") + "}"
			switch {
			case m.Counter != nil:
				all[name+key] = m.GetCounter().GetValue()
			case m.Gauge != nil:
				all[name+key] = m.GetGauge().GetValue()
			case m.Histogram != nil:
				all[name+"_count"+key] = float64(m.GetHistogram().GetSampleCount())
				all[name+"_sum"+key] = m.GetHistogram().GetSampleSum()
			}
		}
	}
	return all, nil
}

// sum adds what is called so and has all the labels, each NAME=value.
func (c counters) sum(name string, labels ...string) float64 {
	total := 0.0
	for key, value := range c {
		own, rest, _ := strings.Cut(key, "{")
		if own == name && hasAll(strings.Split(strings.TrimSuffix(rest, "}"), ","), labels) {
			total += value
		}
	}
	return total
}

func hasAll(have, want []string) bool {
	for _, w := range want {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}

// since is what was counted after an earlier reading, without what did not change.
func (c counters) since(before counters) counters {
	grown := counters{}
	for key, value := range c {
		if value != before[key] {
			grown[key] = value - before[key]
		}
	}
	return grown
}

// actionCounter counts what Temporal bills as actions, startActivity one kind of them.
const actionCounter, startActivity = "action", "grpc_StartActivityExecution"

// actions are the server's actions in the environment's namespace, by kind.
func (c counters) actions(namespace string) map[string]float64 {
	kinds := map[string]float64{}
	for key, value := range c {
		name, rest, _ := strings.Cut(key, "{")
		labels := strings.Split(strings.TrimSuffix(rest, "}"), ",")
		if strings.TrimSuffix(name, "_total") != actionCounter || !hasAll(labels, []string{"namespace=" + namespace}) {
			continue
		}
		kind := ""
		for _, l := range labels {
			if text, ok := strings.CutPrefix(l, "action_type="); ok {
				kind = text
			}
		}
		kinds[kind] += value
	}
	// Temporal Cloud bills the start of a standalone activity as an action; server 1.32
	// does not count it among them yet.
	if n := c.sum("service_requests", "operation=StartActivityExecution", "service_name=frontend", "namespace="+namespace) +
		c.sum("service_requests_total", "operation=StartActivityExecution", "service_name=frontend", "namespace="+namespace); n > 0 && kinds[startActivity] == 0 {
		kinds[startActivity] = n
	}
	return kinds
}

// counting answers the server's actions that do has cost, by kind. It waits until
// what do started has settled in the metrics.
func (r *rig) counting(ctx context.Context, do func() error) (map[string]float64, error) {
	before, err := r.settled(ctx)
	if err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	after, err := r.settled(ctx)
	if err != nil {
		return nil, err
	}
	kinds := map[string]float64{}
	was, is := before.actions(r.client.Namespace()), after.actions(r.client.Namespace())
	for kind, value := range is {
		if value != was[kind] {
			kinds[kind] = value - was[kind]
		}
	}
	return kinds, nil
}

// settled reads the counters once two readings agree on the actions.
func (r *rig) settled(ctx context.Context) (counters, error) {
	last, err := r.counters(ctx)
	for err == nil {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
		var now counters
		if now, err = r.counters(ctx); err == nil {
			if maps.Equal(now.actions(r.client.Namespace()), last.actions(r.client.Namespace())) {
				return now, nil
			}
			last = now
		}
	}
	return nil, err
}

func total(kinds map[string]float64) float64 {
	all := 0.0
	for _, value := range kinds {
		all += value
	}
	return all
}

// history is every event of a run; "" is the current one.
func (r *rig) history(ctx context.Context, workflowID, runID string) ([]*historypb.HistoryEvent, error) {
	var events []*historypb.HistoryEvent
	for it := r.client.Temporal.GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
		event, err := it.Next()
		if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, nil
}
