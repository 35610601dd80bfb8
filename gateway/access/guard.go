package access

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"

	"go.uber.org/zap"
)

const (
	// tokenLife is how long a good token is not asked for again: a revoked one is
	// refused that much later at most.
	tokenLife = 5 * time.Second
	// sessionOpened is how long an opened cookie need not be opened again.
	sessionOpened = time.Minute
	// clockLife is how long Vault's clock is carried on by our own.
	clockLife = time.Minute
	// maxHeader bounds an Authorization header; the largest tokens of providers are a few kB.
	maxHeader = 8 << 10
)

// Store keeps tokens and links of one environment; package vault has it, and says
// what each method does. What is not there is a [connection.ErrAbsent].
type Store interface {
	Token(ctx context.Context, hash string) (connection.AccessToken, string, connection.Clock, error)
	UseLink(ctx context.Context, hash string) (connection.SignInLink, connection.Clock, error)
	Clock(ctx context.Context) (connection.Clock, error)
}

// Environment is one environment that people sign in to.
type Environment struct {
	Name   string
	Sealer backend.Sealer
	Store  Store
}

// Options are for [New]. Site and Environments are required.
type Options struct {
	// Site is where people's browsers reach the gateway.
	Site         web.Site
	Environments []Environment
	// Provider signs people in; nil leaves one-time links and access tokens.
	Provider *Provider
	// Log is silent when nil.
	Log *zap.Logger
}

// Guard finds out who requests come from, and has the pages on which people sign in.
// It is safe for concurrent use.
type Guard struct {
	site         web.Site
	environments []Environment
	provider     *Provider
	log          *zap.Logger
	tokens       *cache[knownToken]
	sessions     *cache[openedSession]
	clocks       *cache[connection.Clock]
	absences     absences
	// states are those of sign-ins that have been answered: each is taken once.
	states *cache[struct{}]
}

var _ Authenticator = (*Guard)(nil)

// New makes a guard. It asks nothing of anybody yet.
func New(options Options) (*Guard, error) {
	if len(options.Environments) == 0 {
		return nil, connection.InvalidInput("CONNECTED_APPS_ENVIRONMENTS", "there is no environment to sign in to", "name one")
	}
	g := &Guard{site: options.Site, environments: options.Environments, provider: options.Provider, log: options.Log,
		tokens: newCache[knownToken](tokenLife), sessions: newCache[openedSession](sessionOpened),
		clocks: newCache[connection.Clock](clockLife), states: newCache[struct{}](stateLife)}
	if g.log == nil {
		g.log = zap.NewNop()
	}
	return g, nil
}

// Identify answers who sent a request, as [Authenticator] says. A header wins over
// cookies: one that is no good is refused, whatever cookies come with it.
// ErrProviderUnavailable means that the provider's keys cannot be had just now.
func (g *Guard) Identify(r *http.Request) (Person, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return g.fromCookies(r)
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	switch {
	case len(headers) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxHeader:
		return Person{}, badToken()
	case strings.HasPrefix(token, tokenPrefix):
		return g.fromToken(r.Context(), token)
	case g.provider != nil:
		return g.provider.fromBearer(r.Context(), token)
	default:
		return Person{}, badToken()
	}
}

func badToken() *connection.Problem {
	return connection.Refused(connection.ErrNotSignedIn, "the Authorization header holds no token that is good here",
		"send one that was not revoked and has not ended, as: Authorization: Bearer cat_…; an administrator makes one with: connected-apps access create")
}

func notSignedIn() *connection.Problem {
	return connection.Refused(connection.ErrNotSignedIn, "nobody is signed in here", "sign in at "+SignInPath+", or send an access token")
}

// knownToken is a token that Vault knew, with the clock of its answer.
type knownToken struct {
	connection.AccessToken
	clock connection.Clock
}

// fromToken asks the environment that the token names, and no other.
func (g *Guard) fromToken(ctx context.Context, text string) (Person, error) {
	name, ok := environmentOf(strings.TrimPrefix(text, tokenPrefix))
	environment, served := g.named(name)
	if !ok || !served {
		return Person{}, badToken()
	}
	hash := hashText(text)
	known, ok := g.tokens.get(hash)
	if !ok {
		var err error
		known, err = ask(ctx, g, name, func(ctx context.Context) (knownToken, error) {
			token, stored, clock, err := environment.Store.Token(ctx, hash)
			if err == nil && !same(stored, hash) {
				err = connection.ErrAbsent
			}
			return knownToken{token, clock}, err
		})
		if errors.Is(err, connection.ErrAbsent) {
			return Person{}, badToken()
		}
		if err != nil {
			return Person{}, err
		}
		g.tokens.put(hash, known)
	}
	role := Role(known.Role)
	if !known.Live(known.clock.Now()) || role.rank() == 0 && known.Role != AgentRole {
		return Person{}, badToken()
	}
	who := Person{Subject: "token:" + name + "/" + known.Name, Name: known.Name, Created: known.Created}
	if known.Role == AgentRole {
		who.Toolkits = within(name, known.Toolkits)
	} else {
		who.Roles = map[string]Role{name: role}
	}
	return who, nil
}

// Issuer is the OpenID provider that people sign in at; "" where there is none.
func (g *Guard) Issuer() string {
	if g.provider == nil {
		return ""
	}
	return g.provider.options.Issuer
}

func (g *Guard) named(name string) (Environment, bool) {
	for _, e := range g.environments {
		if e.Name == name {
			return e, true
		}
	}
	return Environment{}, false
}

// clockOf is an environment's Vault clock, asked for once a minute.
func (g *Guard) clockOf(ctx context.Context, e Environment) (connection.Clock, error) {
	if clock, ok := g.clocks.get(e.Name); ok {
		return clock, nil
	}
	clock, err := e.Store.Clock(ctx)
	if err == nil {
		g.clocks.put(e.Name, clock)
	}
	return clock, err
}
