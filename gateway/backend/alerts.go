package backend

import (
	"context"
	"sync"
	"time"

	"connectedapps/workflows"
)

const (
	// AlertsMost is where counting ends: more open alerts than these are said to be more.
	AlertsMost = 99
	// alertsLife is how long a count is shown again without asking.
	alertsLife = 10 * time.Second
	// alertsEnd is how old a count may be and still be shown.
	alertsEnd = time.Minute
	// alertsTime bounds the question.
	alertsTime = 5 * time.Second
)

// AlertCounts keeps how many alerts are open in each environment. Nobody waits for a
// count: what is known is answered, and renewed behind. The zero value is ready.
type AlertCounts struct {
	// Behind runs a renewal; nil is a goroutine of its own.
	Behind func(renew func())

	mu   sync.Mutex
	kept map[string]*alertCount
}

type alertCount struct {
	open    int
	at      time.Time // when that was so; zero for never
	asking  bool
	changed time.Time // by somebody here
}

// Open answers how many alerts are open, at most [AlertsMost] and one; known is false
// where nobody has counted them within the last minute.
func (a *AlertCounts) Open(e Environment) (open int, known bool) {
	a.mu.Lock()
	kept := a.of(e.Name)
	begin := !kept.asking && time.Since(kept.at) >= alertsLife
	kept.asking = kept.asking || begin
	a.mu.Unlock()
	if begin {
		a.behind(func() { a.renew(e) })
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return kept.open, time.Since(kept.at) < alertsEnd
}

func (a *AlertCounts) behind(renew func()) {
	if a.Behind != nil {
		a.Behind(renew)
		return
	}
	go renew()
}

// renew counts. One that fails leaves what was known, until that is too old.
func (a *AlertCounts) renew(e Environment) {
	ctx, cancel := context.WithTimeout(context.Background(), alertsTime)
	defer cancel()
	begun := time.Now()
	rows, _, err := e.Client.ListAlerts(ctx, workflows.AlertFilter{}, AlertsMost+1, nil)
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := a.of(e.Name)
	kept.asking = false
	if err == nil && !begun.Before(kept.changed) {
		kept.open, kept.at = len(rows), begun
	}
}

// Saw takes a count from somebody who has just listed them all.
func (a *AlertCounts) Saw(environment string, open int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := a.of(environment)
	kept.open, kept.at = min(open, AlertsMost+1), time.Now()
}

// Changed forgets an environment's count: somebody has just resolved one of its alerts.
func (a *AlertCounts) Changed(environment string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := a.of(environment)
	kept.at, kept.changed = time.Time{}, time.Now()
}

// of is called with the lock held.
func (a *AlertCounts) of(environment string) *alertCount {
	if a.kept == nil {
		a.kept = map[string]*alertCount{}
	}
	if a.kept[environment] == nil {
		a.kept[environment] = &alertCount{}
	}
	return a.kept[environment]
}
