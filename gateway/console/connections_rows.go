package console

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// rowsShown is how many connections are on one page of the list.
const rowsShown = 25

// listing is what the list of connections is asked for: filters, order and page.
type listing struct {
	Query, Environment, App, Owner string
	Status                         connection.Status
	// Sort is a column, with a minus for the other way round; "" is by app.
	Sort string
	// Page is counted from 1.
	Page int
}

// columns are what the list can be sorted by, in the order they stand in.
var columns = []struct{ key, title string }{
	{"app", "App"}, {"name", "Connection"}, {"environment", "Environment"}, {"status", "Status"}, {"last-used", "Last used"}, {"account", "Account"},
}

func parseListing(query url.Values) listing {
	text := func(name string) string { return connection.Bound(strings.TrimSpace(query.Get(name)), 100) }
	l := listing{Query: text("q"), Environment: text("environment"), App: text("app"), Owner: text("owner"),
		Status: connection.Status(text("status")), Sort: text("sort"), Page: 1}
	if !slices.ContainsFunc(columns, func(column struct{ key, title string }) bool { return column.key == strings.TrimPrefix(l.Sort, "-") }) {
		l.Sort = ""
	}
	if page, err := strconv.Atoi(query.Get("page")); err == nil {
		l.Page = max(page, 1)
	}
	return l
}

// Filtered reports whether anything narrows the list.
func (l listing) Filtered() bool {
	return l.Query != "" || l.Environment != "" || l.App != "" || l.Owner != "" || l.Status != ""
}

// link is the address of the list as it is asked for here.
func (l listing) link() string {
	query := url.Values{}
	for name, value := range map[string]string{"q": l.Query, "environment": l.Environment, "app": l.App, "owner": l.Owner,
		"status": string(l.Status), "sort": l.Sort} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if l.Page > 1 {
		query.Set("page", strconv.Itoa(l.Page))
	}
	if len(query) == 0 {
		return "/connections"
	}
	return "/connections?" + query.Encode()
}

// Bulk is where the form of the list goes: with the list's own address, to come back to it.
func (l listing) Bulk() string {
	return "/connections/bulk" + strings.TrimPrefix(l.link(), "/connections")
}

// foundRow is a connection with the words that it is found and sorted by, in small
// letters: made once, since there may be thousands.
type foundRow struct {
	*workflows.Row
	app, name string
}

// matches reports whether a row passes every filter but the one by status, by which
// rows are counted.
func (l listing) matches(row foundRow) bool {
	if l.Environment != "" && row.Environment != l.Environment || l.App != "" && row.App != l.App ||
		l.Owner != "" && !strings.Contains(strings.ToLower(row.Owner), strings.ToLower(l.Owner)) {
		return false
	}
	if l.Query == "" {
		return true
	}
	text := row.ID.String() + " " + row.name + " " + row.app + " " + strings.ToLower(row.Account+" "+row.Owner)
	for word := range strings.FieldsSeq(strings.ToLower(l.Query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// sorted puts rows into the order asked for, and those that are equal by it into that of the apps.
func (l listing) sorted(rows []foundRow) {
	byApp := func(a, b foundRow) int {
		return cmp.Or(cmp.Compare(a.app, b.app), cmp.Compare(a.name, b.name), cmp.Compare(a.ID, b.ID))
	}
	by := map[string]func(a, b foundRow) int{
		"name":        func(a, b foundRow) int { return cmp.Compare(a.name, b.name) },
		"environment": func(a, b foundRow) int { return cmp.Compare(a.Environment, b.Environment) },
		"status":      func(a, b foundRow) int { return cmp.Compare(gravity(a.Status), gravity(b.Status)) },
		"last-used":   func(a, b foundRow) int { return b.LastUsed.Compare(a.LastUsed) },
		"account":     func(a, b foundRow) int { return cmp.Compare(a.Account, b.Account) },
	}[strings.TrimPrefix(l.Sort, "-")]
	if by == nil {
		by = byApp
	}
	sign := 1
	if strings.HasPrefix(l.Sort, "-") {
		sign = -1
	}
	slices.SortFunc(rows, func(a, b foundRow) int {
		if order := by(a, b); order != 0 {
			return sign * order
		}
		return byApp(a, b)
	})
}

// gravities are the statuses in the order in which they want a person.
var gravities = []connection.Status{connection.Expired, connection.Error, connection.Pending, connection.Paused, connection.Leaving, connection.Active}

func gravity(status connection.Status) int { return slices.Index(gravities, status) }

// nameOf is the display name or, without one, the last part of the ID.
func nameOf(row *workflows.Row) string {
	if row.Name == "" {
		return row.ID.Slug()
	}
	return row.Name
}
