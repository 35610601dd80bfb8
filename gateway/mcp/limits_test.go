package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"connectedapps/connection"
	"connectedapps/gateway/access"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// One caller has so many sets of tools at once: what they do not use makes room, what
// they use does not, and others are not touched.
func TestBoxesOfOneCaller(t *testing.T) {
	b := newBench(t)
	s := &b.handler.boxes
	named := func(i int) view {
		return view{refs: []connection.ToolkitRef{ref(fmt.Sprintf("development/atlas/a%d", i))}}
	}
	get := func(subject string, i int) *box {
		t.Helper()
		got, err := s.of(subject, named(i))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	others := get("b", 0)
	others.release()
	var held []*box
	for i := range maxBoxesEach {
		held = append(held, get("a", i))
	}
	if _, err := s.of("a", named(maxBoxesEach)); connection.TypeOf(err) != connection.ErrRateLimited {
		t.Fatalf("one more than a caller may use: %v", err)
	}
	if get("a", 3) != held[3] {
		t.Error("what is there already was made again")
	}
	held[3].release()
	held[7].release()
	held[3].release()
	get("a", maxBoxesEach) // in place of 7
	if get("a", 3) != held[3] {
		t.Error("what was used later made room")
	}
	if _, err := s.of("a", named(7)); connection.TypeOf(err) != connection.ErrRateLimited {
		t.Errorf("what made room is still there: %v", err)
	}
	if get("b", 0) != others {
		t.Error("another caller's made room")
	}
}

// Requests leave nothing in use behind them.
func TestRequestsReleaseBoxes(t *testing.T) {
	b := newBench(t)
	for _, query := range []string{"?toolkit=development/atlas/main", "?toolkit=development/atlas/none"} {
		b.post(query, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Authorization": "Bearer operator"})
	}
	eventually(t, "the release", func() bool {
		b.handler.boxes.mu.Lock()
		defer b.handler.boxes.mu.Unlock()
		for _, one := range b.handler.boxes.all {
			if _, unused := one.unused(); !unused {
				return false
			}
		}
		return len(b.handler.boxes.all) == 2
	})
}

// A caller opens so many sessions, however fast; one that ends makes room, requests in
// them are not counted, and neither are other callers and clients without sessions.
func TestSessionsOfOneCaller(t *testing.T) {
	b := newBench(t)
	b.guard.known["other"] = access.Person{Subject: "token:development/other", Toolkits: b.guard.known["agent"].Toolkits}
	agent := func() map[string]string { return map[string]string{"Authorization": "Bearer agent"} }
	for range maxSessionsEach + 5 { // what opens none leaves none
		if status, _, text := b.post("", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, agent()); status == http.StatusTooManyRequests {
			t.Fatal(text)
		}
	}
	var opened, refused atomic.Int32
	var id atomic.Value
	var all sync.WaitGroup
	for range maxSessionsEach + 5 {
		all.Go(func() {
			status, header, text := b.post("", initialize, agent())
			switch {
			case status == 200:
				opened.Add(1)
				id.Store(header.Get("Mcp-Session-Id"))
			case status == http.StatusTooManyRequests && header.Get("Retry-After") == "10" && strings.Contains(text, connection.ErrRateLimited):
				refused.Add(1)
			default:
				t.Errorf("%d: %s", status, text)
			}
		})
	}
	all.Wait()
	if opened.Load() != maxSessionsEach || refused.Load() != 5 {
		t.Fatalf("%d were opened, %d refused", opened.Load(), refused.Load())
	}
	in := agent()
	in["Mcp-Session-Id"] = id.Load().(string)
	if status, _, text := b.post("", `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`, in); status != 200 {
		t.Errorf("a request in a session: %d: %s", status, text)
	}
	if status, _, text := b.post("", initialize, map[string]string{"Authorization": "Bearer other"}); status != 200 {
		t.Errorf("another caller: %d: %s", status, text)
	}
	b.names(b.connect("agent", "", "", nil))
	r, err := http.NewRequestWithContext(context.Background(), http.MethodDelete, b.server.URL+Path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range in {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	eventually(t, "room for another session", func() bool { status, _, _ := b.post("", initialize, agent()); return status == 200 })
	if status, _, _ := b.post("", initialize, agent()); status != http.StatusTooManyRequests {
		t.Errorf("one session made room for several: %d", status)
	}
}

// What is kept of a session is bounded in streams and bytes; what was dropped is said to
// be, and the index of what is left stays.
func TestEventsKept(t *testing.T) {
	var s sessions
	ctx, leave, err := s.reserve(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(stream string, index int) (got []string, failed error) {
		for data, err := range s.After(ctx, "1", stream, index) {
			if err != nil {
				return nil, err
			}
			got = append(got, string(data))
		}
		return got, nil
	}
	must(s.Open(ctx, "1", ""))
	leave()
	if err := s.Open(ctx, "2", ""); err == nil {
		t.Error("one seat was taken twice")
	}
	must(s.Append(ctx, "1", "", []byte("standing")))
	for i := range maxStreams + 1 {
		must(s.Open(ctx, "1", fmt.Sprint(i)))
		must(s.Append(ctx, "1", fmt.Sprint(i), []byte("x")))
	}
	if _, err := read("0", -1); !errors.Is(err, sdk.ErrEventsPurged) || !errors.Is(s.Append(ctx, "1", "0", nil), sdk.ErrEventsPurged) {
		t.Errorf("the oldest stream is still there: %v", err)
	}
	for _, stream := range []string{"", "1", fmt.Sprint(maxStreams)} {
		if got, err := read(stream, -1); err != nil || len(got) != 1 {
			t.Errorf("stream %q: %q, %v", stream, got, err)
		}
	}
	last := fmt.Sprint(maxStreams)
	for i := range 8 {
		must(s.Append(ctx, "1", last, []byte(fmt.Sprint(i)+strings.Repeat("y", maxKeptEach/4))))
	}
	if s.kept > maxKeptEach || s.all["1"].kept != s.kept {
		t.Errorf("%d bytes are kept, %d of the session", s.kept, s.all["1"].kept)
	}
	if _, err := read(last, 0); !errors.Is(err, sdk.ErrEventsPurged) {
		t.Errorf("what was dropped: %v", err)
	}
	if got, err := read(last, 7); err != nil || len(got) != 1 || got[0][0] != '7' { // events are x, 0 … 7
		t.Errorf("what is left: %d, %v", len(got), err)
	}
	must(s.SessionClosed(ctx, "1"))
	if s.kept != 0 || len(s.all) != 0 || s.open.all != 0 {
		t.Errorf("left after the end: %+v", &s)
	}
}

// All sessions together keep so much, and those that keep the most give way.
func TestEventsKeptInAll(t *testing.T) {
	var s sessions
	for i := range maxSessions/maxSessionsEach + 1 {
		for j := range maxSessionsEach {
			ctx, _, err := s.reserve(context.Background(), fmt.Sprint(i))
			if i == maxSessions/maxSessionsEach {
				if connection.TypeOf(err) != connection.ErrRateLimited {
					t.Fatal(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			id := fmt.Sprint(i, "/", j)
			if err := s.Open(ctx, id, ""); err != nil {
				t.Fatal(err)
			}
			for range 1 + 7*min(i, 1) { // the first caller keeps little
				if err := s.Append(ctx, id, "", make([]byte, maxKeptEach/8-eventCost)); err != nil {
					t.Fatal(err)
				}
			}
			if s.kept > maxKept || s.all["0/0"].kept == 0 {
				t.Fatalf("%d bytes are kept, %d of who kept little", s.kept, s.all["0/0"].kept)
			}
		}
	}
}
