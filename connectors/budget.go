package connectors

import (
	"fmt"
	"time"
)

// Budget is how many requests are sent at most, by all workers together: in
// windows of Per, the first of which begins with the first request.
type Budget struct {
	Requests int           `yaml:"requests"`
	Per      time.Duration `yaml:"per"`
	// Of says what the app counts by; "" is [BudgetOfConnection]. Only the budget of an
	// API has it: that of a token endpoint is always the client's.
	Of string `yaml:"of"`
}

// Values of [Budget.Of].
const (
	// BudgetOfConnection counts the requests of each connection apart.
	BudgetOfConnection = "connection"
	// BudgetOfClient counts those of all connections by one auth config together. A
	// connection without one is counted by itself.
	BudgetOfClient = "client"
)

// TokenBudget follows an app's ID where its token endpoint's budget is meant and not its API's.
const TokenBudget = ":token"

// Bounds of a budget. Vault tells the time to the second, so that no shorter window
// can be kept; and one that is longer than a month is not what any API means.
const (
	MinBudgetPer, MaxBudgetPer = time.Second, 31 * 24 * time.Hour
	MaxBudgetRequests          = 1_000_000_000
)

// budget checks numbers that a schema cannot; nil is fine.
func (r *report) budget(path []string, b *Budget) {
	if b == nil {
		return
	}
	if b.Per < MinBudgetPer || b.Per > MaxBudgetPer {
		r.add(below(path, "per"), fmt.Sprintf("a budget is counted in windows of %s to %s", MinBudgetPer, MaxBudgetPer))
	}
	if b.Requests > MaxBudgetRequests {
		r.add(below(path, "requests"), "a budget this large bounds nothing: leave it out")
	}
}
