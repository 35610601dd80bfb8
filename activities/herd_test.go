package activities

import (
	"container/heap"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectedapps/connection"
)

// herdBudget is how many requests a minute the token endpoint takes of all
// connections of the auth config together.
const herdBudget = 600

// looker is the next look of one connection, as Temporal's retry timer keeps it.
type looker struct {
	at   time.Time
	in   WatchInput
	done bool // a look has found it refreshed
}

// timers is Temporal: the earliest look first.
type timers []*looker

func (q timers) Len() int           { return len(q) }
func (q timers) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q timers) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *timers) Push(x any)        { *q = append(*q, x.(*looker)) }
func (q *timers) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// counting is a network that notes when the token endpoint was asked.
type counting struct {
	next  http.RoundTripper
	asked *[]time.Time
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/oauth/token") {
		*c.asked = append(*c.asked, time.Now())
	}
	return c.next.RoundTrip(r)
}

// gather makes the herd: tokens that were issued age ago, and first looks within spread.
func (w *world) gather(size int, age, spread time.Duration, reported Look) timers {
	w.t.Helper()
	now := w.vault.peekNow()
	issued, queue := now.Add(-age), make(timers, size)
	reported.Grant, reported.Generation = "g", 1
	for i := range queue {
		name := fmt.Sprintf("c%05d", i)
		id := connection.ID("development/sandbox/" + name)
		access, refresh := w.provider.issue(name)
		document := connection.Document{Grant: "g", Generation: 1, AuthConfig: testConfig,
			Gate: connection.Gate{Status: connection.Active, Grant: "g"},
			Credential: connection.Credential{Method: "oauth", Values: map[string]string{"base_url": w.provider.URL},
				Tokens: map[string]connection.Token{connection.DefaultToken: {
					Access: connection.NewSecret(access), Refresh: connection.NewSecret(refresh),
					IssuedAt: issued, ExpiresAt: issued.Add(time.Hour)}}}}
		ref := connection.CredentialRef{Connection: id}
		if _, err := w.vault.compareAndSet(ref, document, 0); err != nil {
			w.t.Fatal(err)
		}
		facts := map[connection.Fact]time.Time{connection.FactLastOK: now, connection.FactLastProbe: now}
		if reported.Status == connection.Error {
			facts = map[connection.Fact]time.Time{connection.FactLastOK: issued, connection.FactFailingSince: issued.Add(time.Hour)}
		}
		_ = w.vault.Note(context.Background(), ref, facts)
		queue[i] = &looker{at: time.Now().Add(jitter(id.String(), spread)),
			in: WatchInput{Connection: id, Policy: connection.Policy{ProbeEvery: 24 * time.Hour}, Reported: reported}}
	}
	heap.Init(&queue)
	return queue
}

// drive looks as Temporal would, by several workers, until all are refreshed or the
// time is over. It answers how many looks that took.
func (w *world) drive(workers []*Activities, queue timers, most time.Duration) (looks int) {
	w.t.Helper()
	until, left := time.Now().Add(most), len(queue)
	for left > 0 && queue[0].at.Before(until) {
		next := queue[0]
		if wait := time.Until(next.at); wait > 0 {
			time.Sleep(wait)
		}
		look, wait, err := workers[looks%len(workers)].look(context.Background(), next.in)
		if err != nil {
			w.t.Fatalf("%s: %v", next.in.Connection, err)
		}
		if look.Status == connection.Expired {
			w.t.Fatalf("%s expired: %s", next.in.Connection, look.Reason)
		}
		if looks++; look.news(next.in.Reported) {
			next.in.Reported, wait = look, time.Second
		}
		if look.Generation > 1 && !next.done {
			next.done = true
			left--
		}
		next.at = time.Now().Add(max(wait, time.Second))
		heap.Fix(&queue, 0)
	}
	if left > 0 {
		w.t.Errorf("%d of %d were not refreshed within %s", left, len(queue), most)
	}
	return looks
}

// busiest is the largest number of requests in one window. A window begins with the first request after the last one.
func busiest(asked []time.Time, per time.Duration) (most, windows int) {
	var began time.Time
	count := 0
	for _, at := range asked {
		if windows == 0 || at.Sub(began) >= per {
			began, count = at, 0
			windows++
		}
		count++
		most = max(most, count)
	}
	return most, windows
}

// Ten thousand connections fall due together, and after a day without anybody to
// look. Three workers renew them within the budget that the definition declares:
// never more, hardly longer than it takes, nobody forgotten, nobody expired.
func TestTheHerdKeepsToTheBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("ten thousand connections")
	}
	for name, test := range map[string]struct {
		size        int
		age, spread time.Duration
		reported    Look
	}{
		"due together": {10_000, 54 * time.Minute, time.Second, Look{Status: connection.Active, Verdict: connection.OK}},
		"after a day's outage": {4_000, 25 * time.Hour, troubleMax, Look{Status: connection.Error, Verdict: connection.Transient,
			Reason: "the sandbox answered 503"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			w.custom("client_auth: basic\n      scopes:\n        default: [offline_access]\n      authorize:",
				fmt.Sprintf("client_auth: basic\n      budget: {requests: %d, per: 1m}\n      scopes:\n        default: [offline_access]\n      authorize:", herdBudget))
			var asked []time.Time
			looks := 0
			synctest.Test(t, func(*testing.T) {
				var workers []*Activities
				for range 3 {
					a := w.inside()
					a.Provider.Transport = counting{a.Provider.Transport, &asked}
					workers = append(workers, a)
				}
				looks = w.drive(workers, w.gather(test.size, test.age, test.spread, test.reported), time.Duration(test.size/herdBudget+5)*time.Minute)
			})
			most, windows := busiest(asked, time.Minute)
			if most > herdBudget || len(asked) != test.size {
				t.Errorf("%d requests in one minute, %d of all", most, len(asked))
			}
			leases := 0
			for _, budget := range w.vault.budgets {
				leases += budget.version
			}
			if leases > 2*test.size/minLease || leases == 0 {
				t.Errorf("%d writes of leases", leases)
			}
			if len(w.provider.dead) > 0 || len(w.told.signals()) != 0 {
				t.Errorf("%d grants ended, signals %q", len(w.provider.dead), w.told.signals())
			}
			if looks > 3*test.size { // one that is told nothing comes back for every window: nine times here
				t.Errorf("%d looks for %d connections", looks, test.size)
			}
			t.Logf("%d looks, %d windows, at most %d requests in one, %d leases", looks, windows, most, leases)
		})
	}
}

// The control of the test above: where nothing declares a budget, the same herd, though smaller, asks for more in its
// first minute than the budget would let through. So it is the budget that holds the other one back.
func TestAHerdWithoutABudgetComesAtOnce(t *testing.T) {
	const size = herdBudget + 200
	w := newWorld(t, "strict")
	var asked []time.Time
	synctest.Test(t, func(*testing.T) {
		a := w.inside()
		a.Provider.Transport = counting{a.Provider.Transport, &asked}
		w.drive([]*Activities{a}, w.gather(size, 54*time.Minute, time.Second, Look{Status: connection.Active, Verdict: connection.OK}), 10*time.Minute)
	})
	if most, _ := busiest(asked, time.Minute); most <= herdBudget || len(asked) != size {
		t.Errorf("%d requests in one minute, %d of all, so the test of the herd proves nothing", most, len(asked))
	}
}
