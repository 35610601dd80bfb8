package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
)

// AppItem is an app in a list.
type AppItem struct {
	ID         string   `json:"id" example:"github" doc:"The app's ID: the second part of a connection's ID."`
	Name       string   `json:"name" example:"GitHub" doc:"The product's name."`
	Summary    string   `json:"summary,omitempty" doc:"What it is, in a sentence."`
	Categories []string `json:"categories" doc:"Where it stands in the gallery."`
	Kinds      []string `json:"kinds" example:"[\"oauth2-code\"]" doc:"Kinds of authentication that it offers, the recommended one first."`
	Actions    int      `json:"actions" doc:"How many actions it has."`
}

// AppList is the App Gallery.
type AppList struct {
	Items []AppItem `json:"items" doc:"The apps, by ID."`
}

// App is everything that is needed to connect an app and use it.
type App struct {
	AppItem
	Homepage string   `json:"homepage,omitempty" doc:"The product's own page."`
	Docs     string   `json:"docs,omitempty" doc:"The documentation that the definition was written from."`
	Methods  []Method `json:"methods" doc:"Ways to authenticate, the recommended one first."`
	Offers   []Action `json:"offers" doc:"The actions, each with the JSON Schema of its arguments."`
	Recovery []string `json:"recovery,omitempty" doc:"Hints for a person whose connection died."`
	Digest   string   `json:"digest" doc:"Identifies the text of the definition."`
}

// AppsFilter narrows the gallery.
type AppsFilter struct {
	Category string `query:"category" maxLength:"80" doc:"Only apps of this category."`
	Kind     string `query:"kind" maxLength:"40" example:"api-key" doc:"Only apps that offer this kind of authentication."`
	Query    string `query:"query" maxLength:"100" doc:"Only apps whose ID, name or summary has this in it, in either case."`
}

type appPath struct {
	App string `path:"app" maxLength:"63" example:"github" doc:"The app's ID."`
}

type (
	appsAnswer struct{ Body AppList }
	appAnswer  struct{ Body App }
)

func (a *api) registerApps() {
	register(a, operation{id: "list-apps", method: http.MethodGet, path: "/apps", tag: "Apps", role: access.Viewer, summary: "List apps",
		description: "Lists the App Gallery: every app that this gateway has a definition of."}, a.listApps)
	register(a, operation{id: "show-app", method: http.MethodGet, path: "/apps/{app}", tag: "Apps", role: access.Viewer, summary: "Show an app",
		description: "Answers how an app authenticates, what each way asks for, how to register a client with it, and its actions."}, a.showApp)
}

func (a *api) listApps(_ context.Context, in *AppsFilter) (*appsAnswer, error) {
	out := AppList{Items: []AppItem{}}
	for _, app := range a.catalogue.Apps() {
		item := appItem(app)
		if in.Category != "" && !slices.ContainsFunc(item.Categories, func(c string) bool { return strings.EqualFold(c, in.Category) }) ||
			in.Kind != "" && !slices.Contains(item.Kinds, in.Kind) || !mentions(item, in.Query) {
			continue
		}
		out.Items = append(out.Items, item)
	}
	return &appsAnswer{out}, nil
}

func mentions(item AppItem, text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	return text == "" || strings.Contains(strings.ToLower(item.ID+"\n"+item.Name+"\n"+item.Summary), text)
}

func (a *api) showApp(_ context.Context, in *appPath) (*appAnswer, error) {
	app, err := a.catalogue.App(in.App)
	if err != nil {
		return nil, err
	}
	out := App{AppItem: appItem(app), Homepage: app.Homepage, Docs: app.DocsURL, Methods: []Method{}, Offers: []Action{},
		Recovery: app.Recovery, Digest: app.Digest}
	for _, method := range app.Methods {
		out.Methods = append(out.Methods, a.method(app, method))
	}
	for _, action := range app.Actions {
		out.Offers = append(out.Offers, actionOf(action))
	}
	return &appAnswer{out}, nil
}

func appItem(app *connectors.App) AppItem {
	item := AppItem{ID: app.ID, Name: app.Name, Summary: app.Summary, Categories: listOf(app.Categories), Kinds: []string{}, Actions: len(app.Actions)}
	for _, method := range app.Methods {
		if !slices.Contains(item.Kinds, string(method.Kind)) {
			item.Kinds = append(item.Kinds, string(method.Kind))
		}
	}
	return item
}

// listOf is a list that is never null.
func listOf[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// methodOf is the app's way to authenticate of that name, with its app.
func (a *api) methodOf(id connection.ID, method string) (*connectors.Method, error) {
	app, err := a.catalogue.App(id.App())
	if err != nil {
		return nil, err
	}
	return app.Method(method)
}
