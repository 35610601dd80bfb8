package deployment

import (
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

func TestBudgetsAreRead(t *testing.T) {
	t.Setenv(budgetsName, " github=5000/1h, sandbox=10/1s,slack:token=100/1m,notion=0,")
	s, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	want := Budgets{"github": {Requests: 5000, Per: time.Hour}, "sandbox": {Requests: 10, Per: time.Second},
		"slack:token": {Requests: 100, Per: time.Minute}, "notion": {}}
	for name, budget := range want {
		if got, ok := s.Budgets[name]; !ok || got != budget {
			t.Errorf("%s is %+v (%t), want %+v", name, got, ok, budget)
		}
	}
	if len(s.Budgets) != len(want) {
		t.Errorf("%v", s.Budgets)
	}
	t.Setenv(budgetsName, "")
	if s, err = Read(); err != nil || s.Budgets != nil {
		t.Errorf("%v, %v where nothing is set", s.Budgets, err)
	}
}

func TestBudgetsThatCannotBeUnderstood(t *testing.T) {
	for entry, want := range map[string]string{
		"github":                "does not name an app",
		"=5/1s":                 "does not name an app",
		"Git Hub=5/1s":          "does not name an app",
		"github:api=5/1s":       "does not name an app",
		"github=1/1s,github=0":  "is there twice",
		"github=":               "has no number of requests",
		"github=many/1h":        "has no number of requests",
		"github=-1/1h":          "has no number of requests",
		"github=0/1h":           "has no number of requests",
		"github=2000000000/1h":  "has no number of requests",
		"github=5":              "has no time",
		"github=5/hour":         "has no time",
		"github=5/10ms":         "has no time",
		"github=5/1000h":        "has no time",
		"github=5/-1h":          "has no time",
		"github=5/1h,slack=x/y": `"slack=x/y"`,
	} {
		t.Setenv(budgetsName, entry)
		_, err := Read()
		if connection.TypeOf(err) != connection.ErrInvalidInput || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want: %s", entry, err, want)
		}
		if p, ok := connection.AsProblem(err); !ok || p.Field != budgetsName || p.Remedy == "" {
			t.Errorf("%s: the variable or what to do is not named: %+v", entry, p)
		}
	}
}

func TestBudgetsAreOfAppsThatThereAre(t *testing.T) {
	catalogue, err := connectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	one := connectors.Budget{Requests: 1, Per: time.Minute}
	for name, want := range map[string]string{
		"sandbox": "", "sandbox:token": "", "sandbx": `there is no app "sandbx"`, "nonsense:token": `there is no app "nonsense"`,
		"anthropic:token": "has no token endpoint",
	} {
		err := Budgets{name: one}.Check(catalogue)
		if want == "" && err != nil || want != "" && (connection.TypeOf(err) != connection.ErrInvalidInput || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want: %s", name, err, want)
		}
	}
	if err := Budgets(nil).Check(catalogue); err != nil {
		t.Error(err)
	}
}
