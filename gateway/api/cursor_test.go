package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"connectedapps/connection"
	"connectedapps/workflows"
)

func (b *bench) fill(n int) {
	for i := range n {
		id := connection.ID(fmt.Sprintf("development/atlas/c%d", i))
		b.rows = append(b.rows, workflows.Row{ID: id, App: "atlas", Environment: "development", Status: connection.Active, Created: testTime})
	}
}

func TestPages(t *testing.T) {
	b := newBench(t)
	b.fill(7)
	for who, want := range map[string]int{"viewer": 7, "both": 14} { // the fake has the same rows everywhere
		var seen, pages int
		query := "?limit=3"
		for {
			var list ConnectionList
			b.do(who, "GET", "/connections"+query, "").json(http.StatusOK, &list)
			seen, pages = seen+len(list.Items), pages+1
			if len(list.Items) > 3 {
				t.Fatalf("a page of %d", len(list.Items))
			}
			if list.NextCursor == "" {
				break
			}
			query = "?limit=3&cursor=" + url.QueryEscape(list.NextCursor)
		}
		if seen != want || pages != (want+2)/3 {
			t.Errorf("%s saw %d on %d pages", who, seen, pages)
		}
	}
}

func TestFilterIsPassedOn(t *testing.T) {
	b := newBench(t)
	b.do("viewer", "GET", "/connections?environment=development&status=Expired&app=atlas&owner=o&auth_kind=api-key&auth_config=acme&toolkit=t&name=n&account=a&expires_before=2026-03-01T12:00:00Z", "").
		json(http.StatusOK, nil)
	want := workflows.Filter{App: "atlas", Name: "n", Account: "a", Status: connection.Expired, Owner: "o", Toolkit: "t", AuthKind: connection.APIKey,
		AuthConfig: "acme", ExpiresBefore: testTime}
	if got := b.last("List"); got != want {
		t.Errorf("%+v", got)
	}
}

func TestCursorsAreBound(t *testing.T) {
	b := newBench(t)
	b.fill(5)
	var list ConnectionList
	b.do("both", "GET", "/connections?limit=2&status=Active", "").json(http.StatusOK, &list)
	good := list.NextCursor
	b.do("both", "GET", "/connections?limit=5&status=Active&cursor="+good, "").json(http.StatusOK, nil) // another limit is fine
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-3] ^= 1
	for name, query := range map[string]string{
		"another filter":      "status=Expired&cursor=" + good,
		"another environment": "status=Active&environment=development&cursor=" + good,
		"tampered":            "status=Active&cursor=" + base64.RawURLEncoding.EncodeToString(raw),
		"cut":                 "status=Active&cursor=" + good[:len(good)-4],
		"nonsense":            "status=Active&cursor=x",
	} {
		t.Run(name, func(t *testing.T) {
			w := b.do("both", "GET", "/connections?"+query, "")
			w.t = t
			if p := w.problem(http.StatusBadRequest, "InvalidInput"); p.Field != "cursor" {
				t.Errorf("field %q", p.Field)
			}
		})
	}
	w := b.do("both", "GET", "/alerts?cursor="+good, "")
	w.problem(http.StatusBadRequest, "InvalidInput")
	// Whoever has lost the role sees nothing more with an old cursor.
	c := cursor{Environment: "production"}.encode([]any{"connections", "", workflows.Filter{}})
	b.do("viewer", "GET", "/connections?cursor="+c, "").json(http.StatusOK, &list)
	if len(list.Items) != 0 {
		t.Error("a cursor shows an environment that may not be seen")
	}
}
