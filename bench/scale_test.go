package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

// What grows with the size in every round is upward; what does not, or only by chance, is not.
func TestTrendTellsARiseFromChance(t *testing.T) {
	for name, test := range map[string]struct {
		groups [][]float64
		upward bool
	}{
		"always":         {[][]float64{{1, 2, 3, 4, 5}, {2, 3, 4, 5, 6}, {3, 4, 5, 6, 7}}, true},
		"but for once":   {[][]float64{{1, 2, 3, 4, 9}, {2, 3, 4, 5, 6}, {3, 4, 5, 6, 7}}, true},
		"by chance":      {[][]float64{{1, 3, 2, 3, 1}, {2, 2, 3, 1, 3}, {3, 1, 1, 2, 2}}, false},
		"never":          {[][]float64{{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}, false},
		"the other way":  {[][]float64{{3, 3, 3, 3, 3}, {2, 2, 2, 2, 2}, {1, 1, 1, 1, 1}}, false},
		"over the round": {[][]float64{{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}}, false},
	} {
		if z := trend(test.groups); (z > 1.64) != test.upward {
			t.Errorf("%s: %.2f", name, z)
		}
	}
	// Page (1963): three groups, five rounds, L = 66 is the bound at 5 %; the mean is 60 and the variance 10.
	if z := trend([][]float64{{1, 1, 1, 1, 1}, {2, 2, 2, 2, 2}, {3, 3, 3, 3, 3}}); math.Abs(z-10/math.Sqrt(10)) > 1e-9 {
		t.Errorf("%f", z)
	}
}

func TestBusiestCountsWindows(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var tokens []ledgerEntry
	for _, second := range []int{0, 1, 9, 12, 13, 14, 15, 40} { // windows begin at 0, 12 and 40
		tokens = append(tokens, ledgerEntry{Time: began.Add(time.Duration(second) * time.Second)})
	}
	h := &herdRun{rate: 1}
	if n := h.busiest(tokens); n != 4 {
		t.Errorf("%d in the busiest window", n)
	}
}

func TestSizesGrow(t *testing.T) {
	if sizes, err := readSizes("1000,5000,20000"); err != nil || !slices.Equal(sizes, []int{1000, 5000, 20000}) {
		t.Errorf("%v %v", sizes, err)
	}
	for _, wrong := range []string{"", "1000", "5000,1000", "1000,x", "1,2"} {
		if sizes, err := readSizes(wrong); err == nil {
			t.Errorf("%q: %v", wrong, sizes)
		}
	}
}

func TestTogetherStopsAtTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	err := together(t.Context(), 1000, 1, func(_ context.Context, i int) error {
		if i > 3 {
			t.Errorf("went on with %d", i)
		}
		if i == 3 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := together(t.Context(), 100, 8, func(context.Context, int) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestAcrossJudgesTheMedian(t *testing.T) {
	if c := across([]float64{1, 9, 2}, atMost("", 0, 2, "")); !c.Met || c.Have != 2 || c.Low != 1 || c.High != 9 {
		t.Errorf("%+v", c)
	}
	if c := across([]float64{1, 9, 3}, atMost("", 0, 2, "")); c.Met {
		t.Errorf("%+v", c)
	}
}

func TestLookCostCountsOnlyItsNamespace(t *testing.T) {
	c := counters{
		"service_requests_total{namespace=a,operation=RespondActivityTaskFailed,service_name=frontend}": 4,
		"service_requests_total{namespace=b,operation=RespondActivityTaskFailed,service_name=frontend}": 9,
		"service_requests_total{namespace=a,operation=RespondActivityTaskFailed,service_name=history}":  9,
		"persistence_requests_total{namespace=a,operation=UpdateWorkflowExecution}":                     8,
		"persistence_requests_total{namespace=a,operation=GetWorkflowExecution}":                        9,
		"action_total{action_type=activity_retry,namespace=a}":                                          4,
	}
	cost := c.lookCost("a")
	if cost.looks != 4 || total(cost.writes) != 8 || total(cost.actions) != 4 {
		t.Errorf("%+v", cost)
	}
}
