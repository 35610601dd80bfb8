package main

import (
	"maps"
	"net/http"
	"time"
)

// The store faults.
const (
	storeWell    = "none"
	storeSlow    = "slow"
	storeRefused = "refused"
	storeSealed  = "sealed"
	storeLost    = "answer-lost"
	storeStandby = "standby"
)

var storeFaults = []string{storeWell, storeSlow, storeRefused, storeSealed, storeLost, storeStandby}

const (
	// slowness is what a slow store adds to each request.
	slowness = 800 * time.Millisecond
	// answersLost is how many writes are committed without an answer, one after the other.
	answersLost = 2
)

// storeFault is how Vault treats one connection for a while.
type storeFault struct {
	kind  string
	until time.Time
	left  int // answers still to be lost
}

// breakFor breaks the store for one connection from now on, for a while.
func (g *gate) breakFor(subject, kind string, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults[subject] = &storeFault{kind: kind, until: time.Now().Add(d), left: answersLost}
}

// mend ends all store faults of a connection.
func (g *gate) mend(subject string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.faults, subject)
}

// met is how many requests have met each store fault.
func (g *gate) met() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.broken)
}

// faultOf takes the fault that this request meets.
func (g *gate) faultOf(c call) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.faults[c.subject]
	if f == nil || f.kind == storeWell || time.Now().After(f.until) {
		return storeWell
	}
	if f.kind == storeLost {
		if !c.write || f.left == 0 {
			return storeWell
		}
		f.left--
	}
	g.broken[f.kind]++
	return f.kind
}

// breakStore answers for Vault where its fault is not only slowness.
func (g *gate) breakStore(w http.ResponseWriter, r *http.Request, body []byte, c call) bool {
	fault := g.faultOf(c)
	if fault != storeWell && fault != storeSlow && fault != storeLost {
		g.mu.Lock()
		g.calls = append(g.calls, c) // it was tried, and nobody answered
		g.mu.Unlock()
	}
	switch fault {
	case storeSlow:
		time.Sleep(slowness)
		return false
	case storeRefused:
		cut(w)
	case storeSealed:
		refuse(w, http.StatusServiceUnavailable, "Vault is sealed")
	case storeStandby:
		refuse(w, http.StatusInternalServerError, "local node not active but active cluster node not found")
	case storeLost:
		_, _ = g.forward(r, g.vault, body, &c)
		cut(w)
	default:
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"errors":["` + why + `"]}`))
}
