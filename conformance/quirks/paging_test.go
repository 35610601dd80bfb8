package quirks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// pages serves numbers from 1 to total, by at most size at a time.
type pages struct{ total, size int }

// from are the items after the first so many.
func (p pages) from(offset int) []int {
	items := []int{}
	for i := offset; i < min(offset+p.size, p.total); i++ {
		items = append(items, i+1)
	}
	return items
}

func (p pages) more(offset int) bool { return offset+p.size < p.total }

// at reads a number out of a request; first is what it is without one.
func at(r *http.Request, name string, first int) int {
	if text := r.URL.Query().Get(name); text != "" {
		first, _ = strconv.Atoi(text)
	}
	return first
}

// cursor is an opaque one, with what has to be escaped in it.
func cursor(offset int) string { return fmt.Sprintf("c/+&=%d", offset) }

func offsetOf(cursor string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(cursor, "c/+&="))
	return n
}

func TestPaging(t *testing.T) {
	const list = "request: {method: GET, path: /list}"
	for _, q := range []struct {
		name, request, paging string
		serve                 func(p pages, w http.ResponseWriter, r *http.Request)
		// full is how many requests 4 items in pages of 2 take.
		full int
	}{
		{"a Link header", list, "{kind: link}", func(p pages, w http.ResponseWriter, r *http.Request) {
			n := at(r, "page", 1)
			links := []string{fmt.Sprintf(`<http://%s/api/list?page=1>; rel="first"`, r.Host)}
			if p.more((n - 1) * p.size) {
				links = append(links, fmt.Sprintf(`<http://%s/api/list?page=%d&x=a%%2Cb>; title="a, b"; rel="next last"`, r.Host, n+1))
			}
			w.Header().Set("Link", strings.Join(links, ", "))
			writeJSON(w, 200, object{"items": p.from((n - 1) * p.size)})
		}, 2},
		{"a cursor in the body, to the query", list, "{kind: cursor, from: meta.next, to: after}", func(p pages, w http.ResponseWriter, r *http.Request) {
			offset := offsetOf(r.URL.Query().Get("after"))
			out := object{"items": p.from(offset), "meta": object{"next": nil}}
			if p.more(offset) {
				out["meta"] = object{"next": cursor(offset + p.size)}
			}
			writeJSON(w, 200, out)
		}, 2},
		{"a cursor that is there on the last page too", list, "{kind: cursor, from: next, to: after, more: has_more}", func(p pages, w http.ResponseWriter, r *http.Request) {
			offset := offsetOf(r.URL.Query().Get("after"))
			writeJSON(w, 200, object{"items": p.from(offset), "next": cursor(offset + p.size), "has_more": p.more(offset)})
		}, 2},
		{"a cursor in the request's body", "request: {method: POST, path: /list, body: {static: {sort: asc}}}\nread_only: true", "{kind: cursor, from: next_cursor, to: start_cursor, in_body: true}",
			func(p pages, w http.ResponseWriter, r *http.Request) {
				var in struct {
					Sort  string
					Start string `json:"start_cursor"`
				}
				if !decode(r, &in) || in.Sort != "asc" || r.URL.RawQuery != "" {
					w.WriteHeader(400)
					return
				}
				offset := offsetOf(in.Start)
				out := object{"items": p.from(offset)}
				if p.more(offset) {
					out["next_cursor"] = cursor(offset + p.size)
				}
				writeJSON(w, 200, out)
			}, 2},
		{"a cursor within GraphQL's variables", "request: {method: POST, path: /list, body: {template: {query: \"query { items }\", variables: {after: \"{after}\"}}}}\nread_only: true\ninput: {type: object, additionalProperties: false, properties: {after: {type: string}}}",
			"{kind: cursor, from: pageInfo.endCursor, more: pageInfo.hasNextPage, to: after, in_body: true}",
			func(p pages, w http.ResponseWriter, r *http.Request) {
				var in struct {
					Query     string
					Variables struct{ After string }
				}
				if !decode(r, &in) || in.Query != "query { items }" {
					w.WriteHeader(400)
					return
				}
				offset := offsetOf(in.Variables.After)
				writeJSON(w, 200, object{"items": p.from(offset), "pageInfo": object{"endCursor": cursor(offset + p.size), "hasNextPage": p.more(offset)}})
			}, 2},
		{"an offset", list, "{kind: offset, to: startAt, items: items, default_size: 2}", func(p pages, w http.ResponseWriter, r *http.Request) {
			writeJSON(w, 200, object{"items": p.from(at(r, "startAt", 0))})
		}, 3},
		{"an offset, and whether there is more", list, "{kind: offset, to: startAt, items: items, more: more}", func(p pages, w http.ResponseWriter, r *http.Request) {
			offset := at(r, "startAt", 0)
			writeJSON(w, 200, object{"items": p.from(offset), "more": p.more(offset)})
		}, 2},
		{"a page number from 1", list, "{kind: page, to: page, items: items, default_size: 2, first: 1}", func(p pages, w http.ResponseWriter, r *http.Request) {
			writeJSON(w, 200, object{"items": p.from((at(r, "page", 1) - 1) * p.size)})
		}, 3},
		{"a page number from 0", list, "{kind: page, to: page, items: items, default_size: 2}", func(p pages, w http.ResponseWriter, r *http.Request) {
			writeJSON(w, 200, object{"items": p.from(at(r, "page", 0) * p.size)})
		}, 3},
		{"a whole next URL", list, "{kind: next-url, from: paging.next}", func(p pages, w http.ResponseWriter, r *http.Request) {
			offset := at(r, "skip", 0)
			out := object{"items": p.from(offset), "paging": object{}}
			if p.more(offset) {
				out["paging"] = object{"next": fmt.Sprintf("http://%s/api/list?skip=%d&token=a%%2Bb", r.Host, offset+p.size)}
			}
			writeJSON(w, 200, out)
		}, 2},
		{"a next URL at another path, which is not followed", list, "{kind: next-url, from: next}", func(p pages, w http.ResponseWriter, r *http.Request) {
			offset := at(r, "skip", 0)
			out := object{"items": p.from(offset)}
			if p.more(offset) {
				out["next"] = fmt.Sprintf("http://elsewhere.example/secrets?skip=%d", offset+p.size)
			}
			writeJSON(w, 200, out)
		}, 2},
	} {
		for _, of := range []struct {
			pages
			requests int
		}{{pages{5, 2}, 3}, {pages{4, 2}, q.full}, {pages{1, 2}, 1}, {pages{0, 2}, 1}} {
			t.Run(fmt.Sprintf("%s/%d items", q.name, of.total), func(t *testing.T) {
				t.Parallel()
				r := listing(t, q.request+"\npaging: "+q.paging+"\nresult: items\n")
				requests := 0
				r.p.extra["/api/list"] = func(w http.ResponseWriter, request *http.Request) {
					requests++
					q.serve(of.pages, w, request)
				}
				if got, want := r.all(t), (pages{of.total, of.total}).from(0); !slices.Equal(got, want) {
					t.Errorf("read %v, want %v", got, want)
				}
				if requests != of.requests {
					t.Errorf("%d requests, want %d", requests, of.requests)
				}
			})
		}
	}
}

// listing is an app with one action.
func listing(t *testing.T, action string) *run {
	t.Helper()
	q := quirk{kind: "none"}
	r := q.begin(t)
	text := strings.Replace(q.definition(), "actions: []\n", "actions:\n  - id: list\n    title: List\n    description: Lists.\n    status: documented\n"+indent(action, 4), 1)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "quirk.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	catalogue, err := connectors.Load(dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if r.app, err = catalogue.App("quirk"); err != nil {
		t.Fatal(err)
	}
	if r.method, err = r.app.Method("m"); err != nil {
		t.Fatal(err)
	}
	r.connect(t)
	return r
}

// all reads page after page until there is none.
func (r *run) all(t *testing.T) []int {
	t.Helper()
	action, err := r.app.Action("list")
	if err != nil {
		t.Fatal(err)
	}
	all, next := []int{}, ""
	for range 10 {
		s := connectors.Session{App: r.app, Method: r.method, Credential: r.credential(), Values: r.values}
		result, err := s.Call(context.Background(), r.http, action, connectors.CallInput{Cursor: next})
		if err != nil {
			t.Fatal(err)
		}
		var items []int
		if err := json.Unmarshal(result.Data, &items); err != nil {
			t.Fatalf("%s: %v", result.Data, err)
		}
		all = append(all, items...)
		if next = result.NextCursor; next == "" {
			return all
		}
	}
	t.Fatal("there is no end")
	return nil
}

// A cursor that is none is refused before anything is sent.
func TestCursorsThatAreNone(t *testing.T) {
	r := listing(t, "request: {method: GET, path: /list}\npaging: {kind: offset, to: startAt, items: items}\n")
	r.p.extra["/api/list"] = func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }
	action, err := r.app.Action("list")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"-1", "a", "1e3", "9999999999999", "1\n2"} {
		s := connectors.Session{App: r.app, Method: r.method, Credential: r.credential(), Values: r.values}
		if _, err := s.Call(context.Background(), r.http, action, connectors.CallInput{Cursor: bad}); connection.TypeOf(err) != connection.ErrInvalidArguments {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
