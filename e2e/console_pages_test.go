package e2e

import (
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// Every page of the console, at a desk and on a phone, by day and by night: axe-core
// finds no serious issue, nothing runs out of the window, and no script complains.
func TestConsolePagesAreAccessible(t *testing.T) {
	authConfig(t, "console", "oauth")
	connectBy(t, "pages", "oauth")
	connectBy(t, "pages-paused", "basic")
	for name, called := range map[string]string{"pages": "CRM import", "pages-paused": "Newsletter"} {
		if err := s.client.Rename(within(t, time.Minute), id(name), called); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.client.Pause(within(t, time.Minute), id("pages-paused"), "no issue in August"); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "pages", "list-contacts", map[string]any{"limit": 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Connect(within(t, time.Minute), workflows.ConnectInput{Review: true, DisplayName: "Waits for a person",
		ConnectRequest: requestBy("pages-review", "api-key")}, leftBy(t, "api-key")); err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	b.open("/sign-in")
	b.accessible()
	b.signIn()
	page := pageOf(id("pages"))
	for name, path := range map[string]string{
		"connections": "/connections", "filtered": "/connections?status=Active&sort=name", "gallery": "/apps", "app": "/apps/github",
		"connect": "/apps/sandbox/connect", "connect-key": "/apps/sandbox/connect?method=api-key", "connection": page,
		"reconnect": page + "/reconnect", "progress": pageOf(id("pages-review")) + "/connect", "toolkit": page + "/toolkits/default",
		"toolkit-edit": page + "/toolkits/default/edit", "action": page + "/toolkits/default/actions/create-contact",
		"auth-configs": "/auth-configs", "auth-config": "/auth-configs/development/sandbox/console",
		"auth-config-new": "/auth-configs/new?environment=development&app=sandbox&method=oauth",
		"alerts":          "/alerts", "sinks": "/alerts/sinks", "nothing": "/connections/development/sandbox/nobody", "unknown": "/apps/nothing",
	} {
		b.open(path)
		b.until(name+" is there", func() bool {
			return eval[bool](b, "document.readyState === 'complete' && !!document.querySelector('h1')")
		})
		b.accessible()
		b.phone()
		b.fits(name)
		b.dark(true)
		b.accessible()
		b.shot("phone-dark-" + name)
		b.dark(false)
		b.desktop()
		b.fits(name)
		b.shot("page-" + name)
	}
	b.quiet()
	must(t, "connect", id("pages-review").String(), "--cancel")
	leave(t, "pages")
	leave(t, "pages-paused")
}

// fits fails the test when a person would have to scroll sideways.
func (b *tab) fits(name string) {
	b.t.Helper()
	if over := eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
		b.t.Errorf("%s is %d pixels wider than the window", name, over)
	}
}

// requestBy and leftBy are what connects the sandbox by a method whose secrets are typed in.
func requestBy(name, method string) activities.ConnectRequest {
	open, _ := typed(method)
	return activities.ConnectRequest{Connection: id(name), Method: method, Values: open}
}

func leftBy(t *testing.T, method string) connection.InboxRef {
	t.Helper()
	_, secret := typed(method)
	inbox, err := s.secrets.Inbox().Leave(within(t, time.Minute), secret)
	if err != nil {
		t.Fatal(err)
	}
	return inbox
}

// A grant that somebody revoked at the app is seen, told, and repaired from the list.
func TestConsoleRepairsAnExpiredConnection(t *testing.T) {
	authConfig(t, "console-repair", "oauth")
	name := id("repair")
	b := newTab(t)
	b.signIn()
	start := s.mark(t)
	b.startConnect(t, "Repair", "oauth")
	b.choose("Auth config", "console-repair")
	b.press("Connect with OAuth")
	b.consent()
	b.review()
	s.sandbox(t, "POST", "/admin/revoke-grant", map[string]any{"family": familySince(t, start)}, nil)
	b.open(pageOf(name))
	b.press("Refresh")
	b.see("Expired")
	b.accessible()
	b.shot("connection-expired")
	b.open("/connections?status=Expired")
	b.until("the list shows it", func() bool {
		if strings.Contains(b.text(), "Repair") {
			return true
		}
		time.Sleep(time.Second)
		b.open("/connections?status=Expired")
		return false
	})
	b.shot("connections-expired")
	b.open("/alerts")
	b.see("Repair")
	b.open(pageOf(name))
	b.press("Reconnect")
	b.see("It cannot be used until the new credential has passed")
	b.accessible()
	b.press("Connect with OAuth")
	b.consent()
	b.until("it is connected again", func() bool { return strings.Contains(b.text(), "Open the connection") })
	b.press("Open the connection")
	b.see("Active")
	b.quiet()
	leave(t, "repair")
}

// An administrator registers a client in the middle of a connect, and comes back to it.
func TestConsoleRegistersAClientOnTheWay(t *testing.T) {
	s.sandboxSettings(t, map[string]any{"organisations": map[string]int{"grace": 2}})
	b := newTab(t)
	b.signIn()
	b.startConnect(t, "On the way", "oauth-org")
	b.press("Create an auth config")
	b.fill("Name", "on-the-way")
	b.fill("Client ID", s.credentials["client_id"])
	b.fill("Client secret", s.credentials["client_secret"])
	b.fill("Address", s.ready.Sandbox)
	b.accessible()
	b.shot("auth-config-new")
	b.press("Store it")
	b.see("Connect Sandbox")
	b.press("Connect with OAuth")
	b.see("asks for access to your Sandbox account")
	b.choose("Grace Hopper", "")
	b.press("Allow")
	b.see("Which organisation do you mean?")
	b.accessible()
	b.shot("connect-choice")
	if strings.Contains(eval[string](b, "document.documentElement.outerHTML"), s.credentials["client_secret"]) {
		t.Error("the page shows the client secret")
	}
	b.choose("Organisation 2 of Grace Hopper", "")
	b.press("Continue with this account")
	b.review()
	b.quiet()
	leave(t, "on-the-way")
}
