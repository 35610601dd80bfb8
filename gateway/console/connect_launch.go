package console

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

// desk is where a person works on a connect: a page of the console, or of a guest.
type desk struct {
	backend.Environment
	id connection.ID
	// path is the connect's page; its forms go below it.
	path string
	// token is what those forms carry.
	token string
	// may: the person may do something, and not only look.
	may bool
	// guest is the session of a person who has not signed in; nil in the console.
	guest *guest
}

// desk is the page of the connect that a path names, for somebody with the role.
func (c *Console) desk(r *http.Request, role access.Role) (desk, error) {
	e, id, err := c.named(r, role)
	person := access.Of(r.Context())
	return desk{Environment: e, id: id, path: ConnectPath(id), token: person.FormToken, may: person.May(e.Name, access.Operator)}, err
}

// launch begins a connect, or goes on with the very same one that is open, and leads
// the person to where it goes on: to the app itself, or to the connect's page.
func (c *Console) launch(w http.ResponseWriter, r *http.Request, d desk, in workflows.ConnectInput, flow activities.Flow, secrets map[string]connection.Secret) error {
	defer c.Lists.Changed(d.Name)
	switch flow {
	case activities.FlowBrowser:
		return c.authorize(w, r, d, in)
	case activities.FlowDevice:
		return c.onward(w, r, d, func(ctx context.Context) error {
			_, err := d.Client.RequestDevice(ctx, in)
			return err
		})
	case activities.FlowInput, activities.FlowAutomatic:
	}
	inbox, err := d.Leave(r.Context(), secrets)
	if err != nil {
		return err
	}
	return c.onward(w, r, d, func(ctx context.Context) error {
		_, err := d.Client.Connect(ctx, in, inbox)
		return err
	})
}

// authorize leads the browser to the app: the link is used at once, by whoever asked for it.
func (c *Console) authorize(w http.ResponseWriter, r *http.Request, d desk, in workflows.ConnectInput) error {
	var link workflows.Link
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		var err error
		link, err = d.Client.RequestLink(ctx, in)
		return err
	})
	switch {
	case err != nil:
		return err
	case late:
		lead(w, r, d, true)
	default:
		attempt := Attempt{Connection: d.id, ID: link.Attempt}
		if d.guest != nil {
			attempt.Session = d.guest.Session
		}
		c.Authorize(w, r, attempt)
	}
	return nil
}

// onward does something that a connect may take long over, and leads to its page.
func (c *Console) onward(w http.ResponseWriter, r *http.Request, d desk, work func(context.Context) error) error {
	late, err := patiently(r.Context(), work)
	if err != nil {
		return err
	}
	lead(w, r, d, late)
	return nil
}

// lead sends the browser to the connect's page. One that was begun late may not be
// there yet: the page waits for it then, for as long as [since.waits] says.
func lead(w http.ResponseWriter, r *http.Request, d desk, late bool) {
	path := d.path
	if late {
		path += "?" + begunLate + "=" + string(sinceTime(time.Now()))
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// leadCancelled sends the browser to the page of a connect that was just cancelled,
// which offers nothing more to do while what was done is undone.
func leadCancelled(w http.ResponseWriter, r *http.Request, d desk) {
	http.Redirect(w, r, d.path+"?"+cancelledAt+"="+string(sinceTime(time.Now())), http.StatusSeeOther)
}

const (
	// cancelledAt is the parameter with which the page is told since when it is being
	// cancelled. Where that lasts longer than waitTime, the page shows how it stands.
	cancelledAt = "cancelled"
	// begunLate is the parameter with which the page is told since when it waits.
	begunLate = "begun"
	// waitTime is how long it does. What is not there by then is a worker that is away,
	// and a person who looks at a page that says nothing.
	waitTime = time.Minute
)

// since is when a connect was begun that was not there at once, in Unix seconds; "" for others.
type since string

func sinceTime(t time.Time) since { return since(strconv.FormatInt(t.Unix(), 10)) }

// waits reports whether the connect may come yet. Clocks of gateways may differ a little.
func (s since) waits(now time.Time) bool {
	seconds, err := strconv.ParseInt(string(s), 10, 64)
	return err == nil && now.Sub(time.Unix(seconds, 0)).Abs() < waitTime
}
