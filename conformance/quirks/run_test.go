package quirks

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"connectedapps/conformance"
	"connectedapps/connection"
	"connectedapps/connectors"

	"golang.org/x/oauth2"
)

// quirk is one oddity and the words that describe it.
type quirk struct {
	name string
	// kind of the method; "" is oauth2-code.
	kind string
	// method, oauth and app are YAML: further fields of the method, of its oauth
	// block and of the app, each beginning at column one.
	method, oauth, app string
	// place replaces the standard probe.
	probe string
	// fields are secret inputs, values plain ones.
	fields, values map[string]string
	// set replaces parts of the provider.
	set func(p *provider)
	// renews is false where there is nothing to renew with.
	dead bool
	// after looks at the outcome.
	after func(t *testing.T, r *run)
}

// run is one quirk being gone through.
type run struct {
	p        *provider
	app      *connectors.App
	method   *connectors.Method
	http     *http.Client
	values   map[string]string
	fields   map[string]connection.Secret
	client   connectors.Client
	grant    *connectors.Grant
	identity connection.Identity
}

func indent(text string, by int) string {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimLeft(text, "\n")) {
		out.WriteString(strings.Repeat(" ", by) + line)
	}
	if out.Len() > 0 && !strings.HasSuffix(out.String(), "\n") {
		out.WriteString("\n")
	}
	return out.String()
}

// definition is the quirk's app as a file.
func (q quirk) definition() string {
	kind, oauth := q.kind, q.oauth
	if kind == "" {
		kind = "oauth2-code"
	}
	if connection.AuthKind(kind).UsesTokenEndpoint() {
		for field, text := range map[string]string{"client_auth:": "client_auth: post\n", "token:": "token: {url: \"{+base_url}/token\"}\n"} {
			if !strings.HasPrefix(oauth, field) && !strings.Contains(oauth, "\n"+field) {
				oauth += "\n" + text
			}
		}
		if kind == "oauth2-code" && !strings.Contains(oauth, "authorize:") {
			oauth += "\nauthorize: {url: \"{+base_url}/authorize\"}\n"
		}
		if !strings.Contains(oauth, "revoke:") {
			oauth += "\nrevoke: {url: \"{+base_url}/revoke\"}\n"
		}
		oauth = "    oauth:\n" + indent(oauth, 6)
	}
	probe := q.probe
	if probe == "" {
		probe = `{path: /me, ok: body.id == "account-1", identity: {account: id}, tests: me}`
	}
	app := q.app
	if !strings.Contains(app, "inputs:") {
		app += "\ninputs:\n  - {name: base_url, title: Address, format: url, secret: false}\n"
	}
	return "id: quirk\nname: Quirk\nbase_url: \"{+base_url}/api\"\n" + app + "auth:\n  - id: m\n    kind: " + kind + "\n" + indent(q.method, 4) + oauth +
		"probe: " + probe + "\nactions: []\n"
}

func (q quirk) begin(t *testing.T) *run {
	t.Helper()
	m := conformance.Load(t, q.definition(), "quirk", "m")
	r := &run{p: newProvider(t), app: m.App(), method: m, values: map[string]string{}, fields: map[string]connection.Secret{},
		http: conformance.Client()}
	if q.set != nil {
		q.set(r.p)
	}
	r.values["base_url"] = r.p.URL
	for name, value := range q.values {
		r.values[name] = value
	}
	for name, value := range q.fields {
		r.fields[name] = connection.NewSecret(value)
	}
	if r.method.NeedsClient() {
		r.client = connectors.Client{ID: clientID, Secret: connection.NewSecret(clientSecret), Fields: r.fields}
		r.values["client_id"] = clientID
	}
	derived, err := r.method.Derived(r.values, r.fields)
	if err != nil {
		t.Fatal(err)
	}
	r.learn(derived)
	return r
}

func (r *run) learn(values map[string]string) {
	for name, value := range values {
		r.values[name] = value
	}
}

// authorize sends the person to the provider and answers what came back.
func (r *run) authorize(t *testing.T) (url.Values, string) {
	t.Helper()
	verifier := oauth2.GenerateVerifier()
	target, err := r.method.Authorize(connectors.AuthorizeInput{Client: r.client, RedirectURI: redirectURI, Scopes: r.method.ScopesFor(nil),
		Challenge: oauth2.S256ChallengeFromVerifier(verifier), Values: r.values})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	callback := r.p.authorize(u)
	if callback == nil {
		t.Fatalf("the provider does not understand %s", target)
	}
	return callback, verifier
}

// connect obtains the first grant.
func (r *run) connect(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	var err error
	switch {
	case r.method.Kind == connection.OAuth2Code:
		callback, verifier := r.authorize(t)
		in := connectors.ExchangeInput{Client: r.client, RedirectURI: redirectURI, Verifier: connection.NewSecret(verifier), Values: r.values, Callback: map[string]string{}}
		for name := range callback {
			in.Callback[name] = callback.Get(name)
		}
		name := r.method.OAuth.CodeParameter
		if name == "" {
			name = "code"
		}
		in.Code = connection.NewSecret(callback.Get(name))
		r.grant, err = r.method.ExchangeCode(ctx, r.http, in)
	case r.method.Kind.Machine():
		r.grant, err = r.method.Obtain(ctx, r.http, connectors.ObtainInput{Client: r.client, Scopes: r.method.ScopesFor(nil), Values: r.values, Fields: r.fields})
	default:
		r.grant = &connectors.Grant{}
	}
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	r.learn(r.grant.Values)
}

// credential is the grant as it would be stored.
func (r *run) credential() connection.Credential {
	c := connection.Credential{Method: "m", Values: r.values, Fields: r.fields, Tokens: map[string]connection.Token{}}
	for name, token := range r.grant.Tokens {
		c.Tokens[name] = connection.Token{Access: token.Access, Refresh: token.Refresh, Scopes: token.Scopes}
	}
	return c
}

func (r *run) probe(t *testing.T) {
	t.Helper()
	s := connectors.Session{App: r.app, Method: r.method, Credential: r.credential(), Values: r.values, Client: r.client}
	result, err := s.Probe(context.Background(), r.http)
	if err != nil || result.Untestable {
		t.Fatalf("probe: %+v %v", result, err)
	}
	r.identity = result.Identity
}

// renew does what the spender would do.
func (r *run) renew(t *testing.T) {
	t.Helper()
	var err error
	ctx := context.Background()
	credential := r.credential()
	if r.method.Kind.Machine() && credential.Default().Refresh.Empty() || r.method.OAuth.Refresh.With == "grant" {
		r.grant, err = r.method.Obtain(ctx, r.http, connectors.ObtainInput{Client: r.client, Scopes: r.method.ScopesFor(nil), Values: r.values, Fields: r.fields})
	} else {
		r.grant, err = r.method.Refresh(ctx, r.http, connectors.RefreshInput{Client: r.client, Refresh: credential.Default().Refresh, Scopes: r.method.ScopesFor(nil),
			Values: r.values, Previous: credential, RedirectURI: redirectURI})
	}
	if err != nil {
		t.Fatalf("renew: %v", err)
	}
	r.learn(r.grant.Values)
}

// go through connects, tests, renews, tests again and revokes.
func (q quirk) goThrough(t *testing.T) {
	r := q.begin(t)
	r.connect(t)
	r.probe(t)
	if r.method.OAuth != nil && !q.dead {
		r.renew(t)
		r.probe(t)
	}
	if r.method.OAuth != nil {
		if offered, err := r.method.Revoke(context.Background(), r.http, connectors.RevokeInput{Client: r.client, Credential: r.credential(), Values: r.values}); err != nil || !offered {
			t.Fatalf("revoke: offered %t, %v", offered, err)
		}
	}
	if q.after != nil {
		q.after(t, r)
	}
}

// every runs a table; the name of each entry is its quirk's.
func every(t *testing.T, table []quirk) {
	t.Helper()
	for _, q := range table {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			q.goThrough(t)
		})
	}
}
