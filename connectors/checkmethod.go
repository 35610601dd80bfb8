package connectors

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"connectedapps/connection"
)

// method checks one way to authenticate.
func (r *report) method(path []string, app *App, m *Method) {
	v := m.vocabulary(app)
	r.inputs(below(path, "inputs"), m.Inputs)
	r.inputs(below(path, "client_inputs"), m.ClientInputs)
	if !m.NeedsClient() && len(m.ClientInputs) > 0 {
		r.add(below(path, "client_inputs"), "the method has no auth config: list them in inputs")
	}
	r.distinct(path, app, m)
	r.setup(below(path, "setup"), m.Setup)
	r.calculations(path, m, v)
	if m.OAuth != nil {
		r.oauth(below(path, "oauth"), m, v)
	}
	if m.OAuth1 != nil {
		r.oauth1(below(path, "oauth1"), m.OAuth1, v)
	}
	r.login(path, app, m, v)
	r.credential(path, m, v)
	r.reach(path, app, m, v.lasting())
}

// distinct refuses two things of one name.
func (r *report) distinct(path []string, app *App, m *Method) {
	taken := map[string]string{}
	claim := func(at []string, name, what string) {
		if before, ok := taken[name]; ok {
			r.add(at, fmt.Sprintf("%s %s has the name of %s", what, name, before))
			return
		}
		taken[name] = what
	}
	// A name that stands twice in one list was found with the list.
	ask := func(list string, inputs []Input) {
		before := maps.Clone(taken)
		for i, in := range inputs {
			if _, ok := before[in.Name]; ok && list != "" {
				r.add(below(path, list, strconv.Itoa(i)), in.Name+" is asked for twice")
			}
			taken[in.Name] = "an input"
		}
	}
	ask("", app.Inputs)
	ask("inputs", m.Inputs)
	ask("client_inputs", m.ClientInputs)
	part := "oauth"
	if m.OAuth1 != nil {
		part = "oauth1"
	}
	for _, name := range m.learnt() {
		claim(below(path, part), name, "the learnt value")
	}
	for i, d := range m.Derive {
		claim(below(path, "derive", strconv.Itoa(i), "name"), d.Name, "the derived value")
	}
	for i, c := range m.Compute {
		claim(below(path, "compute", strconv.Itoa(i), "name"), c.Name, "the computed value")
	}
	r.distinctSteps(path, "steps", m.Steps, taken)
	r.distinctSteps(path, "follow_up", m.FollowUp, taken)
}

// distinctSteps refuses what hides an input or a value. Two steps may bring the
// same, where one of them is skipped, if both agree whether it is a secret.
func (r *report) distinctSteps(path []string, list string, steps []Step, taken map[string]string) {
	seen := map[string]bool{}
	for i, step := range steps {
		at := below(path, list, strconv.Itoa(i))
		r.unique(seen, below(at, "id"), step.ID)
		brought := step.brings()
		for _, name := range brought.all() {
			what := "a captured value"
			if slices.Contains(brought.secret, name) {
				what = "a captured secret"
			}
			if before, ok := taken[name]; ok && before != what {
				r.add(at, fmt.Sprintf("%s %s has the name of %s", what, name, before))
			}
			taken[name] = what
		}
	}
}

var setupVariable = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)\}`)

func (r *report) setup(path []string, s *Setup) {
	if s == nil {
		return
	}
	for i, step := range s.Steps {
		for _, found := range setupVariable.FindAllStringSubmatch(step, -1) {
			if found[1] != "redirect_uri" && found[1] != "scopes" {
				r.add(below(path, "steps", strconv.Itoa(i)), fmt.Sprintf("{%s} is not filled in here: only {redirect_uri} and {scopes} are", found[1]))
			}
		}
	}
}

// calculations checks what is derived and computed.
func (r *report) calculations(path []string, m *Method, v vocabulary) {
	// A value is derived before the first step is taken.
	known := v.given.with(v.learnt)
	known.plain = slices.DeleteFunc(slices.Clone(known.plain), func(name string) bool {
		return slices.ContainsFunc(m.Derive, func(d Computed) bool { return d.Name == name })
	})
	for i, d := range m.Derive {
		r.expression(below(path, "derive", strconv.Itoa(i), "value"), d.Value, texts(known.all()), false)
		known = known.and(d.Name)
	}
	known = v.given.with(v.learnt).with(v.captured).with(v.token)
	for i, c := range m.Compute {
		r.expression(below(path, "compute", strconv.Itoa(i), "value"), c.Value, texts(known.all()), false)
		known = known.andSecret(c.Name)
	}
}

// credential checks where the credential goes.
func (r *report) credential(path []string, m *Method, v vocabulary) {
	known := v.lasting()
	for i, place := range m.Place {
		at := below(path, "place", strconv.Itoa(i))
		r.public(at, place.Name.variables(), known)
		r.usable(at, place.Value.variables(), known)
		if sets := m.tokenSets(); place.Token != "" && !slices.Contains(sets, place.Token) {
			r.add(below(at, "token"), "there is no token set of this name; "+suggestion(place.Token, sets))
		}
	}
	if len(m.Place) == 0 {
		for _, place := range m.placements() {
			r.usable(path, place.Value.variables(), known)
		}
	}
	r.texts(below(path, "headers"), m.Headers, known)
	// Every other kind has its credential in place alone.
	//exhaustive:ignore
	switch m.Kind {
	case connection.Basic:
		r.basic(below(path, "basic"), m.Basic, known)
	case connection.Digest:
		r.basic(below(path, "digest"), m.Digest, known)
	case connection.SigV4:
		r.sigv4(below(path, "sigv4"), *m.SigV4, known)
	}
}

func (r *report) basic(path []string, b *BasicAuth, known names) {
	pair := BasicAuth{Username: "{username}", Password: "{password}"}
	if b != nil {
		pair = *b
	}
	r.usable(path, slices.Concat(pair.Username.variables(), pair.Password.variables()), known)
}

func (r *report) sigv4(path []string, s SigV4, known names) {
	if s.AccessKey == "" {
		s.AccessKey = "{access_key_id}"
	}
	if s.SecretKey == "" {
		s.SecretKey = "{secret_access_key}"
	}
	r.public(below(path, "service"), s.Service.variables(), known)
	r.public(below(path, "region"), s.Region.variables(), known)
	r.usable(below(path, "access_key"), s.AccessKey.variables(), known)
	r.usable(below(path, "secret_key"), s.SecretKey.variables(), known)
	r.usable(below(path, "session_token"), s.SessionToken.variables(), known)
}

// reach checks where requests of the method go, and how it is tested.
func (r *report) reach(path []string, app *App, m *Method, known names) {
	base, at := m.BaseURL, below(path, "base_url")
	if base == "" {
		base, at = app.BaseURL, path
		for _, name := range base.variables() {
			if !slices.Contains(known.plain, name) && slices.Contains(app.names().plain, name) {
				r.add(at, fmt.Sprintf("the app's base URL needs {%s}, which this method does not have", name))
			}
		}
	} else {
		r.endpoint(at, base, known)
	}
	if m.OAuth != nil {
		for _, name := range base.hostVariables() {
			if slices.Contains(m.OAuth.openCallback(), name) {
				r.add(below(path, "oauth", "callback", name), "it decides where the credential goes, so it needs a pattern")
			}
		}
	}
	r.probe(below(path, "probe"), app, m.Probe, known)
	switch {
	case m.Probe != nil && m.Untestable != "":
		r.add(below(path, "untestable"), "the method has a probe")
	case m.Probe == nil && app.Probe == nil && m.Untestable == "" && m.Kind != connection.None:
		r.add(below(path, "untestable"), "there is no probe: declare one, or say here why the method cannot be tested")
	}
	if m.Probe == nil && app.Probe != nil && m.Untestable == "" {
		for _, name := range app.Probe.Path.variables(opSimple, opReserved) {
			if name != app.Probe.Needs && !slices.Contains(known.plain, name) && slices.Contains(app.names().plain, name) {
				r.add(path, fmt.Sprintf("the app's probe needs {%s}, which this method does not have", name))
			}
		}
	}
}
