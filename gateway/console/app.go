package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"connectedapps/activities"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
)

func (c *Console) appRoutes() {
	c.read("/apps/{app}", c.showApp)
}

// appPage is everything that there is to know of an app before it is connected.
type appPage struct {
	*connectors.App
	// Docs and Home are addresses that may be linked; "" for none.
	Docs, Home  string
	RedirectURI string
	Ways        []way
	// May connect: the person is operator somewhere.
	May bool
}

// way is one way to authenticate.
type way struct {
	*connectors.Method
	Setup *setup
	// Test says in words what proves a credential, or why nothing does.
	Test string
}

// setup is a guide with what it mentions filled in.
type setup struct {
	URL   string
	Steps []string
}

func (c *Console) showApp(w http.ResponseWriter, r *http.Request) error {
	app, err := c.Catalogue.App(r.PathValue("app"))
	if err != nil {
		return err
	}
	page := appPage{App: app, Docs: webLink(app.DocsURL), Home: webLink(app.Homepage), RedirectURI: c.redirectURI(),
		May: len(c.operated(r)) > 0}
	for _, method := range app.Methods {
		page.Ways = append(page.Ways, way{Method: method, Setup: c.setupOf(method, app.Actions), Test: testOf(method)})
	}
	return c.show(w, r, "app.html", "apps", app.Name, page)
}

// operated are the environments in which the person may connect, in order.
func (c *Console) operated(r *http.Request) []string {
	var names []string
	for _, e := range c.Environments.All() {
		if access.Of(r.Context()).May(e.Name, access.Operator) {
			names = append(names, e.Name)
		}
	}
	return names
}

// redirectURI is what a client is registered with at an app.
func (c *Console) redirectURI() string { return c.Site.Link(activities.CallbackPath) }

// setupOf is the guide of a method for the scopes that some actions need; nil where
// the definition has none.
func (c *Console) setupOf(method *connectors.Method, actions []*connectors.Action) *setup {
	if method.Setup == nil {
		return nil
	}
	scopes := method.ScopesFor(actions)
	if method.OAuth == nil { // a key is given the same rights by hand
		for _, action := range actions {
			scopes = append(scopes, action.Scopes...)
		}
		slices.Sort(scopes)
		scopes = slices.Compact(scopes)
	}
	list := strings.Join(scopes, " ")
	if list == "" {
		list = "(none)"
	}
	fill := strings.NewReplacer("{redirect_uri}", c.redirectURI(), "{scopes}", list)
	filled := &setup{URL: webLink(method.Setup.URL)}
	for _, step := range method.Setup.Steps {
		filled.Steps = append(filled.Steps, fill.Replace(step))
	}
	return filled
}

// testOf says in words what a test of a credential does.
func testOf(method *connectors.Method) string {
	probe := method.Probe
	if probe == nil {
		probe = method.App().Probe
	}
	switch {
	case method.Untestable != "":
		return "cannot be tested: " + method.Untestable
	case probe == nil:
		return "cannot be tested: the app offers nothing that proves a credential"
	case probe.Tests != "":
		return probe.Tests
	case probe.Method == "":
		return http.MethodGet + " " + string(probe.Path)
	default:
		return probe.Method + " " + string(probe.Path)
	}
}

// webLink is an address that a page may link to; "" for what is no http or https.
func webLink(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}
