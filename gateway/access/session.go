package access

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
)

const (
	// sessionLife is a working day: who is dismissed at the provider, or loses a role
	// there, is out by the evening, and nobody signs in twice a day.
	sessionLife = 8 * time.Hour
	// cookiesTried bounds how many cookies of one name are opened. A browser sends one,
	// but on plain http another program of the same host may have set a second.
	cookiesTried = 2
	// maxCookie is more than a sealed session needs.
	maxCookie = 3 << 10
)

// session is what a browser carries for one environment, sealed. Times are Vault's.
type session struct {
	// ID is the same in all cookies of one sign-in.
	ID       string    `json:"id"`
	Subject  string    `json:"subject"`
	Name     string    `json:"name,omitempty"`
	Role     Role      `json:"role"`
	SignedIn time.Time `json:"signed_in"`
	Expires  time.Time `json:"expires"`
}

type openedSession struct {
	session
	clock connection.Clock
}

func sessionName(environment string) string { return "session-" + environment }

// sessionBound ties a sealed session to its purpose and its environment.
func sessionBound(environment string) string { return "gateway-session/" + environment }

// same compares in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// begin signs a person in: a cookie for each environment that they have a role in, and
// the removal of those of everybody who was signed in here before.
func (g *Guard) begin(ctx context.Context, w http.ResponseWriter, who Person) error {
	one := session{ID: newRandom(), Subject: who.Subject, Name: connection.Bound(who.Name, 100)}
	var cookies []*http.Cookie
	var away error
	signed := 0
	for _, e := range g.environments {
		value, age := "", -1
		if one.Role = who.Roles[e.Name]; one.Role.rank() > 0 {
			sealed, err := g.seal(ctx, e, one)
			switch {
			case err == nil:
				value, age = sealed, int(sessionLife.Seconds())
				signed++
			case connection.TypeOf(err) == connection.ErrVaultUnavailable: // the other environments are none the worse for it
				g.log.Warn("somebody is not signed in where Vault does not answer", zap.String("environment", e.Name))
				away = err
			default:
				return err
			}
		}
		cookies = append(cookies, g.site.Cookie(sessionName(e.Name), value, age))
	}
	if signed == 0 && away != nil {
		return away
	}
	for _, cookie := range cookies {
		http.SetCookie(w, cookie)
	}
	g.log.Info("somebody signed in", zap.String("subject", who.Subject), zap.Any("roles", who.Roles))
	return nil
}

// seal makes the session of one environment, in the time of its Vault.
func (g *Guard) seal(ctx context.Context, e Environment, one session) (string, error) {
	return g.sealed(ctx, e, sessionBound(e.Name), func(now time.Time) any {
		one.SignedIn = now.Truncate(time.Second)
		one.Expires = one.SignedIn.Add(sessionLife)
		return one
	})
}

// sealed seals what is made of the time of an environment's Vault.
func (g *Guard) sealed(ctx context.Context, e Environment, bound string, made func(now time.Time) any) (string, error) {
	return ask(ctx, g, e.Name, func(ctx context.Context) (string, error) {
		clock, err := g.clockOf(ctx, e)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(made(clock.Now().UTC()))
		if err != nil {
			return "", err
		}
		return e.Sealer.Seal(ctx, string(text), bound)
	})
}

// unsealed is the inverse of sealed, with the clock of that Vault.
func (g *Guard) unsealed(ctx context.Context, e Environment, text, bound string) (string, connection.Clock, error) {
	type opened struct {
		text  string
		clock connection.Clock
	}
	found, err := ask(ctx, g, e.Name, func(ctx context.Context) (found opened, err error) {
		if found.text, err = e.Sealer.Open(ctx, text, bound); err == nil {
			found.clock, err = g.clockOf(ctx, e)
		}
		return found, err
	})
	return found.text, found.clock, err
}

// end removes the cookies of everybody who is signed in here.
func (g *Guard) end(w http.ResponseWriter) {
	for _, e := range g.environments {
		http.SetCookie(w, g.site.Cookie(sessionName(e.Name), "", -1))
	}
}

// fromCookies opens the sessions of all environments at the same time, so that a Vault
// that hangs holds up nobody for longer than it alone. Those that cannot be opened count
// for nothing; those that can must agree on whose they are.
func (g *Guard) fromCookies(r *http.Request) (Person, error) {
	sessions, errs := make([]*session, len(g.environments)), make([]error, len(g.environments))
	var all sync.WaitGroup
	for i, e := range g.environments {
		all.Go(func() { sessions[i], errs[i] = g.open(r, e) })
	}
	all.Wait()
	var first *session
	who := Person{Roles: map[string]Role{}}
	var away error
	for i, e := range g.environments {
		found, err := sessions[i], errs[i]
		switch {
		case connection.TypeOf(err) == connection.ErrVaultUnavailable:
			away = err
			who.Away = append(who.Away, e.Name)
			continue
		case err != nil:
			return Person{}, err
		case found == nil:
			continue
		case first == nil:
			first = found
		case found.ID != first.ID || found.Subject != first.Subject || found.Name != first.Name:
			g.log.Warn("the sessions of a browser are not of one sign-in", zap.String("environment", e.Name))
			return Person{}, notSignedIn()
		}
		who.Roles[e.Name] = found.Role
	}
	switch {
	case first == nil && away != nil:
		return Person{}, away
	case first == nil:
		return Person{}, notSignedIn()
	}
	who.Subject, who.Name, who.FormToken = first.Subject, first.Name, g.formToken(r)
	return who, nil
}

// open answers the session of an environment, nil where there is none that is good.
func (g *Guard) open(r *http.Request, e Environment) (*session, error) {
	for i, cookie := range r.CookiesNamed(g.site.CookieName(sessionName(e.Name))) {
		if i == cookiesTried {
			break
		}
		if cookie.Value == "" || len(cookie.Value) > maxCookie {
			continue
		}
		found, err := g.unseal(r.Context(), e, cookie.Value)
		switch {
		case connection.TypeOf(err) == connection.ErrLinkInvalid:
			continue // not sealed here
		case err != nil:
			return nil, err
		case found.Role.rank() > 0 && found.Subject != "" && found.clock.Now().Before(found.Expires):
			return &found.session, nil
		}
	}
	return nil, nil
}

func (g *Guard) unseal(ctx context.Context, e Environment, sealed string) (openedSession, error) {
	key := hashText(e.Name + "\x00" + sealed)
	if found, ok := g.sessions.get(key); ok {
		return found, nil
	}
	text, clock, err := g.unsealed(ctx, e, sealed, sessionBound(e.Name))
	if err != nil {
		return openedSession{}, err
	}
	found := openedSession{clock: clock}
	if json.Unmarshal([]byte(text), &found.session) != nil {
		return found, connection.Refused(connection.ErrLinkInvalid, "this is no session", "sign in again")
	}
	g.sessions.put(key, found)
	return found, nil
}
