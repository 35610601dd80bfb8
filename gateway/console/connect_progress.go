package console

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

func (c *Console) progressRoutes() {
	const page = "/connections/{environment}/{app}/{name}/connect"
	c.read(page, c.showProgress)
	c.read(page+"/pulse", c.pulse)
	for name, move := range c.moves() {
		c.write(page+"/"+name, func(w http.ResponseWriter, r *http.Request) error {
			d, err := c.desk(r, access.Operator)
			if err != nil {
				return err
			}
			return c.moved(w, r, d, move)
		})
	}
}

// showProgress shows how a connect stands. What it shows is the workflow's: the page may
// be closed, and opened again tomorrow.
func (c *Console) showProgress(w http.ResponseWriter, r *http.Request) error {
	d, err := c.desk(r, access.Viewer)
	if err != nil {
		return err
	}
	return c.showState(w, r, d, nil, nil)
}

// pulse answers nothing while nothing is new, and the whole part otherwise. Being
// unable to look is no news; that there is nothing to look at any more is.
func (c *Console) pulse(w http.ResponseWriter, r *http.Request) error {
	d, err := c.desk(r, access.Viewer)
	if err != nil {
		w.Header().Set("HX-Refresh", "true")
		return nil
	}
	return c.beat(w, r, d)
}

func (c *Console) beat(w http.ResponseWriter, r *http.Request, d desk) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	progress, err := d.Client.Progress(ctx, d.id)
	if connection.TypeOf(err) == connection.ErrSessionClosed && !since(strings.TrimPrefix(r.URL.Query().Get("seen"), unseen)).waits(c.now()) {
		w.Header().Set("HX-Refresh", "true")
		return nil
	}
	if err != nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if at, ok := strings.CutPrefix(r.URL.Query().Get("seen"), undoing); ok && !progress.Phase.Over() && since(at).waits(c.now()) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s := c.stateOf(d, progress, nil)
	if s.Digest == r.URL.Query().Get("seen") {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	c.completeState(ctx, d, s)
	s.Live = true
	return c.render(w, http.StatusOK, d.page(), "state", c.deskFrame(r, d, s, nil))
}

// unseen begins what a page has seen whose connect was not there yet; since when it waits follows.
const unseen = "nothing-"

// undoing begins what a page has seen whose connect was just cancelled; since when follows.
const undoing = "cancelled-"

// showState shows how a connect stands, with a problem at the top: why what the person
// did was not taken. again is what was typed in then.
func (c *Console) showState(w http.ResponseWriter, r *http.Request, d desk, problem *connection.Problem, again *typed) error {
	return c.showStateWith(w, r, d, problem, again, func(*state) {})
}

func (c *Console) showStateWith(w http.ResponseWriter, r *http.Request, d desk, problem *connection.Problem, again *typed, change func(*state)) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	progress, err := d.Client.Progress(ctx, d.id)
	var s *state
	switch {
	case connection.TypeOf(err) == connection.ErrSessionClosed:
		s = c.absent(r, d)
	case err != nil:
		return err
	default:
		s = c.stateOf(d, progress, again)
		if at := since(r.URL.Query().Get(cancelledAt)); at.waits(c.now()) && !s.Phase.Over() {
			s.cancelling(at)
		}
		c.completeState(ctx, d, s)
	}
	change(s)
	status := http.StatusOK
	if problem != nil {
		status = web.StatusOf(problem.Type)
	}
	return c.render(w, status, d.page(), d.frame(), c.deskFrame(r, d, s, problem))
}

// absent is the page of a connect that nobody knows: one that was begun a moment ago
// is waited for. A guest's session says soon what became of it.
func (c *Console) absent(r *http.Request, d desk) *state {
	s := &state{Progress: workflows.Progress{Connection: d.id, DisplayName: d.id.Slug()}, Path: d.path, May: d.may, Guest: d.guest != nil, AppName: d.id.App()}
	s.Marks = marksOf(s.Progress)
	begun := since(r.URL.Query().Get(begunLate))
	switch {
	case begun.waits(c.now()):
		s.words, s.Digest = busy("Starting", "The connect goes on by itself; this page shows it as soon as it can."), unseen+string(begun)
		return s
	case d.guest != nil:
		s.words = words{Show: showEnded, Title: "Nothing is being connected just now", Text: "Reload this page to see what became of it. If it stays as it is, ask for a new link."}
		return s
	case begun != "":
		s.words = words{Show: showEnded, Title: "Nothing has begun", Text: "What you sent has not been taken up after a minute. Reload this page in a while; if it stays as it is, start over."}
	default:
		s.words = words{Show: showEnded, Title: "Nothing is being connected here", Text: "No connect of this name is under way, or it was too long ago."}
	}
	if d.may {
		s.StartOver = "/apps/" + d.id.App() + "/connect"
	}
	return s
}

// completeState asks what only some pages show: which auth config is used and where it
// leads, and where to start over. What cannot be told is left out.
func (c *Console) completeState(ctx context.Context, d desk, s *state) {
	if s.Show == showAway || s.ClientRefused() {
		completeClient(ctx, d, s)
	}
	if s.Again() && s.Every > 0 {
		described, err := d.Client.Describe(ctx, d.id)
		s.Unusable = err == nil && described.Look.Status == connection.Expired
	}
	if s.Show != showEnded || !d.may || d.guest != nil {
		return
	}
	if s.Again() {
		s.StartOver = pageOf(d.id) + "/reconnect"
		return
	}
	s.StartOver = "/apps/" + d.id.App() + "/connect"
	if in, err := d.Client.Requested(ctx, d.id); err == nil && s.Way != nil {
		s.StartOver = choiceAgain(in).link(s.StartOver, s.Way.Inputs)
	}
}

func completeClient(ctx context.Context, d desk, s *state) {
	in, err := d.Client.Requested(ctx, d.id)
	if err != nil {
		return
	}
	s.Config = in.AuthConfig
	if s.Show != showAway || s.Way == nil {
		return
	}
	values := valuesOf(s.Progress)
	if s.Config != "" {
		config, err := d.Client.DescribeAuthConfig(ctx, d.id.App(), s.Config)
		if err != nil {
			return
		}
		values = overlay(values, config.Values)
	}
	ends, err := s.Way.Endpoints(values)
	if err != nil {
		return
	}
	if u, err := url.Parse(ends.Authorize); err == nil {
		s.Host = u.Host
	}
}

// moved does what a person asks of a connect. What is not taken is said on the connect's
// page, which shows how it stands now: a form of another tab may be out of date.
func (c *Console) moved(w http.ResponseWriter, r *http.Request, d desk, move move) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	progress, err := d.Client.Progress(ctx, d.id)
	if err != nil {
		return err
	}
	if progress.Phase.Over() {
		err = connection.Refused(connection.ErrSessionClosed, "this connect is over already", "see below what became of it")
	} else {
		err = move(w, r, d, progress)
	}
	var incomplete *notPassed
	if errors.As(err, &incomplete) {
		return c.showState(w, r, d, incomplete.atTop, &incomplete.typed)
	}
	if problem, ok := connection.AsProblem(err); ok {
		return c.showState(w, r, d, problem, nil)
	}
	return err
}

// notPassed is a form with something wrong in it, or whose content did not pass: it comes
// back with what was typed in, but for secrets.
type notPassed struct {
	typed typed
	atTop *connection.Problem
}

func (n *notPassed) Error() string { return "a form did not pass" }

// incomplete is what is wrong with a form; nil when nothing is.
func incomplete(t typed) error {
	if len(t.problems) == 0 {
		return nil
	}
	return &notPassed{typed{text: maps.Clone(t.text), problems: t.problems},
		connection.InvalidInput("", "something below is missing or cannot be used", "see the marked fields; secrets must be typed in again")}
}

// page and frame are the templates of a desk.
func (d desk) page() string {
	if d.guest != nil {
		return "session.html"
	}
	return "connect_progress.html"
}

func (d desk) frame() string {
	if d.guest != nil {
		return "guest-frame"
	}
	return "frame"
}

// heading is what the page of a connect is called, as the form before it.
func (s *state) heading(d desk) string {
	switch {
	case s.Again():
		return againTitle(s.DisplayName, s.Plan != nil && s.Plan.Flow == activities.FlowInput)
	case d.guest != nil || s.DisplayName == "":
		return "Connect " + s.AppName
	default:
		return "Connect " + s.DisplayName
	}
}

func (c *Console) deskFrame(r *http.Request, d desk, s *state, problem *connection.Problem) frame {
	f := c.frame(r, "connections", s.heading(d), s)
	f.FormToken, f.Problem = d.token, withoutField(problem, s.Fields)
	return f
}
