package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"connectedapps/connection"
	"connectedapps/gateway/backend"
)

const (
	// cookieSeconds is how long an authorization may take: the life of its attempt.
	cookieSeconds = 600
	// cookiesTried bounds how many cookies of one name are opened; a browser sends one.
	cookiesTried = 2
	// maxCookie is more than a sealed session ever needs.
	maxCookie = 2 << 10
)

// session is what a browser carries to the provider and back, sealed.
type session struct {
	Connection  connection.ID `json:"connection"`
	Attempt     string        `json:"attempt"`
	Method      string        `json:"method"`
	StateSHA256 string        `json:"state_sha256"`
	// Guest is the connect session whose guest began, and goes on at its page; "" for others.
	Guest string `json:"guest,omitempty"`
}

func hashState(state string) string {
	sum := sha256.Sum256([]byte(state))
	return hex.EncodeToString(sum[:])
}

// matches compares in constant time; both sides are hashes already.
func (s session) matches(hash string) bool {
	return subtle.ConstantTimeCompare([]byte(s.StateSHA256), []byte(hash)) == 1
}

// cookieName is one name per authorization, so that two tabs do not overwrite each other.
func cookieName(hash string) string { return "connect-" + hash[:8] }

// bound ties a sealed session to its purpose and its environment.
func bound(environment string) string { return "gateway-authorization/" + environment }

// remember makes the cookie. The environment stands before the sealed text in the
// clear, to tell whose key opens it; the key vouches for it.
func (g *Gateway) remember(ctx context.Context, environment backend.Environment, s session) (*http.Cookie, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	sealed, err := environment.Sealer.Seal(ctx, string(text), bound(environment.Name))
	if err != nil {
		return nil, err
	}
	return g.cookie(s.StateSHA256, environment.Name+"."+sealed, cookieSeconds), nil
}

// forget is the cookie that removes the one of an authorization.
func (g *Gateway) forget(hash string) *http.Cookie { return g.cookie(hash, "", -1) }

func (g *Gateway) cookie(hash, value string, maxAge int) *http.Cookie {
	return g.site.Cookie(cookieName(hash), value, maxAge)
}

// recall opens the session that this browser began with exactly this state. Any
// doubt is an ErrAuthorizationFailed; a Vault that is away stays what it is.
func (g *Gateway) recall(r *http.Request, state string) (backend.Environment, session, error) {
	hash := hashState(state)
	refused := notBegunHere()
	for i, cookie := range r.CookiesNamed(g.site.CookieName(cookieName(hash))) {
		if i == cookiesTried {
			break
		}
		name, sealed, ok := strings.Cut(cookie.Value, ".")
		environment, err := g.environments.Named(name)
		if !ok || err != nil || sealed == "" || len(cookie.Value) > maxCookie {
			continue
		}
		text, err := environment.Sealer.Open(r.Context(), sealed, bound(name))
		if connection.TypeOf(err) == connection.ErrVaultUnavailable {
			return environment, session{}, err
		}
		if err != nil {
			continue
		}
		var found session
		if json.Unmarshal([]byte(text), &found) != nil || !found.matches(hash) || found.Connection.Environment() != name {
			continue
		}
		return environment, found, nil
	}
	return backend.Environment{}, session{}, refused
}

func notBegunHere() *connection.Problem {
	return connection.Refused(connection.ErrAuthorizationFailed,
		"this answer does not belong to an authorization that was begun in this browser within the last ten minutes",
		"open the connect link again in this browser, or ask for a new one")
}
