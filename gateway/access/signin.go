package access

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// Where people sign in and out.
const (
	SignInPath  = "/sign-in"
	SignOutPath = "/sign-out"
	// CallbackPath is the redirect URI to register with the OpenID provider, below the gateway's URL.
	CallbackPath = SignInPath + "/oidc/callback"

	providerPath = SignInPath + "/oidc"
)

// signInTime bounds a sign-in, which asks Vault, or the provider, a few times.
const signInTime = 20 * time.Second

// LinkPath is where a sign-in link leads.
func LinkPath(link connection.Secret) string { return SignInPath + "/" + link.Reveal() }

// Mount adds the pages of sign-in and sign-out to a mux. They are for everybody.
func (g *Guard) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET "+SignInPath, g.showSignIn)
	mux.HandleFunc("GET "+SignInPath+"/{link}", g.showLink)
	mux.HandleFunc("POST "+SignInPath+"/{link}", g.useLink)
	mux.HandleFunc("GET "+providerPath, g.beginAtProvider)
	mux.HandleFunc(CallbackPath, g.finishAtProvider) // refuses other methods itself: HEAD would come with GET
	mux.HandleFunc("POST "+SignOutPath, g.signOut)
}

// Pages lets those through who are signed in with a role in some environment, with
// themselves in the context ([Of]). Nobody is sent to sign in; what is not a
// navigation gets the 401 as it is.
func (g *Guard) Pages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := g.Identify(r)
		switch {
		case connection.TypeOf(err) == connection.ErrNotSignedIn && navigates(r):
			http.Redirect(w, r, returning(SignInPath, r.URL.RequestURI()), http.StatusSeeOther)
		case connection.TypeOf(err) == connection.ErrNotSignedIn && r.Header.Get("HX-Request") == "true":
			w.Header().Set("HX-Refresh", "true") // a part of a page whose session has ended: the whole page is asked for, and leads to sign-in
			w.WriteHeader(http.StatusUnauthorized)
		case err != nil:
			g.fail(w, r, err)
		case len(who.Roles) == 0:
			g.noRole(w, who)
		case who.CheckBeyondTools() != nil:
			g.fail(w, r, who.CheckBeyondTools())
		default:
			next.ServeHTTP(w, r.WithContext(With(r.Context(), who)))
		}
	})
}

// navigates reports whether a person's browser goes to a page, as far as it says.
func navigates(r *http.Request) bool {
	if r.Method != http.MethodGet || len(r.Header.Values("Authorization")) > 0 {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Mode") {
	case "navigate":
		return true
	case "":
		return strings.Contains(r.Header.Get("Accept"), "text/html")
	}
	return false
}

// noRole is the page for somebody whom the provider knows and who may do nothing here.
func (g *Guard) noRole(w http.ResponseWriter, who Person) {
	g.log.Info("somebody without a role was refused", zap.String("subject", who.Subject))
	g.render(w, http.StatusForbidden, "notice.html", noticePage{Bad: true, Title: "You have no role here",
		Message: "You are known as " + who.Display() + " (" + who.Subject + "), and none of your groups has a role in any environment.",
		Next:    "Ask an operator of this gateway to give one of your groups a role, and name the subject above."})
}

func (g *Guard) showSignIn(w http.ResponseWriter, r *http.Request) {
	page := signInPage{}
	if g.provider != nil {
		page.Provider = returning(providerPath, r.URL.Query().Get("return_to"))
	}
	g.render(w, http.StatusOK, "sign-in.html", page)
}

// showLink only shows a button: programs that preview links must not use it up.
func (g *Guard) showLink(w http.ResponseWriter, r *http.Request) {
	link := r.PathValue("link")
	if _, ok := environmentOf(link); !ok {
		g.fail(w, r, unknownLink())
		return
	}
	w.Header().Set("Referrer-Policy", "same-origin") // under no-referrer browsers would not say which page sends the form
	g.render(w, http.StatusOK, "sign-in.html", signInPage{Link: SignInPath + "/" + link, ReturnTo: localPath(r.URL.Query().Get("return_to"))})
}

func unknownLink() *connection.Problem {
	return connection.Refused(connection.ErrLinkInvalid, "this link is unknown, was used, or is too old: each works once",
		"make a new one with: connected-apps console")
}

// useLink is the button. Which environments a link is for, each environment's own Vault
// says; the one that the link names is asked first, and decides who of several has it.
func (g *Guard) useLink(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), signInTime)
	defer cancel()
	if !g.site.SameOrigin(r) {
		g.fail(w, r, connection.Refused(connection.ErrNotAllowed, "the request did not come from the page of this link", "open the link and press its button"))
		return
	}
	name, ok := environmentOf(r.PathValue("link"))
	decides, served := g.named(name)
	if !ok || !served {
		g.fail(w, r, unknownLink())
		return
	}
	hash := hashText(r.PathValue("link"))
	who := Person{Subject: "link:" + hash[:12], Name: "one-time link", Roles: map[string]Role{}}
	role, err := useIn(ctx, decides, hash)
	if errors.Is(err, connection.ErrAbsent) {
		err = unknownLink()
	}
	if err != nil {
		g.fail(w, r, err)
		return
	}
	who.give(name, role)
	for _, e := range g.environments {
		if e.Name == name {
			continue
		}
		role, err := ask(ctx, g, e.Name, func(ctx context.Context) (Role, error) { return useIn(ctx, e, hash) })
		who.give(e.Name, role)
		if err != nil && !errors.Is(err, connection.ErrAbsent) {
			g.log.Warn("a sign-in link is left unused where Vault does not answer", zap.String("environment", e.Name), zap.Error(err))
		}
	}
	if len(who.Roles) == 0 {
		g.fail(w, r, unknownLink())
		return
	}
	if err := g.begin(ctx, w, who); err != nil {
		g.fail(w, r, err)
		return
	}
	http.Redirect(w, r, localPath(r.PostFormValue("return_to")), http.StatusSeeOther)
}

// useIn uses a link up in one environment, and answers the role that it gives there.
func useIn(ctx context.Context, e Environment, hash string) (Role, error) {
	link, _, err := e.Store.UseLink(ctx, hash)
	if err != nil {
		return "", err
	}
	return Role(link.Role), nil
}

// give adds a role; what is none is not added.
func (p Person) give(environment string, role Role) {
	if role.rank() > 0 {
		p.Roles[environment] = role
	}
}

func (g *Guard) signOut(w http.ResponseWriter, r *http.Request) {
	if err := g.CheckForm(r); err != nil {
		g.fail(w, r, err)
		return
	}
	g.end(w)
	http.Redirect(w, r, SignInPath, http.StatusSeeOther)
}
