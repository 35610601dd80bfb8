package console

import (
	"net/http"
	"slices"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors"
)

func (c *Console) galleryRoutes() {
	c.read("/apps", c.showGallery)
}

// gallery is the page of all apps.
type gallery struct {
	Query, Category string
	Kind            connection.AuthKind
	Categories      []string
	Kinds           []connection.AuthKind
	Apps            []card
	// Total is how many apps there are without any filter.
	Total int
}

// card is one app of the gallery.
type card struct {
	*connectors.App
	Kinds   []connection.AuthKind
	Actions int
}

// showGallery shows the apps that match the search and the filters; htmx asks for
// the cards alone.
func (c *Console) showGallery(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	page := gallery{Query: connection.Bound(strings.TrimSpace(query.Get("q")), 100), Category: query.Get("category"),
		Kind: connection.AuthKind(query.Get("kind"))}
	for _, app := range c.Catalogue.Apps() {
		page.Total++
		shown := card{App: app, Actions: len(app.Actions)}
		for _, m := range app.Methods {
			if !slices.Contains(shown.Kinds, m.Kind) {
				shown.Kinds = append(shown.Kinds, m.Kind)
			}
		}
		page.Categories = append(page.Categories, app.Categories...)
		page.Kinds = append(page.Kinds, shown.Kinds...)
		if page.matches(shown) {
			page.Apps = append(page.Apps, shown)
		}
	}
	slices.Sort(page.Categories)
	page.Categories = slices.Compact(page.Categories)
	slices.SortFunc(page.Kinds, func(a, b connection.AuthKind) int { return strings.Compare(kindTitle(a), kindTitle(b)) })
	page.Kinds = slices.Compact(page.Kinds)
	slices.SortStableFunc(page.Apps, func(a, b card) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	if partOnly(r) {
		return c.part(w, r, "gallery.html", "cards", page)
	}
	return c.show(w, r, "gallery.html", "apps", "App Gallery", page)
}

func (g gallery) matches(app card) bool {
	if g.Category != "" && !slices.Contains(app.Categories, g.Category) || g.Kind != "" && !slices.Contains(app.Kinds, g.Kind) {
		return false
	}
	text := strings.ToLower(app.ID + " " + app.Name + " " + app.Summary)
	for word := range strings.FieldsSeq(strings.ToLower(g.Query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
