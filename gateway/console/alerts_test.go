package console

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

const (
	alertID = "alert/development/sandbox/demo/1"
	alertAt = "/alerts/" + alertID
)

// alerted puts alerts and sinks in place, full of canaries.
func (d *estateDesk) alerted() *estateDesk {
	d.dev.alerts = []workflows.AlertRow{
		{ID: alertID, Kind: connection.AlertExpired, Environment: "development", App: "sandbox", Connection: sandboxID, Name: scripted, Owner: scripted, Reason: scripted, Since: time.Now().Add(-time.Hour)},
		{ID: "alert/auth-config/development/github/main/2", Kind: connection.AlertClientRefused, Environment: "development", App: "github", AuthConfig: "main", Since: time.Now()},
	}
	d.dev.alert = workflows.AlertState{ID: alertID, AlertInput: workflows.AlertInput{Opened: time.Now().Add(-time.Hour),
		AlertSubject: workflows.AlertSubject{Environment: "development", App: "sandbox", Connection: sandboxID, Name: scripted, Owner: scripted, Account: scripted},
		AlertNews:    workflows.AlertNews{Kind: connection.AlertExpired, Reason: scripted, Remedy: scripted, Scopes: []string{scripted}}},
		Deliveries: []workflows.Delivery{{Sink: "ops", Message: "msg_1", Type: "alert.opened", State: workflows.DeliveryGivenUp, Since: time.Now(), Reason: scripted}}}
	d.dev.sinks = []workflows.SinkState{{Name: "ops", Kind: connection.SinkWebhook, Host: "https://ops.example", Disabled: scripted},
		{Name: "chat", Kind: connection.SinkSlack, Created: time.Now()}}
	return d
}

func TestAlertsAreListed(t *testing.T) {
	d := newDesk(t).alerted()
	page := d.get("/alerts")
	safe(t, page)
	holds(t, page, `href="`+alertAt+`"`, "The app refuses the client", `href="/auth-configs/development/github/main"`, `href="/connections/development/sandbox/demo"`,
		`href="/connections/development/sandbox/demo/reconnect" aria-label="Reconnect: `, `class="button" href="/auth-configs/development/github/main"`)
	if strings.Index(page, "Auth config main") > strings.Index(page, alertAt) {
		t.Error("the newest is not first")
	}
	lacks(t, d.get("/alerts?kind=client-refused"), alertAt)
	lacks(t, d.get("/alerts?app=github", byHTMX), alertAt, "<!doctype")
	holds(t, d.get("/alerts?q=nobody"), "None of the 2 open alerts matches")
	d.production.away = errAway
	holds(t, d.get("/alerts"), "Alerts of production are not shown.", alertAt)
	holds(t, newDesk(t).get("/alerts"), "No open alerts")
}

func TestAlertIsShownAndResolved(t *testing.T) {
	d := newDesk(t).alerted()
	page := d.get(alertAt)
	safe(t, page)
	holds(t, page, "Expired: a person must reconnect", "given-up", "Say that it is taken care of", "alert.opened",
		`<a class="button" href="/connections/development/sandbox/demo/reconnect">Reconnect</a>`)
	response := d.post(alertAt, "reason", "reconnected by hand")
	if deeds := d.dev.deedsOf(); deeds != "resolve "+alertID+" reconnected by hand" || response.Header.Get("Location") != alertAt+"?said=alert-resolved" {
		t.Errorf("done %q, to %q", deeds, response.Header.Get("Location"))
	}
	d.dev.err = connection.TemporalUnavailable(scripted)
	page = textOf(t, d.post(alertAt))
	safe(t, page)
	holds(t, page, `role="alert"`)
	d.dev.deedsOf()
	if status := d.serve("POST", alertAt, url.Values{}).StatusCode; status != http.StatusForbidden {
		t.Errorf("without the form's token: %d", status)
	}
	d.as(access.Viewer)
	lacks(t, d.get(alertAt), "taken care of", ">Reconnect<")
	lacks(t, d.get("/alerts"), ">Reconnect<")
	if status := d.post(alertAt).StatusCode; status != http.StatusForbidden || d.dev.deedsOf() != "" {
		t.Errorf("a viewer: %d", status)
	}
	for _, path := range []string{"/alerts/nonsense", "/alerts/alert/elsewhere/a/b/1", "/alerts/alert/development/sandbox/demo/9"} {
		if status := d.serve("GET", path, nil).StatusCode; status != http.StatusBadRequest && status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestSinkIsCreatedAndItsKeyShownOnce(t *testing.T) {
	d := newDesk(t).alerted()
	page := d.get("/alerts/sinks")
	safe(t, page)
	holds(t, page, "https://ops.example", "New sink in development", "Nowhere but the worker")
	page = textOf(t, d.post("/alerts/sinks/development", "name", "pager", "kind", "webhook", "url", "https://pager.example/hook?token="+secretTyped))
	key := regexp.MustCompile(`whsec_[A-Za-z0-9+/=]+`).FindString(html.UnescapeString(page))
	if left := d.dev.left[0]; key == "" || left["key"].Reveal() != key || !strings.HasSuffix(left["url"].Reveal(), secretTyped) {
		t.Errorf("shown %q, and left %v", key, left)
	}
	lacks(t, page, secretTyped)
	lacks(t, d.get("/alerts/sinks"), "whsec_")
	if deeds := d.dev.deedsOf(); deeds != "create-sink pager webhook" {
		t.Errorf("done: %s", deeds)
	}
	page = textOf(t, d.post("/alerts/sinks/development/ops/rotate"))
	holds(t, page, "whsec_", "ops of development is stored")
	page = textOf(t, d.post("/alerts/sinks/development/chat/rotate", "url", "https://chat.example/"+secretTyped))
	lacks(t, page, "whsec_", secretTyped)
	if _, hasKey := d.dev.left[2]["key"]; hasKey {
		t.Error("a chat got a key")
	}
}

func TestSinkChangesThatFail(t *testing.T) {
	d := newDesk(t).alerted()
	page := textOf(t, d.post("/alerts/sinks/development", "name", "pager", "kind", "webhook", "url", "ftp://"+secretTyped))
	holds(t, page, "This is not a URL that can be posted to", `name="name" value="pager"`)
	lacks(t, page, secretTyped, "whsec_")
	d.dev.err = connection.Refused(connection.ErrSinkTaken, "there is a sink pager already", "choose another name")
	page = textOf(t, d.post("/alerts/sinks/development", "name", "pager", "kind", "webhook", "url", "https://pager.example/"+secretTyped))
	holds(t, page, "There is a sink pager already", "rotate it to be shown a key")
	lacks(t, page, secretTyped, "whsec_")
	d.dev.err = nil
	d.dev.deedsOf()
	if status := d.post("/alerts/sinks/development/nobody/rotate").StatusCode; status != http.StatusNotFound {
		t.Errorf("an unknown sink: %d", status)
	}
	page = textOf(t, d.post("/alerts/sinks/development/ops/test"))
	safe(t, page)
	holds(t, page, "The test message did not arrive")
	if status := d.post("/alerts/sinks/development/ops/delete").StatusCode; status != http.StatusBadRequest {
		t.Errorf("unconfirmed: %d", status)
	}
	d.post("/alerts/sinks/development/ops/delete", "sure", "yes")
	if deeds := d.dev.deedsOf(); deeds != "test-sink ops; delete-sink ops" {
		t.Errorf("done: %s", deeds)
	}
	d.as(access.Operator)
	lacks(t, d.get("/alerts/sinks"), "New sink", "Rotate ops", "Delete")
	for _, path := range []string{"", "/ops/rotate", "/ops/test", "/ops/delete"} {
		if status := d.post("/alerts/sinks/development"+path, "sure", "yes").StatusCode; status != http.StatusForbidden || d.dev.deedsOf() != "" {
			t.Errorf("%s by an operator: %d", path, status)
		}
	}
}

func TestNavigationCountsOpenAlerts(t *testing.T) {
	d := newDesk(t).alerted()
	const badge = `<span class="badge">2<span class="sr"> open</span></span>`
	holds(t, d.get("/connections"), badge)
	holds(t, d.get("/alerts/count", byHTMX), badge)
	d.person.Roles = map[string]access.Role{"production": access.Viewer}
	lacks(t, d.get("/connections"), `class="badge"`)

	d = newDesk(t).alerted()
	d.console.alerts.Behind = func(func()) {} // no answer comes
	page := d.get("/connections")
	holds(t, page, `hx-get="/alerts/count"`)
	lacks(t, page, `class="badge"`)
	lacks(t, d.get("/alerts/count", byHTMX), `hx-get`)
}

func TestAlertsHaveTheRepairOfTheirKind(t *testing.T) {
	of := workflows.AlertSubject{Environment: "development", App: "sandbox", Connection: sandboxID}
	config := workflows.AlertSubject{Environment: "development", App: "github", AuthConfig: "main"}
	for _, test := range []struct {
		kind    connection.AlertKind
		subject workflows.AlertSubject
		want    repair
	}{
		{connection.AlertExpired, of, repair{"Reconnect", "/connections/development/sandbox/demo/reconnect"}},
		{connection.AlertScopeLost, of, repair{"Reconnect", "/connections/development/sandbox/demo/reconnect"}},
		{connection.AlertExpiring, of, repair{"Reconnect", "/connections/development/sandbox/demo/reconnect"}},
		{connection.AlertExpiring, config, repair{"Replace the secret", "/auth-configs/development/github/main"}},
		{connection.AlertClientRefused, config, repair{"Open the auth config", "/auth-configs/development/github/main"}},
		{connection.AlertFailing, of, repair{"See what is wrong", "/connections/development/sandbox/demo"}},
		{connection.AlertGrantMayLive, of, repair{}},
	} {
		if got := repairOf(test.kind, test.subject); got != test.want {
			t.Errorf("%s: %v, want %v", test.kind, got, test.want)
		}
	}
}
