package connectors

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// app checks what a schema cannot: that expressions compile, that variables
// exist, and that the parts fit each other.
func (r *report) app(app *App) {
	r.expressions(nil, app)
	if len(r.defects) > 0 {
		return // what follows would only repeat it
	}
	r.inputs([]string{"inputs"}, app.Inputs)
	r.budget([]string{"budget"}, app.Budget)
	seen := map[string]bool{}
	for i, m := range app.Methods {
		path := []string{"auth", strconv.Itoa(i)}
		r.unique(seen, below(path, "id"), m.ID)
		if !app.Abstract { // its children complete what it uses
			r.method(path, app, m)
		}
	}
	if app.Abstract {
		return
	}
	known := app.names()
	r.endpoint([]string{"base_url"}, app.BaseURL, known)
	for i, host := range app.ExtraHosts {
		r.endpoint([]string{"hosts", strconv.Itoa(i)}, host, known)
	}
	r.texts([]string{"headers"}, app.Headers, known)
	r.probe([]string{"probe"}, app, app.Probe, known)
	seen = map[string]bool{}
	for i, action := range app.Actions {
		path := []string{"actions", strconv.Itoa(i)}
		r.unique(seen, below(path, "id"), action.ID)
		r.action(path, app, action, known)
	}
}

func (r *report) unique(seen map[string]bool, path []string, id string) {
	if seen[id] {
		r.add(path, fmt.Sprintf("%s is there already", id))
	}
	seen[id] = true
}

// inputs checks a list of inputs.
func (r *report) inputs(path []string, inputs []Input) {
	seen := map[string]bool{}
	for i, in := range inputs {
		at := below(path, strconv.Itoa(i))
		r.unique(seen, below(at, "name"), in.Name)
		if _, err := regexp.Compile(in.Pattern); err != nil {
			r.add(below(at, "pattern"), "it is not a regular expression (RE2)")
			continue
		}
		if in.Hidden && in.Default == "" {
			r.add(below(at, "hidden"), "a hidden input needs a default")
		}
		if in.Secret && in.Default != "" {
			r.add(below(at, "default"), "a secret has no default")
		}
		if in.Default == "" {
			continue
		}
		if _, err := in.check(in.Default); err != nil {
			r.add(below(at, "default"), "the default is not a valid value: "+err.Error())
		}
	}
}

// endpoint checks a template of a whole URL; "" is fine.
func (r *report) endpoint(path []string, t Template, known names) {
	if t == "" {
		return
	}
	r.public(path, t.variables(), known)
	parts, err := t.parts()
	if err != nil || len(parts) == 0 {
		return
	}
	first := parts[0]
	switch {
	case first.op == opLiteral && !strings.HasPrefix(first.text, "https://") && !strings.HasPrefix(first.text, "http://"):
		r.add(path, "it is not a whole URL: it must begin with https://")
	case first.op == opSimple:
		r.add(path, fmt.Sprintf("{%s} would be escaped at the beginning of a URL: write {+%s}", first.text, first.text))
	}
}

// probe checks the request that tests a credential; nil is fine.
func (r *report) probe(path []string, app *App, p *Probe, known names) {
	if p == nil {
		return
	}
	r.public(below(path, "path"), p.Path.variables(), known)
	r.endpoint(below(path, "base_url"), p.BaseURL, known)
	r.origin(below(path, "base_url"), app, p.BaseURL)
	for name, text := range p.Query {
		r.public(below(path, "query", name), text.variables(), known)
	}
	if p.Needs != "" {
		r.public(below(path, "needs"), []string{p.Needs}, known)
	}
}

// origin refuses a base URL that the app's credentials may not be sent to, as
// far as that can be told before its variables have values.
func (r *report) origin(path []string, app *App, t Template) {
	if t == "" {
		return
	}
	own, _ := t.origin()
	for _, other := range app.declaredOrigins() {
		if text, open := other.origin(); text == own || open {
			return
		}
	}
	r.add(path, "its origin is neither that of the app nor one of hosts, so no credential may go there")
}

// declaredOrigins are the templates whose origins credentials of the app may be sent to.
func (a *App) declaredOrigins() []Template {
	declared := append([]Template{a.BaseURL}, a.ExtraHosts...)
	for _, m := range a.Methods {
		declared = append(declared, m.BaseURL)
	}
	return slices.DeleteFunc(declared, func(t Template) bool { return t == "" })
}

// origin is what a template says before its path, and whether a variable stands in it.
func (t Template) origin() (text string, open bool) {
	return originText(string(t)), len(t.hostVariables()) > 0
}

func originText(text string) string {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		host, _, _ := strings.Cut(text, "/")
		return host
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	return scheme + "://" + strings.ToLower(host)
}

// hostVariables lists the variables that decide which host a URL names.
func (t Template) hostVariables() []string {
	parts, err := t.parts()
	if err != nil {
		return nil
	}
	var before strings.Builder
	var found []string
	for _, part := range parts {
		if part.op == opLiteral {
			before.WriteString(part.text)
			continue
		}
		_, rest, whole := strings.Cut(before.String(), "://")
		if !whole && before.Len() > 0 || whole && strings.ContainsAny(rest, "/?") {
			break
		}
		found = append(found, part.text)
	}
	return found
}

// openCallback lists the values of a callback that no pattern bounds.
func (o *OAuth) openCallback() []string {
	var open []string
	for name, value := range o.Callback {
		if value.Pattern == "" {
			open = append(open, name)
		}
	}
	slices.Sort(open)
	return open
}
