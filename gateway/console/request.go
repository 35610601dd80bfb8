package console

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
)

const (
	// readTime bounds the questions behind a page.
	readTime = 10 * time.Second
	// patience is how long a form waits for what it began before the person is shown how
	// it goes on: nobody looks at a blank page for longer.
	patience = 4 * time.Second
)

// Attempt names one try of a person to authorize a connect.
type Attempt struct {
	Connection connection.ID
	ID         string
	// Session is the connect session whose guest tries; "" in the console.
	Session string
}

// named is the connection that a path is about, in an environment where the person has the role.
func (c *Console) named(r *http.Request, role access.Role) (backend.Environment, connection.ID, error) {
	e, err := c.environment(r, r.PathValue("environment"), role)
	if err != nil {
		return e, "", err
	}
	id, err := connection.NewID(e.Name, r.PathValue("app"), r.PathValue("name"))
	return e, id, err
}

// patiently does something that may take longer than a page should: late is true when
// it goes on by itself, which is no error.
func patiently(ctx context.Context, work func(context.Context) error) (late bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = work(ctx)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return true, nil
	}
	return false, err
}

// to sends the browser on after a form, so that reloading sends nothing again. said is
// the key of a message that the next page shows; "" shows none.
func to(w http.ResponseWriter, r *http.Request, path, said string) {
	if said != "" {
		path += "?said=" + said
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// pageOf is a connection's own page.
func pageOf(id connection.ID) string { return "/connections/" + id.String() }

func noSuchPage() *connection.Problem {
	return connection.InvalidInput("", "there is no such page", "the address may have been cut or mistyped; begin at the list of connections")
}

func tooLarge() *connection.Problem {
	return connection.InvalidInput("", "the form is larger than any that is on these pages", "send less")
}
