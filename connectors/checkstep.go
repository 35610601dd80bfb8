package connectors

import (
	"slices"
	"strconv"
)

// login checks the steps of a method, those that follow a fresh credential, and the end of a session.
func (r *report) login(path []string, app *App, m *Method, v vocabulary) {
	r.stepOrigins(below(path, "steps"), app, m.Steps)
	r.stepOrigins(below(path, "follow_up"), app, m.FollowUp)
	if m.Logout != nil {
		r.stepOrigin(below(path, "logout"), app, m.Logout)
	}
	known := v.given.with(v.computed)
	known = r.steps(below(path, "steps"), m.Steps, known)
	if m.Renew != nil && !slices.ContainsFunc(m.Steps, func(s Step) bool { return s.ID == m.Renew.From }) {
		ids := make([]string, len(m.Steps))
		for i, step := range m.Steps {
			ids[i] = step.ID
		}
		r.add(below(path, "renew", "from"), "there is no step of this name; "+suggestion(m.Renew.From, ids))
	}
	r.steps(below(path, "follow_up"), m.FollowUp, known.with(v.learnt).with(v.token))
	if m.Logout != nil {
		at := below(path, "logout")
		r.step(at, m.Logout, v.lasting())
		if m.Logout.Request == nil || len(m.Logout.Capture) > 0 || m.Logout.Choose != nil {
			r.add(at, "a logout is one request, of whose answer nothing is kept")
		}
	}
}

func (r *report) stepOrigins(path []string, app *App, steps []Step) {
	for i := range steps {
		r.stepOrigin(below(path, strconv.Itoa(i)), app, &steps[i])
	}
}

// stepOrigin refuses a host that values decide, unless it is one of the app's:
// whoever writes the value would be sent the person's password.
func (r *report) stepOrigin(path []string, app *App, s *Step) {
	if s.Request == nil || len(s.Request.URL.hostVariables()) == 0 {
		return
	}
	own, _ := s.Request.URL.origin()
	for _, declared := range app.declaredOrigins() {
		if text, _ := declared.origin(); text == own {
			return
		}
	}
	r.add(below(path, "request", "url"), "values decide which host this is, so its origin must be that of a base_url or be listed in hosts")
}

// steps checks a list in order: each may use what those before it brought.
func (r *report) steps(path []string, steps []Step, known names) names {
	for i := range steps {
		r.step(below(path, strconv.Itoa(i)), &steps[i], known)
		known = known.with(steps[i].brings())
	}
	return known
}

func (r *report) step(path []string, s *Step, known names) {
	if s.When != "" {
		r.expression(below(path, "when"), s.When, texts(known.all()), true)
	}
	if s.Request == nil {
		if len(s.Capture) > 0 || s.Choose != nil || s.OK != "" || s.Refused != "" || s.Error != "" || s.Credential != nil {
			r.add(path, "capture, choose, ok, refused, error and credential belong to a step with a request")
		}
	} else {
		r.stepRequest(below(path, "request"), s.Request, known)
	}
	if s.Ask != nil {
		r.inputs(below(path, "ask", "inputs"), s.Ask.Inputs)
	}
	if s.Sign != nil {
		r.jwt(below(path, "sign"), &s.Sign.JWT, known)
	}
	for name, capture := range s.Capture {
		if !capture.Secret && (capture.Lifetime != 0 || capture.Expires != "") {
			r.add(below(path, "capture", name), "only a secret expires")
		}
	}
	if s.Choose != nil {
		if overlap := slices.ContainsFunc(s.Choose.names(), func(name string) bool { _, ok := s.Capture[name]; return ok }); overlap {
			r.add(below(path, "choose", "values"), "a value of the chosen item is captured already")
		}
	}
}

func (c *Choose) names() []string {
	var out []string
	for name := range c.Values {
		out = append(out, name)
	}
	return out
}

func (r *report) stepRequest(path []string, q *StepRequest, known names) {
	r.endpoint(below(path, "url"), q.URL, known)
	r.texts(below(path, "query"), q.Query, known)
	r.texts(below(path, "headers"), q.Headers, known)
	r.json(below(path, "body"), q.Body, known.all(), known)
	if q.Encoding == bodyForm && q.Body != nil {
		if _, ok := q.Body.(map[string]any); !ok {
			r.add(below(path, "body"), "a form is a mapping")
		}
	}
	if q.Basic != nil {
		r.basic(below(path, "basic"), q.Basic, known)
	}
	if q.Body != nil && (q.Method == "" || q.Method == "GET") {
		r.add(below(path, "body"), "a GET request has no body: say which method it is")
	}
}
