// Package forms binds the sandbox's pages to the browser they were served to.
package forms

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"net/http"
)

// cookieName is the cookie that a form is bound to (double submit, signed).
const cookieName = "sandbox_consent"

// Guard makes and checks the tokens of forms.
type Guard struct {
	key []byte
	// path is below what the cookie is sent.
	path string
}

// NewGuard makes a guard of a random key for the pages below a path.
func NewGuard(key []byte, path string) *Guard { return &Guard{key: key, path: path} }

// Token is what a form about a request must bring along. It gives the browser a cookie if it has none, so it must
// be called before the answer begins.
func (g *Guard) Token(w http.ResponseWriter, r *http.Request, request string) string {
	return g.token(g.browserOf(w, r), request)
}

// Matches reports whether a form was served to this browser for this request.
func (g *Guard) Matches(r *http.Request, request, token string) bool {
	cookie, err := r.Cookie(cookieName)
	if err != nil || cookie.Value == "" {
		return false
	}
	return hmac.Equal([]byte(token), []byte(g.token(cookie.Value, request)))
}

// browserOf names the browser by its cookie, giving it one if it has none.
func (g *Guard) browserOf(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(cookieName); err == nil && cookie.Value != "" {
		return cookie.Value
	}
	browser := rand.Text()
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: browser, Path: g.path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return browser
}

func (g *Guard) token(browser, request string) string {
	mac := hmac.New(sha256.New, g.key)
	mac.Write([]byte(browser + "\x00" + request))
	return hex.EncodeToString(mac.Sum(nil))
}

// Render answers a page that nobody may keep, frame or load anything into.
func Render(w http.ResponseWriter, status int, page *template.Template, view any) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	// No form-action: browsers apply it to the redirect after the post as well, which leads to the client.
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_ = page.Execute(w, view) // the browser has gone if this fails
}
