package main

import "time"

// release is what becomes of the requests that were held.
type release int

const (
	// drop cuts the connection: the request never arrived, or its answer is lost.
	drop release = iota
	// late lets a request arrive after its sender has died.
	late
	// deliver goes on as if nothing had been.
	deliver
	// fail answers 500 to what was carried out.
	fail
)

// heldAtMost is the longest that a request is held, should a round forget it.
const heldAtMost = 2 * time.Minute

// hold keeps the requests of some connections at one point of a lane.
type hold struct {
	kind     kind
	answered bool // after the server has answered, instead of before it is asked
	waiting  map[string]bool
	arrived  chan string
	done     chan struct{}
	how      release
}

// wait blocks until the round says what becomes of the request.
func (h *hold) wait() release {
	select {
	case <-h.done:
		return h.how
	case <-time.After(heldAtMost):
		return drop
	}
}

// holdAt has the next request of that kind of each connection held.
func (g *gate) holdAt(environment string, at point, subjects []string) *hold {
	h := &hold{kind: at.kind, answered: at.answered, waiting: map[string]bool{}, arrived: make(chan string, len(subjects)), done: make(chan struct{})}
	for _, subject := range subjects {
		h.waiting[subject] = true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holds[environment] = h
	return h
}

// let says what becomes of what is held, and holds nothing more.
func (g *gate) let(environment string, how release) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if h := g.holds[environment]; h != nil {
		h.how = how
		close(h.done)
		delete(g.holds, environment)
	}
}

// seal holds nothing more at the point, and leaves what is held there.
func (h *hold) seal(g *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(h.waiting)
}

// arrive answers the hold that waits for this request; nil for none.
func (g *gate) arrive(c call) *hold {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.holds[environmentOf(c.subject)]
	if h == nil || h.kind != c.kind || !h.waiting[c.subject] {
		return nil
	}
	delete(h.waiting, c.subject)
	h.arrived <- c.subject
	return h
}

// await collects who has come to the point, until all have or the time is up.
func (h *hold) await(subjects int, within time.Duration) map[string]bool {
	came := map[string]bool{}
	deadline := time.After(within)
	for len(came) < subjects {
		select {
		case subject := <-h.arrived:
			came[subject] = true
		case <-deadline:
			return came
		}
	}
	return came
}
