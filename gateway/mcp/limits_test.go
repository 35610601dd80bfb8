package mcp

import (
	"fmt"
	"testing"

	"connectedapps/connection"
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
