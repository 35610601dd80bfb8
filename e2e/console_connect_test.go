package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// A person finds an app, signs in at it, sees whose account it is, makes a toolkit of it
// and is back at a connection that works.
func TestConsoleConnectsByOAuth(t *testing.T) {
	authConfig(t, "console", "oauth")
	name := id("browser-oauth")
	b := newTab(t)
	b.signIn()
	b.press("App Gallery")
	b.fill("Search", "practice")
	b.until("one app is left", func() bool { return strings.Contains(b.text(), "1 of ") })
	b.accessible()
	b.press("Connect Sandbox")
	b.fill("Connection name", "Browser OAuth")
	b.see(name.String())
	b.choose("Auth config", "console")
	b.accessible()
	b.shot("connect-1-form")
	b.press("Connect with OAuth")
	b.consent()
	b.see("Create App Toolkit")
	b.see("ada@example.test")
	b.until("the console's own page", func() bool { return strings.HasSuffix(b.at(), pageOf(name)+"/connect") })
	b.accessible()
	b.shot("connect-4-review")
	b.review()
	b.accessible()
	b.press("Open the connection")
	b.see("Active")
	b.press("Test")
	b.see("reading the account the credential belongs to")
	b.accessible()
	b.shot("connection")
	b.press("Refresh")
	b.until("the refresh's answer", func() bool {
		return strings.Contains(strings.ToLower(b.text()), "generation 2") || strings.Contains(b.text(), "renewed")
	})
	b.quiet()
	if tokens := count(s.since(t, 0), func(e entry) bool { return e.Kind == "token" && e.Credential == "" && e.Outcome != "ok" }); tokens != 0 {
		t.Logf("%d token requests were refused, of all tests", tokens)
	}
	leave(t, "browser-oauth")
}

// A key that is wrong is said to be wrong, beside the field where it is corrected, and
// is shown nowhere.
func TestConsoleCorrectsAWrongKey(t *testing.T) {
	name := id("browser-key")
	b := newTab(t)
	b.signIn()
	b.startConnect(t, "Browser key", "api-key")
	b.fill("API key", "sk_this-is-not-the-key")
	b.press("Connect and test")
	b.see("Try again")
	b.accessible()
	b.shot("connect-3-failed")
	if strings.Contains(eval[string](b, "document.documentElement.outerHTML"), "sk_this-is-not-the-key") {
		t.Error("the page shows the key that was typed in")
	}
	b.fill("API key", s.credentials["api_key"])
	b.press("Try again")
	b.review()
	if strings.Contains(eval[string](b, "document.documentElement.outerHTML"), s.credentials["api_key"]) {
		t.Error("the page shows the key")
	}
	b.press("Open the connection")
	b.see("Active")

	b.press("default")
	b.accessible()
	b.shot("toolkit")
	b.press("List contacts")
	b.accessible()
	b.press("Run it")
	b.see("example.test")
	b.accessible()
	b.shot("toolkit-try")

	b.open(pageOf(name) + "/toolkits/default/actions/create-contact")
	b.fill("name", "<b>Bold</b> <img src=x onerror=window.pwned=1>")
	b.choose("I want the change to be made", "")
	b.press("Run it")
	b.see("<b>Bold</b>")
	if eval[bool](b, "window.pwned === 1") {
		t.Error("a result ran a script")
	}
	b.quiet()
	leave(t, "browser-key")
}

// A login that asks for a one-time code waits for it, and goes on in another tab after
// the first was closed.
func TestConsoleComesBackToALogin(t *testing.T) {
	later := newTab(t)
	later.signIn()
	b := later.another()
	b.startConnect(t, "Browser login", "login")
	b.fill("User name", s.credentials["basic_username"])
	b.fill("Password", s.credentials["basic_password"])
	b.press("Connect and test")
	b.see("One-time code")
	b.accessible()
	if err := chromedp.Cancel(b.ctx); err != nil {
		t.Log("closing the first tab:", err)
	}
	later.open("/connections")
	later.see("Browser login")
	later.press("Browser login")
	later.see("One-time code")
	later.fill("Code", oneTimeCode(t))
	later.press("Continue")
	later.review()
	later.quiet()
	leave(t, "browser-login")
}

func oneTimeCode(t *testing.T) string {
	t.Helper()
	var answer struct {
		Code string `json:"code"`
	}
	s.sandbox(t, http.MethodGet, "/admin/one-time-code?user=ada", nil, &answer)
	return answer.Code
}

// Two tabs of one connect do not disturb each other: what one has done, the other says.
func TestConsoleInTwoTabs(t *testing.T) {
	b := newTab(t)
	b.signIn()
	b.startConnect(t, "Two tabs", "api-key")
	b.fill("API key", s.credentials["api_key"])
	b.press("Connect and test")
	b.see("Create App Toolkit")
	second := b.another()
	second.open(pageOf(id("two-tabs")) + "/connect")
	second.see("Create App Toolkit")
	// The second tab keeps the form that is stale then.
	eval[bool](second, `document.querySelectorAll("[hx-get*=pulse]").forEach(e => e.remove()); true`)
	b.review()
	second.press("Create App Toolkit")
	second.see("Open the connection")
	second.quiet()
	b.quiet()
	leave(t, "two-tabs")
}

// A callback that comes again, in another browser, or after the connect has ended is
// refused with a page that says why, and reaches nothing.
func TestConsoleCallbackAgainElsewhereAndLate(t *testing.T) {
	authConfig(t, "console", "oauth")
	b := newTab(t)
	b.signIn()
	b.startConnect(t, "Browser callback", "oauth")
	b.choose("Auth config", "console")
	b.press("Connect with OAuth")
	b.see("asks for access to your Sandbox account")
	callback := make(chan string, 4)
	if err := chromedp.Listen(b.ctx, func(event any) {
		if sent, ok := event.(*network.EventRequestWillBeSent); ok && strings.Contains(sent.Request.URL, "/oauth/callback?") {
			callback <- sent.Request.URL
		}
	}); err != nil {
		t.Fatal(err)
	}
	b.press("Allow")
	b.see("Create App Toolkit")
	var address string
	select {
	case address = <-callback:
	case <-time.After(10 * time.Second):
		t.Fatal("no callback was seen")
	}
	before := s.mark(t)
	b.open(address)
	b.see("does not belong to an authorization")
	elsewhere := newTab(t)
	elsewhere.open(address)
	elsewhere.see("does not belong to an authorization")
	if n := len(s.since(t, before)); n != 0 {
		for _, e := range s.since(t, before) {
			if e.Kind == "token" {
				t.Errorf("a replayed callback reached the token endpoint: %+v", e)
			}
		}
	}

	late := b.another()
	late.startConnect(t, "Late callback", "oauth")
	late.choose("Auth config", "console")
	late.press("Connect with OAuth")
	late.see("asks for access to your Sandbox account")
	must(t, "connect", id("late-callback").String(), "--cancel")
	late.press("Allow")
	late.until("the end of the connect is said", func() bool {
		return strings.Contains(late.text(), "ended") || strings.Contains(late.text(), "cancelled")
	})
	must(t, "connect", id("browser-callback").String(), "--cancel")
	gone(t, "late-callback")
}

// Names with markup in them stay text on every page that shows them.
func TestConsoleShowsNamesAsText(t *testing.T) {
	const canary = `<img src=x onerror=window.pwned=1>"'</script><script>window.pwned=1</script>`
	connectBy(t, "markup", "api-key")
	if err := s.client.Rename(within(t, time.Minute), id("markup"), canary); err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	b.signIn()
	for _, path := range []string{"/connections", "/connections?q=" + "%3Cimg", pageOf(id("markup")), pageOf(id("markup")) + "/reconnect",
		pageOf(id("markup")) + "/toolkits/default", "/apps?q=%3Cscript%3Ewindow.pwned=1%3C/script%3E", "/connections?said=%3Cscript%3E"} {
		b.open(path)
		b.until(path+" is there", func() bool { return b.text() != "" })
		if eval[bool](b, "window.pwned === 1") {
			t.Errorf("%s ran a script", path)
		}
		b.accessible()
	}
	b.quiet()
	leave(t, "markup")
}
