package console

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"connectedapps/connection"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

const (
	// guestCookie begins the name of the cookie that a session's link leaves in the browser.
	guestCookie = "connect-session-"
	// guestSeconds is the life of that cookie: a link lives for a day at most, and a connect
	// that was begun at its end for another.
	guestSeconds = 2 * 24 * 60 * 60
	// maxGuestCookie is more than a sealed claim ever needs, and maxGuestCookies bounds how
	// many are opened to find one.
	maxGuestCookie, maxGuestCookies = 2 << 10, 8
)

// guest is a person who came with the link of a connect session, and has not signed in.
type guest struct {
	claim
	state workflows.ConnectSessionState
}

// claim is what the browser that used a link up keeps, sealed.
type claim struct {
	Session    string        `json:"session"`
	Connection connection.ID `json:"connection"`
	// Secret is random, and leaves the browser only to us.
	Secret string `json:"secret"`
}

func newClaim(session string, id connection.ID) claim {
	return claim{Session: session, Connection: id, Secret: rand.Text()}
}

// browser is what the session knows this browser by.
func (cl claim) browser() string { return hashOf(cl.Secret) }

// formToken is what this browser's forms carry: nobody else can work it out.
func (cl claim) formToken() string {
	mac := hmac.New(sha256.New, []byte(cl.Secret))
	mac.Write([]byte("form"))
	return hex.EncodeToString(mac.Sum(nil))
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// guestPath is where a session's guest works.
func guestPath(environment, session string) string {
	return "/connect-session/" + environment + "/" + session
}

// boundTo ties a sealed claim to its purpose and its environment.
func boundTo(environment string) string { return "connect-session/" + environment }

// remember is the cookie that keeps a claim. The environment stands before the sealed text
// in the clear, to tell whose key opens it; the key vouches for it.
func (c *Console) remember(ctx context.Context, e backend.Environment, cl claim) (*http.Cookie, error) {
	text, err := json.Marshal(cl)
	if err != nil {
		return nil, err
	}
	sealed, err := e.Sealer.Seal(ctx, string(text), boundTo(e.Name))
	if err != nil {
		return nil, err
	}
	return c.Site.Cookie(guestCookie+cl.Session, e.Name+"."+sealed, guestSeconds), nil
}

// recall is the claim of this browser. One that is not there, or not good, is an
// ErrLinkInvalid; a Vault that is away stays what it is.
func (c *Console) recall(r *http.Request, e backend.Environment, session string) (claim, error) {
	for _, cookie := range r.CookiesNamed(c.Site.CookieName(guestCookie + session)) {
		cl, err := open(r.Context(), e, cookie.Value)
		if err == nil && cl.Session == session || connection.TypeOf(err) == connection.ErrVaultUnavailable {
			return cl, err
		}
	}
	return claim{}, connection.Refused(connection.ErrLinkInvalid, "this browser has not opened the link of this connect",
		"open the whole link that you were given, in the browser that you began with")
}

func open(ctx context.Context, e backend.Environment, value string) (claim, error) {
	var cl claim
	unknown := connection.Refused(connection.ErrLinkInvalid, "this was not sealed here", "open the link again")
	environment, sealed, ok := strings.Cut(value, ".")
	if !ok || environment != e.Name || len(value) > maxGuestCookie {
		return cl, unknown
	}
	text, err := e.Sealer.Open(ctx, sealed, boundTo(e.Name))
	if err != nil {
		return cl, err
	}
	if json.Unmarshal([]byte(text), &cl) != nil || cl.Secret == "" || cl.Connection.Environment() != e.Name {
		return claim{}, unknown
	}
	return cl, nil
}

// GuestPage is where a browser goes on that came with the link of a connect session for
// this connection; "" for one that did not. It is where a callback leads to.
func (c *Console) GuestPage(r *http.Request, id connection.ID) string {
	e, err := c.Environments.Of(id)
	if err != nil {
		return ""
	}
	opened := 0
	for _, cookie := range r.Cookies() {
		if !strings.HasPrefix(cookie.Name, c.Site.CookieName(guestCookie)) || !strings.HasPrefix(cookie.Value, e.Name+".") {
			continue
		}
		if opened++; opened > maxGuestCookies {
			break
		}
		cl, err := open(r.Context(), e, cookie.Value)
		if err == nil && cl.Connection == id && cookie.Name == c.Site.CookieName(guestCookie+cl.Session) {
			return guestPath(e.Name, cl.Session)
		}
	}
	return ""
}
