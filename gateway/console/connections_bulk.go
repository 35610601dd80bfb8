package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

// bulkMost is how many connections one form may name: several pages of the list.
const bulkMost = 200

// bulkDeed is something that can be done with many connections at once.
type bulkDeed struct {
	Key, Title string
	// Will says what will happen to each, Warning what is lost by it; "" where nothing is.
	Will, Warning string
	// Reason: people may say why.
	Reason bool
	// from are the statuses in which it can be done.
	from []connection.Status
}

var bulkDeeds = []bulkDeed{
	{Key: "test", Title: "Test", Will: "its app is asked whether it works, now.",
		from: []connection.Status{connection.Active, connection.Error, connection.Expired}},
	{Key: "refresh", Title: "Refresh", Will: "its credential is renewed, now.",
		from: []connection.Status{connection.Active, connection.Error}},
	{Key: "pause", Title: "Pause", Will: "its actions are refused and its app is asked nothing, until it is resumed.", Reason: true,
		from: []connection.Status{connection.Active, connection.Error}},
	{Key: "resume", Title: "Resume", Will: "it is looked after and can be used again.", Reason: true,
		from: []connection.Status{connection.Paused}},
	{Key: "disconnect", Title: "Disconnect", Will: "its grant is revoked where the app offers that, its credential is destroyed, and it is gone.", Reason: true,
		Warning: "Credentials are destroyed, and workflows and agents that use these connections fail from then on. This cannot be undone.",
		from:    []connection.Status{connection.Active, connection.Error, connection.Expired, connection.Paused}},
}

// bulkPage is what will happen to which connections or, once it was done, what became of each.
type bulkPage struct {
	Deed  bulkDeed
	Why   string
	Items []bulkItem
	// Excluded are those that nothing is done with, each with the reason.
	Excluded []bulkItem
	// Done: these are results.
	Done bool
	// Left counts those of which nothing was heard in the time there was.
	Left int
}

// bulkItem is one connection of a bulk action.
type bulkItem struct {
	ID     connection.ID
	Name   string
	App    appChoice
	Status connection.Status
	// Says is why it is excluded, or what became of it; Bad that it did not work.
	Says string
	Bad  bool
}

// bulk shows what a bulk action will do and, once that is confirmed, does it.
func (c *Console) bulk(w http.ResponseWriter, r *http.Request) error {
	i := slices.IndexFunc(bulkDeeds, func(deed bulkDeed) bool { return deed.Key == r.PostForm.Get("do") })
	if i < 0 {
		return connection.InvalidInput("do", "there is no such action for many connections", "go back to the list and press one of the buttons there")
	}
	page := bulkPage{Deed: bulkDeeds[i], Why: connection.Bound(r.PostForm.Get("reason"), 500)}
	ids := r.PostForm["id"]
	switch {
	case len(ids) == 0:
		return c.showConnectionsWith(w, r, connection.InvalidInput("", "no connection was ticked", "tick some of the list, then press the button again"))
	case len(ids) > bulkMost:
		return c.showConnectionsWith(w, r, connection.InvalidInput("", fmt.Sprintf("these are more than %d connections", bulkMost), "take fewer at a time"))
	}
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	if err := c.sortOut(ctx, r, ids, &page); err != nil {
		return err
	}
	var problem *connection.Problem
	if r.PostForm.Get("confirm") == "yes" && len(page.Items) > 0 {
		if page.Deed.Warning == "" || sure(r) == nil {
			c.runBulk(r, &page)
			return c.show(w, r, "connections-bulk.html", "connections", page.Deed.Title+": results", page)
		}
		problem, _ = connection.AsProblem(sure(r))
	}
	return c.showWith(w, r, "connections-bulk.html", "connections", page.Deed.Title+": what will happen", page, problem)
}

// sortOut tells the connections with which it can be done from the others.
func (c *Console) sortOut(ctx context.Context, r *http.Request, ids []string, page *bulkPage) error {
	known := map[connection.ID]*workflows.Row{}
	for _, e := range c.seen(r) {
		if !slices.ContainsFunc(ids, func(id string) bool { return connection.ID(id).Environment() == e.Name }) {
			continue
		}
		rows, err := c.Lists.Connections(ctx, e)
		if err != nil {
			return err
		}
		for i := range rows.Rows {
			known[rows.Rows[i].ID] = &rows.Rows[i]
		}
	}
	slices.Sort(ids)
	for _, text := range slices.Compact(ids) {
		id, err := connection.ParseID(text)
		if err != nil {
			return err
		}
		item := bulkItem{ID: id, Name: id.Slug(), App: appChoice{id.App(), c.appName(id.App())}}
		if row := known[id]; row != nil {
			item.Name, item.Status = nameOf(row), row.Status
		}
		if item.Says = page.Deed.refuses(r, item, known[id]); item.Says != "" {
			page.Excluded = append(page.Excluded, item)
		} else {
			page.Items = append(page.Items, item)
		}
	}
	return nil
}

// refuses says why it cannot be done with a connection; "" when it can.
func (d bulkDeed) refuses(r *http.Request, item bulkItem, row *workflows.Row) string {
	person, environment := access.Of(r.Context()), item.ID.Environment()
	switch {
	case slices.Contains(person.Away, environment):
		return "the Vault of " + environment + " cannot say just now what you may do there: try again in a moment"
	case row == nil:
		return "there is no such connection any more"
	case !person.May(environment, access.Operator):
		return "this needs the role operator in " + environment
	case slices.Contains(d.from, item.Status):
		return ""
	}
	switch item.Status {
	case connection.Pending:
		return "it is still being connected"
	case connection.Leaving:
		return "it is being disconnected already"
	case connection.Paused:
		if d.Key == "pause" {
			return "it is paused already"
		}
		return "it is paused: resume it first"
	case connection.Expired:
		return "it has expired: a person must reconnect it"
	case connection.Active, connection.Error:
	}
	return "it is not paused"
}
