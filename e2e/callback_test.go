package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// begun walks a fresh OAuth connect up to the app's answer, and stops before the
// callback is delivered: the person and the callback's address.
func begun(t *testing.T, name, decision string) (*somebody, string) {
	t.Helper()
	authConfig(t, "oauth", "oauth")
	link, err := s.client.RequestLink(within(t, time.Minute), workflows.ConnectInput{
		ConnectRequest: activities.ConnectRequest{Connection: id(name), Method: "oauth", AuthConfig: "oauth"}})
	if err != nil {
		t.Fatal(err)
	}
	p := newPerson(t)
	consent := p.submit(p.visit(link.URL), nil)
	answer := p.submitOnce(consent, map[string]string{"user": "ada", "decision": decision})
	callback := answer.header.Get("Location")
	if !strings.Contains(callback, activities.CallbackPath) {
		t.Fatalf("the app answers %d %s", answer.status, answer.text)
	}
	return p, callback
}

func cancelled(t *testing.T, name string) {
	t.Helper()
	if err := s.client.CancelConnect(within(t, time.Minute), id(name), workflows.Reason{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reservation is given up", func() bool { open, _ := s.client.ConnectionOpen(within(t, time.Minute), id(name)); return !open })
	gone(t, name)
}

// inboxEntries counts what lies in the inbox.
func inboxEntries(t *testing.T) int {
	t.Helper()
	found, err := s.root.Logical().List("connected-apps/" + environment + "/inbox/metadata")
	if err != nil {
		t.Fatal(err)
	}
	if found == nil {
		return 0
	}
	keys, _ := found.Data["keys"].([]any)
	return len(keys)
}

func with(t *testing.T, address string, change func(url.Values)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	change(q)
	u.RawQuery = q.Encode()
	return u.String()
}

// A callback that does not fit is refused, with nothing written and no code redeemed.
func TestCallbacksThatDoNotFitAreRefused(t *testing.T) {
	p, callback := begun(t, "callback", "approve")
	mark, entries := s.mark(t), inboxEntries(t)
	cases := map[string]struct {
		who     *somebody
		address string
	}{
		"another browser":        {newPerson(t), callback},
		"no state":               {p, with(t, callback, func(q url.Values) { q.Del("state") })},
		"wrong state":            {p, with(t, callback, func(q url.Values) { q.Set("state", strings.Repeat("x", 43)) })},
		"duplicate state":        {p, callback + "&state=again"},
		"code and error":         {p, callback + "&error=access_denied"},
		"neither code nor error": {p, with(t, callback, func(q url.Values) { q.Del("code") })},
		"oversize":               {p, with(t, callback, func(q url.Values) { q.Set("code", strings.Repeat("x", 1<<16)) })},
	}
	for name, c := range cases {
		seen := c.who.once(http.MethodGet, c.address, nil, "")
		if seen.status/100 != 4 {
			t.Errorf("%s: answered %d", name, seen.status)
		}
	}
	if n := inboxEntries(t); n != entries {
		t.Errorf("%d entries were written to the inbox", n-entries)
	}
	if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "token" }); n != 0 {
		t.Errorf("%d codes were redeemed", n)
	}
	// The control: the right callback still works, once.
	result := p.visit(callback)
	if result.status != http.StatusOK || strings.Contains(result.at.String(), "code=") {
		t.Fatalf("%d at %s", result.status, result.at)
	}
	if _, err := s.client.AwaitConnect(within(t, time.Minute), id("callback")); err != nil {
		t.Fatal(err)
	}
	if again := p.once(http.MethodGet, callback, nil, ""); again.status/100 == 2 {
		t.Errorf("the same callback again: %d", again.status)
	}
	if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "token" }); n != 1 {
		t.Errorf("%d token requests", n)
	}
}

// RFC 9207: an answer that names another issuer, or none, is refused before its code is redeemed.
func TestAnAnswerOfAnotherIssuerIsRefused(t *testing.T) {
	for name, change := range map[string]func(url.Values){
		"other": func(q url.Values) { q.Set("iss", "https://elsewhere.example") },
		"none":  func(q url.Values) { q.Del("iss") },
	} {
		t.Run(name, func(t *testing.T) {
			p, callback := begun(t, "issuer-"+name, "approve")
			mark := s.mark(t)
			result := p.visit(with(t, callback, change))
			if !strings.Contains(result.text, "authorization server") {
				t.Errorf("does not say why: %s", result.text)
			}
			if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "token" }); n != 0 {
				t.Errorf("%d codes were redeemed", n)
			}
			cancelled(t, "issuer-"+name)
		})
	}
}

// A link works once; a refusal by the person is told, and a new link starts over.
func TestALinkWorksOnceAndARefusalIsTold(t *testing.T) {
	p, callback := begun(t, "refused", "deny")
	if again := newPerson(t).visit(p.Visits[0]); again.status == http.StatusOK && strings.Contains(again.text, "<form") {
		t.Error("a used link offers its button again")
	}
	result := p.visit(callback)
	if !strings.Contains(result.text, "declined") {
		t.Errorf("the page does not say that it was declined: %s", result.text)
	}
	progress, err := s.client.Progress(within(t, time.Minute), id("refused"))
	if err != nil || progress.Phase != workflows.PhaseAuthorization || progress.Problem == nil {
		t.Fatalf("%+v %v", progress, err)
	}
	in := workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id("refused"), Method: "oauth", AuthConfig: "oauth"}}
	link, err := s.client.RequestLink(within(t, time.Minute), in)
	if err != nil {
		t.Fatal(err)
	}
	newPerson(t).connect(link.URL, "grace", "approve")
	done, err := s.client.AwaitConnect(within(t, time.Minute), id("refused"))
	if err != nil || !strings.Contains(done.Identity.Label, "grace") {
		t.Fatalf("%+v %v", done, err)
	}
}

// A connect that is cancelled after the grant was made leaves nothing behind, at
// the app neither; nor does one whose workflow was terminated.
func TestAConnectThatEndsEarlyLeavesNothingBehind(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, name string){
		"cancelled": func(t *testing.T, name string) {
			if err := s.client.CancelConnect(within(t, time.Minute), id(name), workflows.Reason{Reason: "changed my mind"}); err != nil {
				t.Fatal(err)
			}
		},
		"cancelled in Temporal": func(t *testing.T, name string) {
			if err := s.client.Temporal.CancelWorkflow(within(t, time.Minute), workflows.ConnectWorkflowID(id(name)), ""); err != nil {
				t.Fatal(err)
			}
		},
		"terminated": func(t *testing.T, name string) {
			if err := s.client.Temporal.TerminateWorkflow(within(t, time.Minute), workflows.ConnectWorkflowID(id(name)), "", "by a test"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			slug := "early-" + connection.Slugify(name)
			mark := s.mark(t)
			authConfig(t, "oauth", "oauth")
			link, err := s.client.RequestLink(within(t, time.Minute), workflows.ConnectInput{Review: true,
				ConnectRequest: activities.ConnectRequest{Connection: id(slug), Method: "oauth", AuthConfig: "oauth"}})
			if err != nil {
				t.Fatal(err)
			}
			newPerson(t).connect(link.URL, "ada", "approve")
			eventually(t, "the review", func() bool {
				progress, err := s.client.Progress(within(t, time.Minute), id(slug))
				return err == nil && progress.Phase == workflows.PhaseReview
			})
			end(t, slug)
			eventually(t, "the reservation is given up", func() bool {
				open, err := s.client.ConnectionOpen(within(t, time.Minute), id(slug))
				return err == nil && !open
			})
			gone(t, slug)
			if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "revoke" && e.Outcome == "ok" }); n != 1 {
				t.Errorf("%d revocations at the app", n)
			}
		})
	}
}
