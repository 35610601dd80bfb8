package deployment

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// Budgets are the operator's limits, in place of those of the definitions: by app ID
// for its API, by app ID and [connectors.TokenBudget] for its token endpoint. One
// without requests removes a limit. Nil changes nothing.
type Budgets map[string]connectors.Budget

const budgetsName = "CONNECTED_APPS_BUDGETS"

// budgetForm is how a budget is written, for whoever wrote it otherwise.
const budgetForm = "write it as github=5000/1h, slack:token=100/1m, or github=0 for no limit"

// readBudgets understands entries such as github=5000/1h, slack:token=100/1m and github=0.
func readBudgets(entries []string) (Budgets, error) {
	var budgets Budgets
	for _, entry := range entries {
		name, text, ok := strings.Cut(entry, "=")
		name = strings.TrimSpace(name)
		if app := strings.TrimSuffix(name, connectors.TokenBudget); !ok || connection.CheckSlug(budgetsName, app) != nil {
			return nil, badBudget(entry, "does not name an app")
		}
		if _, twice := budgets[name]; twice {
			return nil, badBudget(entry, "is there twice")
		}
		budget, wrong := readBudget(strings.TrimSpace(text))
		if wrong != "" {
			return nil, badBudget(entry, wrong)
		}
		if budgets == nil {
			budgets = Budgets{}
		}
		budgets[name] = budget
	}
	return budgets, nil
}

// readBudget understands 5000/1h and 0; wrong says what is not understood.
func readBudget(text string) (budget connectors.Budget, wrong string) {
	if text == "0" {
		return budget, ""
	}
	requests, per, _ := strings.Cut(text, "/")
	var err error
	if budget.Requests, err = strconv.Atoi(requests); err != nil || budget.Requests < 1 || budget.Requests > connectors.MaxBudgetRequests {
		return budget, fmt.Sprintf("has no number of requests from 1 to %d", connectors.MaxBudgetRequests)
	}
	if budget.Per, err = time.ParseDuration(per); err != nil || budget.Per < connectors.MinBudgetPer || budget.Per > connectors.MaxBudgetPer {
		return budget, fmt.Sprintf("has no time from %s to %s", connectors.MinBudgetPer, connectors.MaxBudgetPer)
	}
	return budget, ""
}

func badBudget(entry, wrong string) error {
	return connection.InvalidInput(budgetsName, fmt.Sprintf("%q %s", connection.Bound(entry, 100), wrong), budgetForm)
}

// Check reports, as an ErrInvalidInput, a budget of an app that the catalogue does
// not have, or of a token endpoint that the app does not have.
func (b Budgets) Check(catalogue *connectors.Catalogue) error {
	for _, name := range slices.Sorted(maps.Keys(b)) {
		id, token := strings.CutSuffix(name, connectors.TokenBudget)
		app, err := catalogue.App(id)
		if err != nil {
			return connection.InvalidInput(budgetsName, fmt.Sprintf("there is no app %q", connection.Bound(id, 63)),
				"name an app that is listed by: connected-apps apps list")
		}
		if token && !slices.ContainsFunc(app.Methods, func(m *connectors.Method) bool { return m.OAuth != nil }) {
			return connection.InvalidInput(budgetsName, app.Name+" has no token endpoint", "give a budget of its API: "+id+"=REQUESTS/TIME")
		}
	}
	return nil
}
