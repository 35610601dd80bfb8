package api

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// serve is a real server with the deadlines that the gateway's has, only shorter.
func (b *bench) serve() string {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.handler.ServeHTTP(w, r) }))
	server.Config.ReadTimeout, server.Config.WriteTimeout = 100*time.Millisecond, 250*time.Millisecond
	server.Start()
	b.t.Cleanup(server.Close)
	site, err := web.ParseSite(server.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	b.api.site = site
	return server.URL
}

func (b *bench) set(phase workflows.Phase) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Phase = phase
}

func (b *bench) watch(base string, change ...func(*http.Request)) *http.Response {
	b.t.Helper()
	u, err := url.Parse(base + Prefix + one + "/connect/events")
	if err != nil {
		b.t.Fatal(err)
	}
	r := &http.Request{Method: "GET", URL: u, Header: http.Header{"Authorization": {"Bearer viewer"}}}
	for _, f := range change {
		f(r)
	}
	response, err := http.DefaultClient.Do(r.WithContext(b.t.Context()))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestEvents(t *testing.T) {
	b := newBench(t)
	b.api.pace.ping = 50 * time.Millisecond
	base := b.serve()
	response := b.watch(base)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
	go func() { // longer than both deadlines of the server
		time.Sleep(400 * time.Millisecond)
		b.set(workflows.PhaseTesting)
		time.Sleep(100 * time.Millisecond)
		b.set(workflows.PhaseActive)
	}()
	var phases []string
	var id string
	pings := 0
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		line := lines.Text()
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			var p Progress
			if err := json.Unmarshal([]byte(data), &p); err != nil {
				t.Fatal(err)
			}
			phases = append(phases, p.Phase)
		}
		if text, ok := strings.CutPrefix(line, "id: "); ok {
			id = text
		}
		if strings.HasPrefix(line, ":") {
			pings++
		}
	}
	if lines.Err() != nil || strings.Join(phases, " ") != "test-failed testing active" || pings == 0 {
		t.Errorf("%v, %d pings, %v", phases, pings, lines.Err())
	}
	// A browser that comes back has seen the end, and is told not to come again.
	if again := b.watch(base, func(r *http.Request) { r.Header.Set("Last-Event-ID", id) }); again.StatusCode != http.StatusNoContent {
		t.Errorf("%d", again.StatusCode)
	}
	b.api.streams.mu.Lock()
	defer b.api.streams.mu.Unlock()
	if b.api.streams.all != 0 {
		t.Errorf("%d streams are open still", b.api.streams.all)
	}
}

func TestEventsEndWithAProblem(t *testing.T) {
	b := newBench(t)
	response := b.watch(b.serve())
	b.mu.Lock()
	b.fails["Progress"] = connection.Refused(connection.ErrSessionClosed, "forgotten", "")
	b.mu.Unlock()
	text, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(text), "event: problem\ndata: {\"type\":\"urn:connected-apps:error:SessionClosed\"") {
		t.Errorf("%v %s", err, text)
	}
	b.do("viewer", "GET", one+"/connect/events", "", func(r *http.Request) { r.Host = strings.TrimPrefix(b.api.site.String(), "http://") }).
		problem(http.StatusGone, "SessionClosed")
}

func TestEventsAreBounded(t *testing.T) {
	b := newBench(t)
	b.api.pace.life = 50 * time.Millisecond
	base := b.serve()
	if _, err := io.ReadAll(b.watch(base).Body); err != nil {
		t.Errorf("a stream that has lived long enough does not end in order: %v", err)
	}
	b.api.streams.each = map[string]int{"token/viewer": maxStreamsEach}
	if response := b.watch(base); response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("%d", response.StatusCode)
	}
}

// changing is an authenticator whose mind can be changed.
type changing struct {
	mu sync.Mutex
	people
}

func (c *changing) Identify(r *http.Request) (access.Person, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.people.Identify(r)
}

func TestEventsEndWithTheRightToSeeThem(t *testing.T) {
	for name, c := range map[string]struct {
		change func(people)
		want   string
	}{
		"a revoked token": {func(p people) { delete(p, "viewer") }, connection.ErrNotSignedIn},
		"a lost role":     {func(p people) { p["viewer"] = access.Person{Subject: "token/viewer"} }, connection.ErrNotAllowed},
		"another person":  {func(p people) { p["viewer"] = p["admin"] }, connection.ErrNotSignedIn},
	} {
		b := newBench(t)
		b.api.pace.identify = 5 * time.Millisecond
		known := &changing{people: b.api.authenticator.(people)}
		b.api.authenticator = known
		response := b.watch(b.serve())
		first := make([]byte, 6)
		if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "event:" {
			t.Fatalf("%q, %v", first, err)
		}
		time.Sleep(20 * time.Millisecond) // it goes on as long as nothing changes
		known.mu.Lock()
		c.change(known.people)
		known.mu.Unlock()
		text, err := io.ReadAll(response.Body)
		if err != nil || !strings.Contains(string(text), "event: problem\n") || !strings.Contains(string(text), c.want) {
			t.Errorf("%s: %v %s", name, err, text)
		}
	}
}

func TestEventsEndWhenTheServerStops(t *testing.T) {
	b := newBench(t)
	stopping, stop := context.WithCancel(t.Context())
	inner := b.handler
	b.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r.WithContext(web.WithStop(r.Context(), stopping)))
	})
	response := b.watch(b.serve())
	time.AfterFunc(20*time.Millisecond, stop)
	began := time.Now()
	if text, err := io.ReadAll(response.Body); err != nil || strings.Contains(string(text), "problem") || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s: %s", err, time.Since(began), text)
	}
}

// net/http takes a client for gone once the deadline for reading passes.
func TestSlowAnswersOutliveTheReadDeadline(t *testing.T) {
	b := newBench(t)
	base := b.serve()
	b.run = func(ctx context.Context) (*activities.CallActionResult, error) {
		select {
		case <-time.After(200 * time.Millisecond):
			return &activities.CallActionResult{Data: json.RawMessage(`1`)}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for _, body := range []string{"", `{}`} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", base+Prefix+one+"/actions/list-maps", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer operator")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%d %s", response.StatusCode, text)
		}
	}
}
