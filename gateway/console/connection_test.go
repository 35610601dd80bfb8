package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

const demo = "/connections/development/sandbox/demo"

func TestConnectionPage(t *testing.T) {
	d := newDesk(t).connected(connection.Expired)
	page := d.get(demo)
	safe(t, page)
	holds(t, page, "status expired", "A person must authenticate again.", `href="`+demo+`/reconnect">Reconnect</a>`, "Sign in with the sandbox, OAuth 2.0",
		`href="/auth-configs/development/sandbox/main"`, "Scopes lost", "contacts:read", "in 59 minutes", `href="/alerts/alert/development/sandbox/demo/1"`,
		`href="http://127.0.0.1:8233/namespaces/dev-ns/workflows/connection%2Fdevelopment%2Fsandbox%2Fdemo/run-1"`, demo+`/toolkits/default`, "Disconnect")
	lacks(t, page, "connected-apps reconnect", ">Pause<", ">Refresh<", ">Resume<")
	if newest, alert := strings.Index(page, "the latest"), strings.Index(page, "Alert: Expired: a person must reconnect</a> <span"); newest < 0 || alert < 0 || strings.LastIndex(page, "Alert: Expired") < newest {
		t.Error("the timeline is not newest first")
	}
	holds(t, newDesk(t).connected(connection.Active).get(demo), ">Pause<", ">Refresh<", ">Test<")
	holds(t, newDesk(t).connected(connection.Paused).get(demo), ">Resume<")
	holds(t, newDesk(t).connected(connection.Pending).get(demo), "Go on with connecting")
}

func TestConnectionPageOfATypedInKind(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	described := d.dev.described[sandboxID]
	described.Kind, described.Renewable = connection.APIKey, false
	described.Reconnect = &workflows.OpenReconnect{RequestedBy: scripted, Since: time.Now()}
	d.dev.described[sandboxID] = described
	page := d.get(demo)
	safe(t, page)
	holds(t, page, "Update credentials", "A reconnect is under way", `href="`+demo+`/connect"`)
	lacks(t, page, ">Refresh<")
}

func TestConnectionThatIsGone(t *testing.T) {
	d := newDesk(t)
	response := d.serve("GET", demo, nil)
	page := textOf(t, response)
	holds(t, page, "was disconnected on 2026-03-04 05:06 UTC", `href="/apps/sandbox/connect"`)
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", response.StatusCode)
	}
	holds(t, d.get(demo+"?said=disconnected-revoked"), "The grant was revoked at the app.")
	holds(t, d.get(demo+"/toolkits/default"), "was disconnected on")
	lacks(t, d.get(demo+"?said="+url.QueryEscape(scripted)), "script>alert")
	if status := d.serve("GET", "/connections/elsewhere/sandbox/demo", nil).StatusCode; status != http.StatusNotFound {
		t.Errorf("an unknown environment: %d", status)
	}
}

func TestTestAndRefreshAreShownInPlace(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	d.dev.test = workflows.TestResult{Passed: true, Status: connection.Active,
		Report: &activities.ProbeReport{Tested: "GET /me " + scripted, Identity: connection.Identity{Label: scripted}}}
	for _, change := range [][]func(*http.Request){nil, {byHTMX}} {
		form := map[string][]string{"form_token": {estateToken}}
		page := textOf(t, d.serve("POST", demo+"/test", form, change...))
		safe(t, page)
		holds(t, page, "The test passed", "GET /me", "Status now")
		if part := len(change) > 0; strings.Contains(page, "<!doctype html>") == part || strings.Contains(page, "hx-swap-oob") != part {
			t.Errorf("by htmx %t, and the page is %.80s", part, page)
		}
	}
	d.dev.test = workflows.TestResult{Status: connection.Expired, Problem: &connection.Problem{Message: scripted, Verdict: connection.Revoked, Remedy: "reconnect: connected-apps reconnect x"}}
	page := textOf(t, d.post(demo+"/test"))
	safe(t, page)
	holds(t, page, "The test did not pass", "revoked")
	holds(t, textOf(t, d.post(demo+"/refresh")), "The credential was renewed")
	d.dev.err = connection.Refused(connection.ErrReconnectRequired, scripted, "")
	safe(t, textOf(t, d.post(demo+"/refresh")))
	if deeds := d.dev.deedsOf(); deeds != strings.Repeat("test development/sandbox/demo; ", 3)+"refresh development/sandbox/demo; refresh development/sandbox/demo" {
		t.Errorf("done: %s", deeds)
	}
}

func TestConnectionIsChanged(t *testing.T) {
	for _, tc := range []struct {
		form []string
		path string
		want string
		said string
	}{
		{[]string{"reason", "moving"}, "/pause", "pause development/sandbox/demo moving", "paused"},
		{nil, "/resume", "resume development/sandbox/demo ", "resumed"},
		{[]string{"display_name", " Sales "}, "/rename", "rename development/sandbox/demo Sales", "renamed"},
		{[]string{"idle", "on-demand", "every", "15m0s", "expires", "2099-01-31", "expires_was", ""}, "/policy", "policy development/sandbox/demo", "policy-set"},
		{[]string{"sure", "yes", "reason", "left"}, "/disconnect", "disconnect development/sandbox/demo left", "disconnected-revoked"},
		{[]string{"sure", "yes"}, "/toolkits/default/delete", "delete-toolkit development/sandbox/demo default", "toolkit-gone"},
		{[]string{"toolkit", "reader", "action", "list-contacts", "action", "whoami"}, "/toolkits", "put development/sandbox/demo reader list-contacts,whoami", "toolkit-put"},
		{[]string{"action", "whoami"}, "/toolkits/default/edit", "put development/sandbox/demo default whoami", "toolkit-put"},
	} {
		t.Run(tc.path, func(t *testing.T) {
			d := newDesk(t).connected(connection.Active)
			response := d.post(demo+tc.path, tc.form...)
			if deeds := d.dev.deedsOf(); deeds != tc.want {
				t.Errorf("done: %q", deeds)
			}
			if to := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || !strings.HasSuffix(to, "said="+tc.said) || sayings[tc.said] == "" {
				t.Errorf("%d to %q", response.StatusCode, to)
			}
			d.dev.err = connection.Refused(connection.ErrInvalidInput, scripted, "")
			page := textOf(t, d.post(demo+tc.path, tc.form...))
			safe(t, page)
			holds(t, page, `role="alert"`)
			d.dev.deedsOf()
			d.as(access.Viewer)
			if status := d.post(demo+tc.path, tc.form...).StatusCode; status != http.StatusForbidden {
				t.Errorf("a viewer: %d", status)
			}
			d.as(access.Admin)
			if status := d.serve("POST", demo+tc.path, map[string][]string{"sure": {"yes"}}).StatusCode; status != http.StatusForbidden {
				t.Errorf("without the form's token: %d", status)
			}
			if deeds := d.dev.deedsOf(); deeds != "" {
				t.Errorf("refused, and done: %s", deeds)
			}
		})
	}
}

func TestConnectionChangesThatAreRefused(t *testing.T) {
	for path, form := range map[string][]string{
		"/disconnect": nil, "/toolkits/default/delete": nil, "/rename": {"display_name", " "}, "/toolkits": {"toolkit", "default", "action", "whoami"},
		"/toolkits/default/edit": nil, "/policy": {"every", "often"},
	} {
		d := newDesk(t).connected(connection.Active)
		response := d.post(demo+path, form...)
		if deeds := d.dev.deedsOf(); response.StatusCode != http.StatusBadRequest || deeds != "" {
			t.Errorf("%s: %d, done %q", path, response.StatusCode, deeds)
		}
	}
}

func TestPolicyKeepsAnEndThatWasNotChanged(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	d.post(demo+"/policy", "idle", "keep-fresh", "every", "", "expires", "2099-01-31", "expires_was", "2099-01-31")
	if d.dev.policy.Expires != nil || *d.dev.policy.ProbeEvery != 0 {
		t.Errorf("set: %+v", d.dev.policy)
	}
	d.post(demo+"/policy", "idle", "keep-fresh", "every", "", "expires", "", "expires_was", "2099-01-31")
	if d.dev.policy.Expires == nil || !d.dev.policy.Expires.IsZero() {
		t.Errorf("set: %+v", d.dev.policy)
	}
}

func TestViewersSeeNoButtons(t *testing.T) {
	d := newDesk(t).connected(connection.Active).as(access.Viewer)
	lacks(t, d.get(demo), ">Test<", ">Pause<", "Disconnect ", "New toolkit")
	page := d.get(demo + "/toolkits/default")
	lacks(t, page, "Delete this toolkit", "/edit")
	action := d.get(demo + "/toolkits/default/actions/create-contact")
	lacks(t, action, "Run it")
	holds(t, action, "temporal workflow start")
	for _, path := range []string{"/toolkits", "/toolkits/default/edit", "/toolkits/default/actions/list-contacts/runs/abcdefghijklmnopqrst"} {
		if status := d.serve("GET", demo+path, nil).StatusCode; status != http.StatusForbidden {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestWhatTakesLongGoesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t).connected(connection.Active)
	d.dev.wait = time.Minute
	began := time.Now()
	page := textOf(t, d.post(demo+"/test"))
	holds(t, page, "takes longer than usual and goes on by itself")
	if took := time.Since(began); took > patience+2*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestDisconnectingTwiceShowsThatItIsGone(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	d.dev.err = connection.Disconnected(sandboxID, time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC))
	response := d.post(demo+"/disconnect", "sure", "yes")
	holds(t, textOf(t, response), "was disconnected on 2026-03-04 05:06 UTC", `href="/apps/sandbox/connect"`)
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestRefusedPartsTakeTheWholePage(t *testing.T) {
	d := newDesk(t).connected(connection.Active).as(access.Viewer)
	response := d.serve("POST", demo+"/test", url.Values{"form_token": {estateToken}}, byHTMX)
	if response.StatusCode != http.StatusForbidden || response.Header.Get("HX-Retarget") != "#main" {
		t.Errorf("%d, retarget %q", response.StatusCode, response.Header.Get("HX-Retarget"))
	}
}

func TestReasonIsSaidOnce(t *testing.T) {
	const reason = "the app refuses the refresh token: invalid_grant, it was revoked by its owner"
	all := []happening{{What: "Alert", Reason: reason, Link: "/alerts/1"}, {What: "Expired", Reason: reason[:30] + "…"},
		{What: "Alert", Reason: "earlier", Link: "/alerts/2"}, {What: "Error", Reason: "earlier"}}
	sayOnce(all, reason+".")
	for i, want := range []string{"", "", "", "earlier"} {
		if all[i].Reason != want {
			t.Errorf("%d says %q, want %q", i, all[i].Reason, want)
		}
	}
}
