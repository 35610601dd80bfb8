package connectors

import (
	"fmt"
	"maps"
	"slices"

	"connectedapps/connection"
)

// names are the variables that may be used at a place of a definition.
type names struct {
	plain  []string // fit for URLs
	secret []string
	// fleeting are there while connecting and not kept, whatever they are.
	fleeting []string
}

func (n names) and(plain ...string) names {
	n.plain = slices.Concat(n.plain, plain)
	return n
}

func (n names) andSecret(secret ...string) names {
	n.secret = slices.Concat(n.secret, secret)
	return n
}

// with joins two lists of names.
func (n names) with(other names) names {
	return names{
		plain:    slices.Concat(n.plain, other.plain),
		secret:   slices.Concat(n.secret, other.secret),
		fleeting: slices.Concat(n.fleeting, other.fleeting),
	}
}

// lasting leaves out what is not kept.
func (n names) lasting() names {
	gone := func(name string) bool { return slices.Contains(n.fleeting, name) }
	return names{
		plain:    slices.DeleteFunc(slices.Clone(n.plain), gone),
		secret:   slices.DeleteFunc(slices.Clone(n.secret), gone),
		fleeting: n.fleeting,
	}
}

func (n names) all() []string { return slices.Concat(n.plain, n.secret) }

// usable refuses variables that nothing gives a value to.
func (r *report) usable(path, used []string, known names) {
	r.variables(path, used, known, known.all())
}

// public is usable for URLs, where secrets never stand.
func (r *report) public(path, used []string, known names) {
	r.variables(path, used, known, known.plain)
}

func (r *report) variables(path, used []string, known names, allowed []string) {
	for _, name := range used {
		if slices.Contains(allowed, name) {
			continue
		}
		reason := fmt.Sprintf("{%s} is no input that may be used here, and no learnt value", name)
		switch near := nearest(name, allowed); {
		case slices.Contains(known.secret, name):
			reason = fmt.Sprintf("{%s} is a secret, and no secret may stand here", name)
		case slices.Contains(known.fleeting, name):
			reason = fmt.Sprintf("{%s} is there while connecting only, and not kept", name)
		case len(near) > 0:
			reason += fmt.Sprintf("; did you mean {%s}?", near[0])
		}
		r.add(path, reason)
	}
}

// texts checks a set of headers, parameters or the like.
func (r *report) texts(path []string, texts map[string]Text, known names) {
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		r.usable(below(path, name), texts[name].variables(), known)
	}
}

// below is a path one or more steps further down; the path itself is not changed.
func below(path []string, steps ...string) []string { return slices.Concat(path, steps) }

// vocabulary is every name that a method may use, by what it is there for.
type vocabulary struct {
	// given are inputs, the client's own, metadata and what is derived of them:
	// what is there when obtaining begins.
	given names
	// learnt is what a flow brings: callback and token answer.
	learnt names
	// captured is what steps and follow-ups bring.
	captured names
	// computed are worked out for each request.
	computed names
	// token is there once a token endpoint has answered.
	token names
}

// flow is everything a request may use that is made while connecting.
func (v vocabulary) flow() names {
	return v.given.with(v.learnt).with(v.captured).with(v.computed)
}

// lasting is everything that later requests may use.
func (v vocabulary) lasting() names { return v.flow().with(v.token).lasting() }

// vocabulary collects the names of a method.
func (m *Method) vocabulary(app *App) vocabulary {
	var v vocabulary
	v.given = inputNames(slices.Concat(app.Inputs, m.Inputs, m.ClientInputs))
	if m.Kind.UsesTokenEndpoint() || m.Kind == connection.OAuth1 {
		v.token.secret = []string{"token"}
		v.given = v.given.and("client_id")
		if !slices.Contains(v.given.all(), "client_secret") {
			v.given = v.given.andSecret("client_secret")
			// It is for the token endpoint; requests to the API do not see it.
			v.given.fleeting = append(v.given.fleeting, "client_secret")
		}
	}
	if m.OAuth != nil && m.OAuth.Metadata != nil {
		v.given = v.given.and(metadataValues...)
	}
	for _, d := range m.Derive {
		v.given = v.given.and(d.Name)
	}
	v.learnt = v.learnt.and(m.learnt()...)
	for _, step := range slices.Concat(m.Steps, m.FollowUp) {
		v.captured = v.captured.with(step.brings())
	}
	known := v.flow().with(v.token)
	for _, c := range m.Compute {
		v.computed = v.computed.andSecret(c.Name)
		for _, name := range c.Value.variables() {
			if slices.Contains(known.with(v.computed).fleeting, name) {
				v.computed.fleeting = append(v.computed.fleeting, c.Name)
				break
			}
		}
	}
	return v
}

// metadataValues are what a server's own description gives (RFC 8414 section 2).
var metadataValues = []string{"authorization_endpoint", "token_endpoint", "revocation_endpoint", "device_authorization_endpoint", "issuer"}

// inputNames sorts inputs by what they may be used for.
func inputNames(inputs []Input) names {
	var n names
	for _, in := range inputs {
		if in.Secret {
			n.secret = append(n.secret, in.Name)
		} else {
			n.plain = append(n.plain, in.Name)
		}
		if in.Once {
			n.fleeting = append(n.fleeting, in.Name)
		}
	}
	return n
}

// learnt lists the values that a flow brings, sorted.
func (m *Method) learnt() []string {
	found := map[string]bool{}
	collect := func(values map[string]Path) {
		for name := range values {
			found[name] = true
		}
	}
	if m.OAuth != nil {
		for name := range m.OAuth.Callback {
			found[name] = true
		}
		collect(m.OAuth.Answer.Values)
		if m.OAuth.Answer.Claims != nil {
			collect(m.OAuth.Answer.Claims.Values)
		}
	}
	if m.OAuth1 != nil {
		collect(m.OAuth1.Answer.Values)
	}
	return slices.Sorted(maps.Keys(found))
}

// brings lists what a step adds for those after it.
func (s *Step) brings() names {
	var n names
	for _, name := range slices.Sorted(maps.Keys(s.Capture)) {
		if s.Capture[name].Secret {
			n.secret = append(n.secret, name)
		} else {
			n.plain = append(n.plain, name)
		}
	}
	if s.Choose != nil {
		n.plain = append(n.plain, slices.Sorted(maps.Keys(s.Choose.Values))...)
	}
	if s.Sign != nil {
		n.secret = append(n.secret, s.Sign.Name)
	}
	if s.Ask != nil {
		answers := inputNames(s.Ask.Inputs)
		answers.fleeting = answers.all()
		n = n.with(answers)
	}
	return n
}

// tokenSets lists the token sets of a method's credential.
func (m *Method) tokenSets() []string {
	var sets []string
	if m.OAuth != nil {
		sets = append(sets, connection.DefaultToken)
		sets = append(sets, slices.Sorted(maps.Keys(m.OAuth.Answer.Tokens))...)
	}
	if m.OAuth1 != nil {
		sets = append(sets, connection.DefaultToken, "secret")
	}
	for _, step := range slices.Concat(m.Steps, m.FollowUp) {
		for _, name := range slices.Sorted(maps.Keys(step.Capture)) {
			if step.Capture[name].Secret {
				sets = append(sets, name)
			}
		}
		if step.Sign != nil {
			sets = append(sets, step.Sign.Name)
		}
	}
	return sets
}

// names are what parts of the app that every method shares may use.
func (a *App) names() names {
	var out names
	for _, m := range a.Methods {
		out = out.with(m.vocabulary(a).lasting())
	}
	if len(a.Methods) == 0 {
		out = inputNames(a.Inputs)
	}
	return out
}
