package gateway

import (
	"embed"
	"net/http"
	"time"

	"connectedapps/gateway/web"
)

//go:embed pages
var pages embed.FS

var templates = web.Pages(pages, "pages")

// notice is a page that says one thing.
type notice struct {
	Title, Message, Next string
	// Command is what to type in to do what Next says; "" shows none.
	Command string
	// Warning says what did not work on a page that goes on nevertheless; "" shows none.
	Warning string
	// Choice is a form with accounts to choose from; nil shows none.
	Choice *choice
	// Bad is for what did not work.
	Bad bool
	// Details are pairs shown below, such as whose account was connected.
	Details []detail
	// RefreshSeconds reloads the page by itself; 0 does not.
	RefreshSeconds int
	// Link and LinkText lead on, where there is somewhere to go.
	Link, LinkText string
}

type detail struct{ Name, Text string }

// request is the page that shows who asks for what.
type request struct {
	AppName, DisplayName, Environment, RequestedBy string
	Connection                                     string
	// Toolkit is what will be made; "" for a connection that keeps its own.
	Toolkit string
	// Again is set for the authorization of a connection that is there already.
	Again   bool
	Actions []ask
	Scopes  []scope
	Expires string
}

// ask is an action as a person reads it.
type ask struct {
	Title, Description string
	// Changes and Destroys warn of what it does to the account's data.
	Changes, Destroys bool
}

// scope is one right that the app will be asked for, with what it is needed for.
type scope struct{ Name, For string }

// onward is the page that leads to the provider.
type onward struct{ AppName, URL, Host string }

func (g *Gateway) render(w http.ResponseWriter, status int, name string, data any) {
	web.Render(w, g.log, templates, status, name, data)
}

func (g *Gateway) stylesheet(w http.ResponseWriter, _ *http.Request) {
	text, err := pages.ReadFile("pages/page.css")
	if err != nil {
		http.NotFound(w, nil)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(text) // the browser went away: nobody is left to tell
}

func clockText(t time.Time) string { return t.UTC().Format("15:04 MST on 2 January 2006") }
