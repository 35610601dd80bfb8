package console

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

const (
	// authConfigPath is where an auth config's pages are.
	authConfigPath = "/auth-configs/{environment}/{app}/{name}"
	// authConfigsMost is how many of an environment are listed, and countedMost for
	// how many of them their connections are counted: a request each.
	authConfigsMost, countedMost = 500, 50
)

func init() {
	maps.Copy(sayings, map[string]string{
		"config-created":  "The auth config is stored. It can be chosen when connecting, and is tried then.",
		"config-rotated":  "The new secret is in place; how it was proven stands below.",
		"config-rotating": "The new secret is being proven. Until it has, everything goes on with the old one. Reload the page in a moment.",
		"config-retired":  "The auth config takes no new connections from now on.",
		"config-revived":  "The auth config takes new connections again.",
		"config-deleted":  "The auth config is deleted. The client at the app stays.",
		"config-storing":  "Storing it takes longer than usual and goes on by itself. Reload the page in a moment.",
	})
}

func (c *Console) authConfigRoutes() {
	c.read("/auth-configs", c.showAuthConfigs)
	c.read("/auth-configs/new", c.newAuthConfig)
	c.write("/auth-configs/new", c.createAuthConfig)
	c.read(authConfigPath, c.showAuthConfig)
	c.write(authConfigPath+"/rotate", c.rotateAuthConfig)
	c.write(authConfigPath+"/retire", c.retireAuthConfig)
	c.write(authConfigPath+"/delete", c.deleteAuthConfig)
}

// authConfigsPage is the list of auth configs.
type authConfigsPage struct {
	Environment, App string
	Environments     []string
	Apps             []appChoice
	Rows             []authConfigRow
	Total            int
	MayWrite         bool
	Away             []away
	// Unused: some of the rows are not in use.
	Unused bool
	// Uncounted: how many use them was not counted for all of them.
	Uncounted bool
}

// authConfigRow is an auth config of the list.
type authConfigRow struct {
	workflows.AuthConfigRow
	App  appChoice
	Link string
	// Shown is the status, or that nothing uses it.
	Shown string
}

// showAuthConfigs lists those of every environment that the person may see.
func (c *Console) showAuthConfigs(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	page := authConfigsPage{Environment: r.URL.Query().Get("environment"), App: r.URL.Query().Get("app"), Environments: namesOf(c.seen(r))}
	answers := everywhere(c, r, func(e backend.Environment) ([]workflows.AuthConfigRow, error) {
		rows, _, err := e.Client.ListAuthConfigs(ctx, "", authConfigsMost, nil)
		if err != nil {
			return nil, err
		}
		return rows, e.Client.CountAuthConfigUsers(ctx, rows[:min(countedMost, len(rows))])
	})
	page.Away = awayOf(answers)
	for _, answer := range answers {
		page.MayWrite = page.MayWrite || access.Of(r.Context()).May(answer.Environment.Name, access.Admin)
		page.Total += len(answer.Answer)
		for _, row := range answer.Answer {
			shown := authConfigRow{row, appChoice{row.App, c.appName(row.App)}, authConfigPage(row.Environment, row.App, row.Name), string(row.Status)}
			if row.UsedBy != nil && *row.UsedBy == 0 && row.Status == connection.Active {
				shown.Shown = statusUnused
			}
			if !slices.Contains(page.Apps, shown.App) {
				page.Apps = append(page.Apps, shown.App)
			}
			if (page.Environment == "" || page.Environment == row.Environment) && (page.App == "" || page.App == row.App) {
				page.Unused = page.Unused || shown.Shown == statusUnused
				page.Uncounted = page.Uncounted || row.UsedBy == nil
				page.Rows = append(page.Rows, shown)
			}
		}
	}
	slices.SortFunc(page.Apps, func(a, b appChoice) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	slices.SortFunc(page.Rows, func(a, b authConfigRow) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.App.Name), strings.ToLower(b.App.Name)), strings.Compare(a.Name, b.Name), strings.Compare(a.Environment, b.Environment))
	})
	if partOnly(r) {
		return c.part(w, r, "authconfigs.html", "configs", page)
	}
	return c.show(w, r, "authconfigs.html", "auth-configs", "Auth configs", page)
}
