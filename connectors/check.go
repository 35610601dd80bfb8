package connectors

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"connectedapps/connection"
)

// app checks what a schema cannot: that expressions compile, that variables
// exist, and that the parts fit each other.
func (r *report) app(app *App) {
	r.expressions(nil, app)
	if len(r.defects) > 0 {
		return // what follows would only repeat it
	}
	r.inputs([]string{"inputs"}, app.Inputs)
	seen := map[string]bool{}
	for i, m := range app.Methods {
		path := []string{"auth", strconv.Itoa(i)}
		r.unique(seen, append(path, "id"), m.ID)
		r.method(path, app, m)
	}
	names := app.names()
	r.known([]string{"base_url"}, app.BaseURL.variables(), names.plain)
	for i, host := range app.ExtraHosts {
		r.known([]string{"hosts", strconv.Itoa(i)}, host.variables(), names.plain)
	}
	for name, text := range app.Headers {
		r.known([]string{"headers", name}, text.variables(), names.all)
	}
	if app.Probe != nil {
		r.known([]string{"probe", "path"}, app.Probe.Path.variables(), names.plain)
		if app.Probe.Needs != "" {
			r.known([]string{"probe", "needs"}, []string{app.Probe.Needs}, names.plain)
		}
	}
	seen = map[string]bool{}
	for i, action := range app.Actions {
		path := []string{"actions", strconv.Itoa(i)}
		r.unique(seen, append(path, "id"), action.ID)
		r.action(path, action, names)
	}
}

func (r *report) unique(seen map[string]bool, path []string, id string) {
	if seen[id] {
		r.add(path, fmt.Sprintf("%s is there already", id))
	}
	seen[id] = true
}

// known refuses variables that nothing gives a value to.
func (r *report) known(path []string, used, names []string) {
	for _, name := range used {
		if !slices.Contains(names, name) {
			r.add(path, fmt.Sprintf("{%s} is no input that may be used here, and no learnt value", name))
		}
	}
}

// variableNames are what templates of an app may use.
type variableNames struct {
	plain []string // not secret: fit for URLs
	all   []string
}

func (a *App) names() variableNames {
	inputs := slices.Clone(a.Inputs)
	var out variableNames
	for _, m := range a.Methods {
		inputs = slices.Concat(inputs, m.Inputs, m.ClientInputs)
		out.plain = append(out.plain, m.learnt()...)
	}
	for _, in := range inputs {
		if !in.Secret {
			out.plain = append(out.plain, in.Name)
		}
		out.all = append(out.all, in.Name)
	}
	out.all = append(out.all, out.plain...)
	return out
}

// learnt lists the values that a flow brings.
func (m *Method) learnt() []string {
	var names []string
	if m.OAuth == nil {
		return nil
	}
	for name := range m.OAuth.Callback {
		names = append(names, name)
	}
	for name := range m.OAuth.Answer.Values {
		names = append(names, name)
	}
	return names
}

// inputs checks a list of inputs.
func (r *report) inputs(path []string, inputs []Input) {
	seen := map[string]bool{}
	for i, in := range inputs {
		at := append(slices.Clone(path), strconv.Itoa(i))
		r.unique(seen, append(at, "name"), in.Name)
		if _, err := regexp.Compile(in.Pattern); err != nil {
			r.add(append(at, "pattern"), "it is not a regular expression (RE2)")
			continue
		}
		if in.Hidden && in.Default == "" {
			r.add(append(at, "hidden"), "a hidden input needs a default")
		}
		if in.Secret && in.Default != "" {
			r.add(append(at, "default"), "a secret has no default")
		}
		if in.Default == "" {
			continue
		}
		if _, err := in.check(in.Default); err != nil {
			r.add(append(at, "default"), "the default is not a valid value: "+err.Error())
		}
	}
}

// method checks one way to authenticate.
func (r *report) method(path []string, app *App, m *Method) {
	in := func(names ...string) []string { return append(slices.Clone(path), names...) }
	r.inputs(in("inputs"), m.Inputs)
	r.inputs(in("client_inputs"), m.ClientInputs)
	var plain, all []string
	for _, input := range slices.Concat(app.Inputs, m.Inputs, m.ClientInputs) {
		if slices.Contains(all, input.Name) {
			r.add(path, input.Name+" is asked for twice")
		}
		all = append(all, input.Name)
		if !input.Secret {
			plain = append(plain, input.Name)
		}
	}
	for _, name := range m.learnt() {
		if slices.Contains(all, name) {
			r.add(in("oauth"), "the learnt value "+name+" has the name of an input")
		}
	}
	if m.OAuth != nil {
		r.oauth(path, m.OAuth, append(plain, m.learnt()...))
		all = append(all, append(m.learnt(), "token")...)
	}
	for i, place := range m.Place {
		at := in("place", strconv.Itoa(i))
		r.known(at, place.Name.variables(), plain)
		r.known(at, place.Value.variables(), all)
	}
	for _, place := range m.placements() {
		if len(m.Place) == 0 {
			r.known(path, place.Value.variables(), all)
		}
	}
	if m.Kind == connection.Basic {
		basic := BasicAuth{Username: "{username}", Password: "{password}"}
		if m.Basic != nil {
			basic = *m.Basic
		}
		r.known(in("basic"), slices.Concat(basic.Username.variables(), basic.Password.variables()), all)
	}
}

// oauth checks the variables of the endpoints.
func (r *report) oauth(path []string, o *OAuth, plain []string) {
	in := func(names ...string) []string { return append(append(slices.Clone(path), "oauth"), names...) }
	r.known(in("issuer"), o.Issuer.variables(), plain)
	r.known(in("client_auth"), o.ClientAuth.variables(), plain)
	r.known(in("token", "url"), o.Token.URL.variables(), plain)
	r.known(in("refresh", "url"), o.Refresh.URL.variables(), plain)
	if o.Authorize != nil {
		r.known(in("authorize", "url"), o.Authorize.URL.variables(), plain)
	}
	if o.Revoke != nil {
		r.known(in("revoke", "url"), o.Revoke.URL.variables(), append(plain, "client_id"))
	}
	if len(o.ClientAuth.variables()) == 0 && !slices.Contains([]Text{clientAuthBasic, clientAuthPost, clientAuthNone}, o.ClientAuth) {
		r.add(in("client_auth"), "it is not basic, post or none")
	}
	if _, ok := o.Answer.Tokens[connection.DefaultToken]; !ok && len(o.Answer.Tokens) > 0 {
		r.add(in("answer", "tokens"), "one of the sets must be named "+connection.DefaultToken)
	}
}
