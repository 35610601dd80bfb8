package console

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

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
	// maxGuestCookie is more than a sealed claim ever needs.
	maxGuestCookie = 2 << 10
	// maxGuestCookies is how many a browser keeps: at their longest they fill half of the
	// headers that the gateway takes. One more costs the oldest, and its connect its page.
	maxGuestCookies = 8
	// cookiesTried bounds how many cookies of one name are opened; a browser sends one.
	cookiesTried = 2
)

// guest is a person who came with the link of a connect session, and has not signed in.
type guest struct {
	claim
	state workflows.ConnectSessionState
}

// claim is what a browser keeps, sealed, that has looked at a link. Whether it has used
// the link up is the session's to say: see [workflows.ConnectSessionState.ClaimedBy].
type claim struct {
	Session string `json:"session"`
	// Created is the session's: a later one of the same name is another.
	Created    time.Time     `json:"created"`
	Connection connection.ID `json:"connection"`
	// Secret is random, and leaves the browser only to us.
	Secret string `json:"secret"`
}

func newClaim(s workflows.ConnectSessionState) claim {
	return claim{Session: s.Session, Created: s.Created, Connection: s.Connection, Secret: rand.Text()}
}

// of reports whether the claim is one of this very session.
func (cl claim) of(s workflows.ConnectSessionState) bool {
	return cl.Session == s.Session && cl.Created.Equal(s.Created) && cl.Connection == s.Connection
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

// GuestPath is where a session's guest works.
func GuestPath(environment, session string) string {
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

// makeRoom takes away what would be more than a browser keeps once it has one more. The
// oldest come first: browsers send cookies in that order (RFC 6265 section 5.4).
func (c *Console) makeRoom(w http.ResponseWriter, r *http.Request) {
	var held []string
	for _, cookie := range r.Cookies() {
		if name, ok := strings.CutPrefix(cookie.Name, c.Site.CookieName(guestCookie)); ok && !slices.Contains(held, name) {
			held = append(held, name)
		}
	}
	for len(held) >= maxGuestCookies {
		http.SetCookie(w, c.forget(held[0]))
		held = held[1:]
	}
}

// forget is the cookie that removes a session's.
func (c *Console) forget(session string) *http.Cookie {
	return c.Site.Cookie(guestCookie+session, "", -1)
}

// recall is what this browser keeps of the session. What is not there, or not good, is an
// ErrLinkInvalid; a Vault that is away stays what it is.
func (c *Console) recall(r *http.Request, e backend.Environment, s workflows.ConnectSessionState) (claim, error) {
	for i, cookie := range r.CookiesNamed(c.Site.CookieName(guestCookie + s.Session)) {
		if i == cookiesTried {
			break
		}
		cl, err := open(r.Context(), e, cookie.Value)
		if err == nil && cl.of(s) || connection.TypeOf(err) == connection.ErrVaultUnavailable {
			return cl, err
		}
	}
	return claim{}, notOpenedHere()
}

// notOpenedHere is said of what is over as well: its cookie is gone.
func notOpenedHere() *connection.Problem {
	return connection.Refused(connection.ErrLinkInvalid, "this connect is over, or this browser has not opened its link",
		"to go on with one, open the whole link that you were given, in the browser that you began with")
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
