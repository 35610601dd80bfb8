package access

import (
	"net/http"

	"connectedapps/connection"
)

const (
	// FormField is the field in which a form brings the person's form token back.
	FormField = "form_token"
	// FormHeader is the header in which a script of ours does.
	FormHeader = "X-Form-Token"
)

// formToken is bound to the sealed cookies, which nobody but this browser and Vault
// has, so that every replica computes the same and none must remember it. "" without any.
func (g *Guard) formToken(r *http.Request) string {
	text := ""
	for _, e := range g.environments {
		for i, cookie := range r.CookiesNamed(g.site.CookieName(sessionName(e.Name))) {
			if i < cookiesTried && cookie.Value != "" && len(cookie.Value) <= maxCookie {
				text += "\x00" + e.Name + "\x00" + cookie.Value
			}
		}
	}
	if text == "" {
		return ""
	}
	return hashText("form" + text)
}

// CheckForm reports, as an ErrNotAllowed, a request that was not sent by a page of
// ours that this very session was shown. It asks nothing of a request that brings a
// token in its header, which no other site can make a browser send. Whoever calls it
// has identified the person before, and bounded the body.
func (g *Guard) CheckForm(r *http.Request) error {
	if len(r.Header.Values("Authorization")) > 0 {
		return nil
	}
	if !g.site.SameOrigin(r) {
		return connection.Refused(connection.ErrNotAllowed, "the request did not come from a page of this gateway",
			"open the page here, and try again there")
	}
	want, got := g.formToken(r), r.Header.Get(FormHeader)
	if got == "" {
		got = r.PostFormValue(FormField)
	}
	if want == "" || !same(got, want) {
		return connection.Refused(connection.ErrNotAllowed, "the page is of an earlier session", "reload the page and try again")
	}
	return nil
}
