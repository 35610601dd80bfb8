package access

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"

	"github.com/coreos/go-oidc/v3/oidc"
	"go.uber.org/zap"
	"golang.org/x/oauth2"
)

const (
	// discoveryTime bounds one question to the provider; a person may wait for it.
	discoveryTime = 10 * time.Second
	// discoveryPause is how long a provider that did not answer is left alone, and
	// everybody who needs it is told so at once.
	discoveryPause = 3 * time.Second
	// discoveryLife is how long its description is believed.
	discoveryLife = time.Hour
	// refusedLife is how long a JWT that was no good is refused again without a look.
	refusedLife = 5 * time.Second
)

// ProviderOptions describe the operator's OpenID provider. Issuer, ClientID and Rules
// are required.
type ProviderOptions struct {
	Issuer, ClientID string
	// ClientSecret is empty for a public client, which PKCE protects alone.
	ClientSecret connection.Secret
	// Scopes are asked for beside openid, profile and email.
	Scopes []string
	// RolesClaim is the claim that holds the groups: a name, or a path with dots; "" means groups.
	RolesClaim string
	Rules      Rules
	// Audience is what the aud of a JWT in the Authorization header must name.
	Audience string
	// ToolsAudience is the MCP server as an audience: a JWT that names it and not Audience
	// is good for tools alone. "" means that there is none.
	ToolsAudience string
	// HTTP is the way out; required.
	HTTP *http.Client
	// AllowHTTP permits an issuer that is neither https nor on loopback.
	AllowHTTP bool
	Log       *zap.Logger
}

// Provider is an OpenID provider that people sign in at (OpenID Connect Core 1.0). It
// is asked for its description when it is first needed, and again until it answers.
type Provider struct {
	options ProviderOptions
	// refused are JWTs that were no good a moment ago, by their hashes.
	refused *cache[struct{}]

	mu    sync.Mutex // never held while the provider is asked
	found *discovered
	// asking is closed when the question under way ends; nil while there is none.
	asking chan struct{}
	// failed is when the last question ended that got no description.
	failed time.Time
}

// discovered is what a provider says of itself.
type discovered struct {
	endpoint oauth2.Endpoint
	// issParameter: every answer must carry iss (RFC 9207 section 3).
	issParameter bool
	idTokens     *oidc.IDTokenVerifier
	bearers      *oidc.IDTokenVerifier
	tools        *oidc.IDTokenVerifier // nil without an audience for it
	at           time.Time
}

// NewProvider checks the options, as ErrInvalidInput, and asks nobody yet.
func NewProvider(o ProviderOptions) (*Provider, error) {
	u, err := url.Parse(o.Issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		return nil, connection.InvalidInput("CONNECTED_APPS_OIDC_ISSUER", "this is not an issuer's URL", "give it as the provider's discovery document does, such as https://id.example/realms/main")
	case u.Scheme == "http" && !o.AllowHTTP && !outbound.Loopback(u.Hostname()):
		return nil, connection.InvalidInput("CONNECTED_APPS_OIDC_ISSUER", "it is not https", "give an https URL, or set CONNECTED_APPS_ALLOW_HTTP=true where nobody can listen in")
	case o.ClientID == "":
		return nil, connection.InvalidInput("CONNECTED_APPS_OIDC_CLIENT_ID", "it is missing", "register this gateway at the provider, and give the client ID")
	case len(o.Rules) == 0:
		return nil, connection.InvalidInput(rulesField, "nobody would have a role", "say which groups have which, such as sre=admin@*")
	}
	if o.RolesClaim == "" {
		o.RolesClaim = "groups"
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return &Provider{options: o, refused: newCache[struct{}](refusedLife)}, nil
}

// ask answers what the provider says of itself: what it said before, if anything, while
// it is asked again behind that, at most once at a time. Whoever has to wait for its
// first answer leaves with their context.
func (p *Provider) ask(ctx context.Context) (*discovered, error) {
	found, asking := p.known()
	if found == nil && asking != nil {
		select {
		case <-asking:
			found, _ = p.known()
		case <-ctx.Done():
		}
	}
	if found == nil {
		return nil, providerAway()
	}
	return found, nil
}

// known answers what is known of the provider, nil for nothing, and the question that is
// under way, which it begins where one is due.
func (p *Provider) known() (*discovered, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := p.found == nil || time.Since(p.found.at) >= discoveryLife
	if due && p.asking == nil && time.Since(p.failed) >= discoveryPause {
		p.asking = make(chan struct{})
		go p.refresh()
	}
	return p.found, p.asking
}

func (p *Provider) refresh() {
	found, err := p.discover()
	if err != nil {
		p.options.Log.Warn("the OpenID provider does not describe itself", zap.String("issuer", p.options.Issuer), zap.String("error", connection.Bound(err.Error(), 300)))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.found = found
	} else {
		p.failed = time.Now()
	}
	close(p.asking)
	p.asking = nil
}

func providerAway() *connection.Problem {
	problem := connection.ProviderUnavailable("the OpenID provider does not answer", 0)
	problem.Remedy = "try again in a moment, or sign in with a one-time link: connected-apps console"
	return problem
}

func (p *Provider) discover() (*discovered, error) {
	ctx, cancel := context.WithTimeout(context.Background(), discoveryTime)
	defer cancel()
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.options.HTTP), p.options.Issuer)
	if err != nil {
		return nil, err
	}
	var also struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
		Iss     bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := provider.Claims(&also); err != nil {
		return nil, err
	}
	d := &discovered{endpoint: provider.Endpoint(), issParameter: also.Iss, at: time.Now(),
		// Each with keys of its own: who forges bearers must not hold up those who sign in.
		idTokens: provider.VerifierContext(pacedContext(ctx, p.options.HTTP), &oidc.Config{ClientID: p.options.ClientID}),
		bearers:  provider.VerifierContext(pacedContext(ctx, p.options.HTTP), &oidc.Config{ClientID: p.options.Audience})}
	if p.options.ToolsAudience != "" {
		d.tools = provider.VerifierContext(pacedContext(ctx, p.options.HTTP), &oidc.Config{ClientID: p.options.ToolsAudience})
	}
	// One way, said beforehand: the library would try one after the other (RFC 8414: basic is the default).
	d.endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if p.options.ClientSecret.Empty() || len(also.Methods) > 0 && !slices.Contains(also.Methods, "client_secret_basic") {
		d.endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return d, nil
}

// fromBearer is whoever a JWT of the provider speaks of. It may have no role at all.
func (p *Provider) fromBearer(ctx context.Context, raw string) (Person, error) {
	if strings.Count(raw, ".") != 2 {
		return Person{}, badToken()
	}
	hash := hashText(raw)
	if _, ok := p.refused.get(hash); ok {
		return Person{}, badToken()
	}
	ctx, cancel := context.WithTimeout(ctx, discoveryTime)
	defer cancel()
	found, err := p.ask(ctx)
	if err != nil {
		return Person{}, err
	}
	token, err := found.bearers.Verify(ctx, raw)
	toolsOnly := false
	if err != nil && found.tools != nil && strings.Contains(err.Error(), "expected audience") { // the library has no type for it
		toolsOnly = true
		token, err = found.tools.Verify(ctx, raw)
	}
	if err != nil {
		err = p.refuse(err)
		if connection.TypeOf(err) == connection.ErrNotSignedIn {
			p.refused.put(hash, struct{}{})
		}
		return Person{}, err
	}
	who, err := p.person(token)
	if err != nil {
		return Person{}, err
	}
	who.ToolsOnly = toolsOnly
	return who.narrowed(token)
}

// refuse tells a token that is no good from keys that cannot be had. The library's
// text quotes claims of a token that nobody vouches for, so it is neither shown nor logged.
func (p *Provider) refuse(err error) error {
	if strings.Contains(err.Error(), "fetching keys") {
		p.options.Log.Warn("the OpenID provider's keys cannot be had", zap.String("issuer", p.options.Issuer))
		return providerAway()
	}
	return badToken()
}

// person reads the claims of a token that was verified.
func (p *Provider) person(token *oidc.IDToken) (Person, error) {
	var claims map[string]json.RawMessage
	if token.Subject == "" || len(token.Subject) > 255 || token.Claims(&claims) != nil {
		return Person{}, badToken()
	}
	who := Person{Subject: "oidc:" + printable(token.Subject), Roles: p.options.Rules.Roles(groupsOf(claims, p.options.RolesClaim))}
	for _, claim := range []string{"name", "preferred_username", "email"} {
		var name string
		if json.Unmarshal(claims[claim], &name) == nil && name != "" && who.Name == "" {
			who.Name = connection.Bound(printable(name), 100)
		}
	}
	return who, nil
}

// printable drops what would speak to a terminal or a log instead of a person.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}

// groupsOf reads a claim that is a string or a list of strings. Its name is taken as
// it is, and else as a path through objects, such as realm_access.roles.
func groupsOf(claims map[string]json.RawMessage, name string) []string {
	raw, ok := claims[name]
	for inner := claims; !ok; {
		head, rest, more := strings.Cut(name, ".")
		if !more {
			raw = inner[head]
			break
		}
		var next map[string]json.RawMessage
		if json.Unmarshal(inner[head], &next) != nil {
			return nil
		}
		inner, name = next, rest
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	var several []string
	if json.Unmarshal(raw, &several) != nil {
		return nil
	}
	return several
}
