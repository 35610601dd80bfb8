package console

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

// exactTime bounds the question when the shown connections were last used: the list is good without.
const exactTime = 500 * time.Millisecond

// estateRoutes are the pages of what there is: connections with their toolkits, auth
// configs, alerts and where alerts are told.
func (c *Console) estateRoutes() {
	c.read("/connections", c.showConnections)
	c.write("/connections/bulk", c.bulk)
	c.connectionRoutes()
	c.toolkitRoutes()
	c.authConfigRoutes()
	c.alertRoutes()
	c.sinkRoutes()
}

// connectionsPage is the list of connections.
type connectionsPage struct {
	listing
	Environments []string
	Apps         []appChoice
	Columns      []columnHead
	Counts       []statusCount
	Rows         []listedRow
	// First and Last number the rows of this page among the Matching, of Total connections.
	First, Last, Matching, Total int
	Prev, Next                   string
	// MayWrite: some of the rows may be ticked.
	MayWrite bool
	Away     []away
	// More names environments with more connections than are sorted here.
	More []string
	// Inexact: the times of last use are exact to the hour.
	Inexact bool
}

// appChoice is an app in a list to choose from.
type appChoice struct{ ID, Name string }

// columnHead is a column, with the link that sorts by it.
type columnHead struct {
	Title, Link string
	// Sorted is "ascending", "descending" or "".
	Sorted string
}

// statusCount is how many connections have a status, with the link that shows those alone.
type statusCount struct {
	Status  connection.Status
	Count   int
	Link    string
	Current bool
}

// listedRow is a connection of the list.
type listedRow struct {
	workflows.Row
	App  appChoice
	Link string
	// Next says what a person can do about the status; "" while nothing is to be done.
	Next, NextLink string
	// Tick: the person may do something with it.
	Tick bool
}

func (c *Console) showConnections(w http.ResponseWriter, r *http.Request) error {
	return c.showConnectionsWith(w, r, nil)
}

// showConnectionsWith shows the list as the address asks for it, and what did not work; nil for nothing.
func (c *Console) showConnectionsWith(w http.ResponseWriter, r *http.Request, problem *connection.Problem) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	page := connectionsPage{listing: parseListing(r.URL.Query()), Environments: namesOf(c.seen(r))}
	rows := c.gather(ctx, r, &page)
	page.cut(rows)
	page.heads()
	person := access.Of(r.Context())
	for _, row := range rows[max(page.First-1, 0):page.Last] {
		shown := c.listedRow(*row.Row)
		shown.Tick = person.May(row.Environment, access.Operator)
		page.MayWrite = page.MayWrite || shown.Tick
		page.Rows = append(page.Rows, shown)
	}
	page.Inexact = !c.exact(ctx, page.Rows)
	if partOnly(r) {
		return c.part(w, r, "connections.html", "part", page)
	}
	return c.showWith(w, r, "connections.html", "connections", "Connections", page, problem)
}

// gather collects the rows that pass the filters, in order, and counts them by status.
func (c *Console) gather(ctx context.Context, r *http.Request, page *connectionsPage) []foundRow {
	answers := everywhere(c, r, func(e backend.Environment) (backend.Rows, error) { return c.Lists.Connections(ctx, e) })
	page.Away = awayOf(answers)
	apps, small, counts := map[string]string{}, map[string]string{}, map[connection.Status]int{}
	var rows []foundRow
	for _, answer := range answers {
		page.Total += len(answer.Answer.Rows)
		if answer.Answer.More {
			page.More = append(page.More, answer.Environment.Name)
		}
		for i := range answer.Answer.Rows {
			row := &answer.Answer.Rows[i]
			if apps[row.App] == "" {
				apps[row.App] = c.appName(row.App)
				small[row.App] = strings.ToLower(apps[row.App])
			}
			found := foundRow{row, small[row.App], strings.ToLower(nameOf(row))}
			if !page.matches(found) {
				continue
			}
			counts[row.Status]++
			if page.Status == "" || page.Status == row.Status {
				rows = append(rows, found)
			}
		}
	}
	page.sorted(rows)
	for id, name := range maps.All(apps) {
		page.Apps = append(page.Apps, appChoice{id, name})
	}
	slices.SortFunc(page.Apps, func(a, b appChoice) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	page.count(counts)
	return rows
}

// count makes the links that filter by status.
func (p *connectionsPage) count(counts map[connection.Status]int) {
	chip := func(status connection.Status, n int) statusCount {
		to := p.listing
		to.Status, to.Page = status, 1
		return statusCount{Status: status, Count: n, Link: to.link(), Current: status == p.Status}
	}
	all := 0
	for _, n := range counts {
		all += n
	}
	p.Counts = append(p.Counts, chip("", all))
	for _, status := range connection.Statuses() {
		if counts[status] > 0 || status == p.Status {
			p.Counts = append(p.Counts, chip(status, counts[status]))
		}
	}
}

// cut finds the rows of the page asked for, or of the last one where there are no so many.
func (p *connectionsPage) cut(rows []foundRow) {
	p.Matching = len(rows)
	p.Page = min(p.Page, max(1, (len(rows)+rowsShown-1)/rowsShown))
	p.First, p.Last = (p.Page-1)*rowsShown+1, min(p.Page*rowsShown, len(rows))
	if len(rows) == 0 {
		p.First = 0
	}
	to := p.listing
	if p.Page > 1 {
		to.Page = p.Page - 1
		p.Prev = to.link()
	}
	if p.Last < len(rows) {
		to.Page = p.Page + 1
		p.Next = to.link()
	}
}

// heads makes the links that sort: once by a column, and again the other way round.
func (p *connectionsPage) heads() {
	sort := p.Sort
	if sort == "" {
		sort = "app"
	}
	for _, column := range columns {
		to, head := p.listing, columnHead{Title: column.title}
		to.Sort, to.Page = column.key, 1
		switch sort {
		case column.key:
			head.Sorted, to.Sort = "ascending", "-"+column.key
		case "-" + column.key:
			head.Sorted = "descending"
		}
		head.Link = to.link()
		p.Columns = append(p.Columns, head)
	}
}

// listedRow puts a connection into the words of the list.
func (c *Console) listedRow(row workflows.Row) listedRow {
	shown := listedRow{Row: row, App: appChoice{row.App, c.appName(row.App)}, Link: pageOf(row.ID)}
	shown.Name = nameOf(&row)
	switch row.Status {
	case connection.Expired:
		shown.Next, shown.NextLink = "Reconnect", shown.Link+"/reconnect"
	case connection.Error:
		shown.Next, shown.NextLink = "See what is wrong", shown.Link
	case connection.Pending:
		shown.Next, shown.NextLink, shown.Link = "Continue", shown.Link+"/connect", shown.Link+"/connect"
	case connection.Active, connection.Paused, connection.Leaving:
	}
	return shown
}

// exact asks when the shown connections were last used; false where not all was told.
func (c *Console) exact(ctx context.Context, shown []listedRow) bool {
	ctx, cancel := context.WithTimeout(ctx, exactTime)
	defer cancel()
	of := map[string][]int{}
	for i, row := range shown {
		of[row.Environment] = append(of[row.Environment], i)
	}
	told := true
	for name, places := range of {
		e, err := c.Environments.Named(name)
		rows := make([]workflows.Row, len(places))
		for n, i := range places {
			rows[n] = shown[i].Row
		}
		if err == nil {
			err = e.Client.Exact(ctx, rows)
		}
		told = told && err == nil
		for n, i := range places {
			shown[i].LastUsed = rows[n].LastUsed
		}
	}
	return told
}

// appName is an app's name, or its ID where no definition of it is loaded.
func (c *Console) appName(id string) string {
	if app, err := c.Catalogue.App(id); err == nil {
		return app.Name
	}
	return id
}
