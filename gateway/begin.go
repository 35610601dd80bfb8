package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
	"connectedapps/workflows"
)

// stateBytes is the entropy of a state: 256 bits, where RFC 6749 section 10.10 asks for 128.
const stateBytes = 32

// newState mints the text that binds a callback to the browser that began.
func newState() string {
	raw := make([]byte, stateBytes)
	_, _ = rand.Read(raw) // never fails, since Go 1.24
	return base64.RawURLEncoding.EncodeToString(raw)
}

// beginConnect is the button of a connect link.
func (g *Gateway) beginConnect(w http.ResponseWriter, r *http.Request) {
	if !g.site.SameOrigin(r) {
		g.fail(w, r, connection.Refused(connection.ErrAuthorizationFailed, "the request did not come from the page of this link",
			"open the connect link and press its button"), http.StatusForbidden)
		return
	}
	l, err := g.parseLink(r)
	if err != nil {
		g.fail(w, r, err, 0)
		return
	}
	g.lead(w, r, l)
}

// lead uses the link up and leads to the provider. The session is sealed before the
// attempt is used, so that a Vault that is away costs no link. Whoever calls it has
// made sure that a page of ours asked.
//
// The answer is a page that leads on, and not a redirect: browsers hold redirects
// of a form against its page's form-action, which would have to list every origin
// that a provider may pass the person on to.
func (g *Gateway) lead(w http.ResponseWriter, r *http.Request, l link) {
	ctx, cancel := context.WithTimeout(r.Context(), beginTime)
	defer cancel()
	progress, attempt, err := g.look(ctx, l)
	if err == nil {
		err = g.beginnable(progress, attempt)
	}
	if err != nil {
		g.fail(w, r, err, 0)
		return
	}
	provider, cookie, err := g.begin(ctx, l, progress.Plan.Method)
	if err != nil {
		g.fail(w, r, err, 0)
		return
	}
	http.SetCookie(w, cookie)
	w.Header().Set("Refresh", "0;url="+provider.String())
	g.render(w, http.StatusOK, "onward.html", onward{AppName: progress.Plan.AppName, URL: provider.String(), Host: provider.Host})
}

// begin uses the attempt up. OAuth 1.0a has no state: the temporary token, which
// comes back in the callback, binds the browser in its stead.
func (g *Gateway) begin(ctx context.Context, l link, method string) (*url.URL, *http.Cookie, error) {
	state := newState()
	seal := session{Connection: l.id, Attempt: l.attempt, Method: method, StateSHA256: hashState(state), Guest: l.guest}
	cookie, err := g.remember(ctx, l.environment, seal)
	if err != nil {
		return nil, nil, err
	}
	begun, err := l.environment.Client.BeginAuthorization(ctx, l.id, workflows.BeginAuthorization{Attempt: l.attempt, StateSHA256: seal.StateSHA256})
	if err != nil {
		return nil, nil, err
	}
	if begun.StateSHA256 != "" {
		state, seal.StateSHA256 = "", begun.StateSHA256
		if cookie, err = g.remember(ctx, l.environment, seal); err != nil {
			return nil, nil, err
		}
	}
	provider, err := g.withState(begun.URL, state)
	return provider, cookie, err
}

// withState appends the state, unless it is "", to the provider's URL where its
// other parameters are, and refuses a URL that people must not be sent to.
func (g *Gateway) withState(target, state string) (*url.URL, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.User != nil || u.Query().Has("state") {
		return nil, connection.Refused(connection.ErrInternal, "the app's authorization address cannot be used", "an operator must correct the app's definition")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !g.allowHTTP && !outbound.Loopback(u.Hostname())) {
		return nil, connection.Refused(connection.ErrInternal, "the app's authorization address is not https", "an operator must correct the app's definition")
	}
	switch {
	case state == "":
	case u.Fragment != "":
		u.Fragment += "&state=" + state
		u.RawFragment = ""
	case u.RawQuery != "":
		u.RawQuery += "&state=" + state
	default:
		u.RawQuery = "state=" + state
	}
	return u, nil
}
