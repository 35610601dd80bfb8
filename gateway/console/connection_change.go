package console

import (
	"context"
	"net/http"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

func (c *Console) testConnection(w http.ResponseWriter, r *http.Request) error {
	return c.ask(w, r, "The test", func(ctx context.Context, e backend.Environment, id connection.ID) (outcome, error) {
		result, err := e.Client.Test(ctx, id)
		return testOutcome(result), err
	})
}

func (c *Console) refreshConnection(w http.ResponseWriter, r *http.Request) error {
	return c.ask(w, r, "The refresh", func(ctx context.Context, e backend.Environment, id connection.ID) (outcome, error) {
		result, err := e.Client.Refresh(ctx, id)
		return refreshOutcome(result), err
	})
}

// ask does what has an outcome to be shown, and shows it in its place on the page.
func (c *Console) ask(w http.ResponseWriter, r *http.Request, what string, do func(context.Context, backend.Environment, connection.ID) (outcome, error)) error {
	e, id, err := c.named(r, access.Operator)
	if err != nil {
		return err
	}
	var out outcome
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		var err error
		out, err = do(ctx, e, id)
		return err
	})
	c.Lists.Changed(e.Name)
	switch {
	case late:
		out = lateOutcome(what)
	case err != nil:
		out = problemOutcome(web.ProblemOf(r, c.Log, err))
	}
	page, err := c.connectionPage(r, e, id)
	switch {
	case connection.TypeOf(err) == connection.ErrConnectionNotFound:
		return c.showGone(w, r, id, web.ProblemOf(r, c.Log, err))
	case err != nil:
		return err
	}
	page.Outcome = &out
	if partOnly(r) {
		return c.part(w, r, "connection.html", "asked", page)
	}
	return c.show(w, r, "connection.html", "connections", page.Name, page)
}

func (c *Console) pauseConnection(w http.ResponseWriter, r *http.Request) error {
	return c.change(w, r, "paused", func(ctx context.Context, e backend.Environment, id connection.ID) error {
		return e.Client.Pause(ctx, id, reasonOf(r))
	})
}

func (c *Console) resumeConnection(w http.ResponseWriter, r *http.Request) error {
	return c.change(w, r, "resumed", func(ctx context.Context, e backend.Environment, id connection.ID) error {
		return e.Client.Resume(ctx, id, reasonOf(r))
	})
}

func (c *Console) renameConnection(w http.ResponseWriter, r *http.Request) error {
	return c.change(w, r, "renamed", func(ctx context.Context, e backend.Environment, id connection.ID) error {
		name := strings.TrimSpace(r.PostForm.Get("display_name"))
		if name == "" {
			return connection.InvalidInput("display_name", "a name is needed", "give one")
		}
		return e.Client.Rename(ctx, id, name)
	})
}

func (c *Console) setConnectionPolicy(w http.ResponseWriter, r *http.Request) error {
	return c.change(w, r, "policy-set", func(ctx context.Context, e backend.Environment, id connection.ID) error {
		in, err := parsePolicy(r, c.now())
		if err == nil {
			_, err = e.Client.SetPolicy(ctx, id, in)
		}
		return err
	})
}

// parsePolicy reads the policy form. The end of the credential is set only where the
// field was changed: a date is less exact than what may be known.
func parsePolicy(r *http.Request, now time.Time) (workflows.SetPolicy, error) {
	idle := connection.IdlePolicy(r.PostForm.Get("idle"))
	var every time.Duration
	if text := r.PostForm.Get("every"); text != "" {
		var err error
		if every, err = time.ParseDuration(text); err != nil {
			return workflows.SetPolicy{}, connection.InvalidInput("every", "this is not a length of time", "choose one of the list")
		}
	}
	in := workflows.SetPolicy{Idle: &idle, ProbeEvery: &every}
	if text := r.PostForm.Get("expires"); text != r.PostForm.Get("expires_was") {
		expires, err := parseDay("expires", text, now)
		if err != nil {
			return in, err
		}
		in.Expires = &expires
	}
	return in, nil
}

func (c *Console) disconnectConnection(w http.ResponseWriter, r *http.Request) error {
	var result workflows.DisconnectResult
	return c.changeSaying(w, r, func(ctx context.Context, e backend.Environment, id connection.ID) error {
		err := sure(r)
		if err == nil {
			result, err = e.Client.Disconnect(ctx, id, reasonOf(r))
		}
		return err
	}, func(late bool) string {
		if late {
			return "disconnecting"
		}
		return "disconnected-" + result.Revocation
	})
}

// change does something with a connection and leads back to its page, which says so.
func (c *Console) change(w http.ResponseWriter, r *http.Request, said string, do func(context.Context, backend.Environment, connection.ID) error) error {
	return c.changeSaying(w, r, do, func(late bool) string {
		if late {
			return "still-going"
		}
		return said
	})
}

func (c *Console) changeSaying(w http.ResponseWriter, r *http.Request, do func(context.Context, backend.Environment, connection.ID) error, said func(late bool) string) error {
	e, id, err := c.named(r, access.Operator)
	if err != nil {
		return err
	}
	late, err := patiently(r.Context(), func(ctx context.Context) error { return do(ctx, e, id) })
	c.Lists.Changed(e.Name)
	switch {
	case err == nil:
		to(w, r, pageOf(id), said(late))
		return nil
	case connection.TypeOf(err) == connection.ErrConnectionNotFound: // another tab was first
		return c.showGone(w, r, id, web.ProblemOf(r, c.Log, err))
	}
	page, missing := c.connectionPage(r, e, id)
	if missing != nil {
		return err
	}
	return c.showWith(w, r, "connection.html", "connections", page.Name, page, web.ProblemOf(r, c.Log, err))
}

// reasonOf is why somebody does something, for those who look at it later.
func reasonOf(r *http.Request) string {
	return connection.Bound(strings.TrimSpace(r.PostForm.Get("reason")), 500)
}
