package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

// many puts n connections of several apps, statuses and owners into development.
func (d *estateDesk) many(n int) *estateDesk {
	apps, statuses := []string{"github", "slack", "sandbox"}, connection.Statuses()
	for i := range n {
		app := apps[i%len(apps)]
		id := connection.ID(fmt.Sprintf("development/%s/c-%04d", app, i))
		d.dev.rows = append(d.dev.rows, workflows.Row{ID: id, App: app, Environment: "development", Name: fmt.Sprintf("Name %04d", n-i),
			Account: fmt.Sprintf("user-%d@example.com", i%97), Owner: fmt.Sprintf("team-%d", i%5), Status: statuses[i%len(statuses)],
			LastUsed: time.Date(2026, 1, 1, i, 0, 0, 0, time.UTC)})
	}
	return d
}

// names are the names of the shown rows, in order.
func names(page string) []string {
	var all []string
	for _, part := range strings.Split(page, `">Name `)[1:] {
		all = append(all, "Name "+part[:4])
	}
	return all
}

func TestConnectionsSortFilterAndPage(t *testing.T) {
	d := newDesk(t).many(60)
	for _, tc := range []struct {
		query, first string
		shown        int
		says         []string
	}{
		{"", "Name 0003", 25, []string{`aria-sort="ascending"><a href="/connections?sort=-app"`, "1 to 25 of 60 connections"}},
		{"?sort=name", "Name 0001", 25, []string{`aria-sort="ascending"><a href="/connections?sort=-name"`}},
		{"?sort=-name", "Name 0060", 25, []string{`aria-sort="descending"><a href="/connections?sort=name"`}},
		{"?sort=last-used", "Name 0001", 25, nil},
		{"?sort=-last-used", "Name 0060", 25, nil},
		{"?sort=account", "Name 0060", 25, nil},
		{"?sort=status&status=Error", "Name 0005", 10, []string{"1 to 10 of 10 connections that match, 60 in all"}},
		{"?sort=name&page=3", "Name 0051", 10, []string{"51 to 60 of 60", "Page 3"}},
		{"?sort=name&page=99", "Name 0051", 10, []string{"Page 3"}},
		{"?q=github+user-3@", "Name 0057", 1, nil},
		{"?owner=TEAM-2&app=slack&sort=name", "Name 0008", 4, nil},
		{"?sort=<script>", "Name 0003", 25, nil},
		{"?q=nobody", "", 0, []string{"No connection matches", "Show all connections"}},
		{"?environment=production", "", 0, []string{"No connection matches"}},
	} {
		t.Run(tc.query, func(t *testing.T) {
			page := d.get("/connections" + tc.query)
			got := names(page)
			if len(got) != tc.shown || len(got) > 0 && got[0] != tc.first {
				t.Errorf("%d rows, beginning with %v; want %d, beginning with %s", len(got), got[:min(3, len(got))], tc.shown, tc.first)
			}
			holds(t, page, tc.says...)
		})
	}
}

func TestConnectionsShowWhatToDo(t *testing.T) {
	d := newDesk(t)
	for i, status := range connection.Statuses() {
		id := connection.ID(fmt.Sprintf("development/github/c-%d", i))
		d.dev.rows = append(d.dev.rows, workflows.Row{ID: id, App: "github", Environment: "development", Status: status, LastUsed: time.Now().Add(-3 * time.Hour)})
	}
	page := d.get("/connections")
	holds(t, page, "<!doctype html>", `href="/connections/development/github/c-2/reconnect" aria-label="Reconnect: c-2"`, "See what is wrong",
		`<a href="/connections/development/github/c-4/connect">c-4</a>`, "Continue", "2 hours ago", "status expired", "status active")
	part := d.get("/connections?status=Expired", byHTMX)
	lacks(t, part, "<!doctype html>")
	holds(t, part, `id="list"`, `hx-swap-oob="true"`, `form="filters" name="status" value="Expired"`, "1 to 1 of 1 connection that match, 6 in all")
	back := d.get("/connections", byHTMX, func(r *http.Request) { r.Header.Set("HX-History-Restore-Request", "true") })
	holds(t, back, "<!doctype html>")
}

func TestConnectionsOfNobody(t *testing.T) {
	holds(t, newDesk(t).get("/connections"), "Nothing is connected yet", `href="/apps"`)
	d := newDesk(t).many(2)
	d.person.Roles = map[string]access.Role{"production": access.Viewer}
	lacks(t, d.get("/connections"), "Name 0001", "development")
}

func TestConnectionsOfAnEnvironmentThatIsAway(t *testing.T) {
	d := newDesk(t).many(3)
	d.production.away = errAway
	page := d.get("/connections")
	holds(t, page, "Connections of production are not shown.", "Temporal cannot be reached", "Name 0001")
	d.dev.away = errAway
	d.console.Lists.Changed("development")
	lacks(t, d.get("/connections"), "Nothing is connected yet")
}

// Where it cannot be told whether somebody may see an environment, every list names it.
func TestListsNameWhatCannotBeToldJustNow(t *testing.T) {
	d := newDesk(t).many(3)
	d.person.Roles = map[string]access.Role{"development": access.Admin}
	why := "The Vault of production cannot say just now what you may do there."
	lists := map[string]string{"/connections": "Connections of production are not shown.", "/auth-configs": "Auth configs of production are not shown.",
		"/alerts": "Alerts of production are not shown.", "/alerts/sinks": `<h2 id="e-production">`}
	for path := range lists {
		lacks(t, d.get(path), "production")
	}
	d.person.Away = []string{"production"}
	for path, want := range lists {
		holds(t, d.get(path), want, why)
	}
	bulk := textOf(t, d.post("/connections/bulk", "do", "pause", "id", "production/github/main"))
	holds(t, bulk, "he Vault of production cannot say just now")
	lacks(t, bulk, "no such connection")
	d.person.Roles = map[string]access.Role{}
	if got := d.serve("GET", "/auth-configs/new", nil).StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("a new auth config: %d", got)
	}
}

func TestConnectionsKeepForeignTextText(t *testing.T) {
	page := newDesk(t).connected(connection.Expired).get("/connections")
	safe(t, page)
	holds(t, page, "&lt;script&gt;alert")
}

func TestConnectionsSayWhenThereAreMore(t *testing.T) {
	d := newDesk(t).many(3)
	d.console.Environments.All()[0].Client = &endless{d.dev}
	holds(t, d.get("/connections"), "development has more connections: only the first 5,000 are sorted here")
}

// endless is an environment whose list never ends.
type endless struct{ *estate }

func (e *endless) List(context.Context, workflows.Filter, int, []byte) ([]workflows.Row, []byte, error) {
	rows := make([]workflows.Row, 1000)
	for i := range rows {
		rows[i] = e.rows[i%len(e.rows)]
	}
	return rows, []byte("more"), nil
}

func TestBulkIsShownFirst(t *testing.T) {
	d := newDesk(t).many(12)
	ids := []string{}
	for _, row := range d.dev.rows {
		ids = append(ids, "id", row.ID.String())
	}
	page := textOf(t, d.post("/connections/bulk", append(ids, "do", "pause")...))
	holds(t, page, "Pause 4 connections?", "its app is asked nothing", "It is paused already", "It has expired", "It is still being connected", `name="confirm" value="yes"`)
	if deeds := d.dev.deedsOf(); deeds != "" {
		t.Fatalf("a preview has done: %s", deeds)
	}
	page = textOf(t, d.post("/connections/bulk", append(ids, "do", "pause", "confirm", "yes", "reason", "moving")...))
	holds(t, page, "Pause: results", "Paused.")
	if deeds := strings.Split(d.dev.deedsOf(), "; "); len(deeds) != 4 || !strings.HasSuffix(deeds[0], " moving") {
		t.Errorf("done: %v", deeds)
	}
}

func TestBulkDisconnectWantsToBeConfirmed(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	form := []string{"id", sandboxID.String(), "do", "disconnect", "confirm", "yes"}
	page := textOf(t, d.post("/connections/bulk", form...))
	holds(t, page, "This needs to be confirmed", "This cannot be undone", `name="sure" value="yes" required`)
	safe(t, page)
	if deeds := d.dev.deedsOf(); deeds != "" {
		t.Fatalf("unconfirmed, it has done: %s", deeds)
	}
	page = textOf(t, d.post("/connections/bulk", append(form, "sure", "yes")...))
	holds(t, page, "The grant was revoked at the app.")
	if deeds := d.dev.deedsOf(); deeds != "disconnect development/sandbox/demo " {
		t.Errorf("done: %s", deeds)
	}
}

func TestBulkTellsEachResult(t *testing.T) {
	d := newDesk(t).connected(connection.Active).many(1)
	d.dev.test = workflows.TestResult{Problem: connection.Refused(connection.ErrTestFailed, scripted, ""), Status: connection.Error}
	page := textOf(t, d.post("/connections/bulk", "do", "test", "confirm", "yes", "id", sandboxID.String(), "id", "development/github/gone"))
	holds(t, page, "Test: results", "The test did not pass", "There is no such connection any more")
	safe(t, page)
	d.dev.err = connection.Refused(connection.ErrReconnectRequired, scripted, "")
	page = textOf(t, d.post("/connections/bulk", "do", "refresh", "confirm", "yes", "id", sandboxID.String()))
	holds(t, page, "&lt;script&gt;alert")
	safe(t, page)
}

func TestBulkIsBoundedByTime(t *testing.T) {
	d := newDesk(t)
	form := url.Values{"form_token": {estateToken}, "do": {"resume"}, "confirm": {"yes"}}
	for i := range 3 * bulkAtOnce {
		id := connection.ID(fmt.Sprintf("development/github/c-%02d", i))
		d.dev.rows = append(d.dev.rows, workflows.Row{ID: id, App: "github", Environment: "development", Status: connection.Paused})
		form.Add("id", id.String())
	}
	d.dev.wait = 300 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), 450*time.Millisecond)
	defer cancel()
	page := textOf(t, d.serve("POST", "/connections/bulk", form, func(r *http.Request) { *r = *r.WithContext(ctx) }))
	holds(t, page, "16 of them left when the time was over", "Resumed.", "Left: no answer in time; it may still go on by itself.", "Left: there was no time to begin.")
	if deeds := strings.Count(d.dev.deedsOf(), "resume"); deeds != bulkAtOnce {
		t.Errorf("%d were done", deeds)
	}
}

func TestListNamesOwners(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	d.dev.rows[0].Owner = "customer-7"
	holds(t, d.get("/connections"), `<span class="quiet">of customer-7</span>`)
	d.dev.rows[0].Owner = ""
	d.console.Lists.Changed("development")
	lacks(t, d.get("/connections"), `<span class="quiet">of `)
}

func TestBulkRefusals(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	for _, form := range [][]string{{"do", "pause"}, {"do", "explode", "id", sandboxID.String()}, {"do", "pause", "id", "nonsense"}} {
		if status := d.post("/connections/bulk", form...).StatusCode; status != http.StatusBadRequest {
			t.Errorf("%v: %d", form, status)
		}
	}
	answer := d.post("/connections/bulk?environment=development", "do", "pause")
	page := textOf(t, answer)
	holds(t, page, "No connection was ticked.", `name="id" value="`+sandboxID.String(), `action="/connections/bulk?environment=development"`, "<option selected>development")
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("nothing ticked: %d", answer.StatusCode)
	}
	d.as(access.Viewer)
	page = textOf(t, d.post("/connections/bulk", "do", "pause", "confirm", "yes", "id", sandboxID.String()))
	holds(t, page, "This needs the role operator in development")
	lacks(t, d.get("/connections"), `type="checkbox"`, `value="disconnect"`)
	if deeds := d.dev.deedsOf(); deeds != "" {
		t.Errorf("a viewer has done: %s", deeds)
	}
}

// With 5,000 connections the first page must come well within 100 ms.
func BenchmarkConnections(b *testing.B) {
	for _, query := range []string{"", "?sort=-last-used", "?sort=status", "?q=user-3&sort=account", "?status=Error&page=9"} {
		b.Run(query, func(b *testing.B) {
			d := newDesk(b).many(5000)
			d.get("/connections") // the list is kept from now on
			for b.Loop() {
				if !strings.Contains(d.get("/connections"+query), `class="rows`) {
					b.Fatal("no rows")
				}
			}
		})
	}
}
