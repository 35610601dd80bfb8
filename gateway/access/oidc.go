package access

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// stateLife is how long somebody may take at the provider.
const stateLife = 10 * time.Minute

// pending is what a browser carries to the provider and back, sealed. Expires is Vault's time.
type pending struct {
	StateSHA256 string    `json:"state_sha256"`
	Nonce       string    `json:"nonce"`
	Verifier    string    `json:"verifier"`
	ReturnTo    string    `json:"return_to"`
	Expires     time.Time `json:"expires"`
}

// pendingName is one name per sign-in, so that two tabs do not overwrite each other.
func pendingName(hash string) string { return "sign-in-" + hash[:8] }

func pendingBound(environment string) string { return "gateway-sign-in/" + environment }

func (p *Provider) config(found *discovered, redirect string) oauth2.Config {
	scopes := []string{"openid", "profile", "email"}
	for _, scope := range p.options.Scopes {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return oauth2.Config{ClientID: p.options.ClientID, ClientSecret: p.options.ClientSecret.Reveal(), Endpoint: found.endpoint, RedirectURL: redirect, Scopes: scopes}
}

// beginAtProvider leads to the provider, with state, nonce and challenge of their own.
func (g *Guard) beginAtProvider(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), signInTime)
	defer cancel()
	if g.provider == nil {
		g.fail(w, r, noProvider())
		return
	}
	found, err := g.provider.ask(ctx)
	if err != nil {
		g.fail(w, r, err)
		return
	}
	state := newRandom()
	begun := pending{StateSHA256: hashText(state), Nonce: newRandom(), Verifier: oauth2.GenerateVerifier(), ReturnTo: localPath(r.URL.Query().Get("return_to"))}
	cookie, err := g.remember(ctx, begun)
	if err != nil {
		g.fail(w, r, err)
		return
	}
	config := g.provider.config(found, g.site.Link(CallbackPath))
	target, err := url.Parse(config.AuthCodeURL(state, oidc.Nonce(begun.Nonce), oauth2.S256ChallengeOption(begun.Verifier)))
	if err != nil || target.Host == "" || target.Scheme != "https" && (target.Scheme != "http" || !g.provider.options.AllowHTTP && !outbound.Loopback(target.Hostname())) {
		g.fail(w, r, providerAway())
		return
	}
	http.SetCookie(w, cookie)
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

func noProvider() *connection.Problem {
	return connection.InvalidInput("", "no OpenID provider is set up here", "sign in with a one-time link: connected-apps console")
}

// remember seals what was begun with the key of the first environment whose Vault
// answers. It says nothing of who somebody is, so any environment's will do.
func (g *Guard) remember(ctx context.Context, begun pending) (*http.Cookie, error) {
	var last error
	for _, e := range g.environments {
		sealed, err := g.sealed(ctx, e, pendingBound(e.Name), func(now time.Time) any {
			one := begun // a late answer of one Vault must not meet the question to the next
			one.Expires = now.Add(stateLife)
			return one
		})
		if err == nil {
			return g.site.Cookie(pendingName(begun.StateSHA256), e.Name+"."+sealed, int(stateLife.Seconds())), nil
		}
		last = err
	}
	return nil, last
}

// recall opens what this browser began with exactly this state, and not too long ago.
func (g *Guard) recall(r *http.Request, state string) (pending, error) {
	hash := hashText(state)
	for i, cookie := range r.CookiesNamed(g.site.CookieName(pendingName(hash))) {
		name, sealed, _ := strings.Cut(cookie.Value, ".")
		e, ok := g.named(name)
		if i == cookiesTried || !ok || len(cookie.Value) > maxCookie {
			continue
		}
		text, clock, err := g.unsealed(r.Context(), e, sealed, pendingBound(name))
		if connection.TypeOf(err) == connection.ErrLinkInvalid {
			continue
		}
		if err != nil {
			return pending{}, err
		}
		var begun pending
		if json.Unmarshal([]byte(text), &begun) == nil && same(begun.StateSHA256, hash) && clock.Now().Before(begun.Expires) {
			return begun, nil
		}
	}
	return pending{}, refusedAnswer("it does not belong to a sign-in that was begun in this browser within the last ten minutes")
}

// finishAtProvider takes the provider's answer: it must be one answer, this browser
// must have begun exactly that sign-in and not have had its answer yet. Only then is
// the provider asked for tokens, and the code leaves the address bar by a redirect.
func (g *Guard) finishAtProvider(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), signInTime)
	defer cancel()
	if r.Method != http.MethodGet {
		g.fail(w, r, refusedAnswer("it must be fetched with GET"))
		return
	}
	if g.provider == nil {
		g.fail(w, r, noProvider())
		return
	}
	got, err := parseAnswer(r.URL.RawQuery)
	if err != nil {
		g.fail(w, r, err)
		return
	}
	begun, err := g.recall(r.WithContext(ctx), got.Get("state"))
	if err != nil {
		g.fail(w, r, err)
		return
	}
	http.SetCookie(w, g.site.Cookie(pendingName(begun.StateSHA256), "", -1))
	if !g.states.claim(begun.StateSHA256) {
		g.fail(w, r, refusedAnswer("it has been received already"))
		return
	}
	who, err := g.provider.redeem(ctx, got, begun, g.site.Link(CallbackPath))
	switch {
	case err != nil:
		g.fail(w, r, err)
		return
	case len(who.Roles) == 0:
		g.end(w)
		g.noRole(w, who)
		return
	}
	if err := g.begin(ctx, w, who); err != nil {
		g.fail(w, r, err)
		return
	}
	http.Redirect(w, r, localPath(begun.ReturnTo), http.StatusSeeOther)
}
