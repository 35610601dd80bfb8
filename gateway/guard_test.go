package gateway

import (
	"context"
	"net/http"
	"testing"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
)

// noStore knows no token and no link.
type noStore struct{}

func (noStore) Token(context.Context, string) (connection.AccessToken, string, connection.Clock, error) {
	return connection.AccessToken{}, "", connection.Clock{}, connection.ErrAbsent
}

func (noStore) UseLink(context.Context, string) (connection.SignInLink, connection.Clock, error) {
	return connection.SignInLink{}, connection.Clock{}, connection.ErrAbsent
}

func (noStore) Clock(context.Context) (connection.Clock, error) { return connection.Clock{}, nil }

// The pages of sign-in are served with the headers, for the host and in the bounds of all others.
func TestSignInIsServed(t *testing.T) {
	b := newBench(t, "https://connect.example")
	site, err := web.ParseSite(b.url)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := access.New(access.Options{Site: site, Environments: []access.Environment{{Name: "development", Sealer: b.fake, Store: noStore{}}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.do("GET", "/sign-in").StatusCode; got != http.StatusNotFound {
		t.Errorf("without a guard: %d", got)
	}
	b.gateway, err = New(Options{URL: b.url, Catalogue: b.gateway.catalogue, Guard: guard,
		Environments: []backend.Environment{{Name: "development", Client: b.fake, Sealer: b.fake, Inbox: b.fake}}})
	if err != nil {
		t.Fatal(err)
	}
	response := b.do("GET", "/sign-in")
	if h := response.Header; response.StatusCode != http.StatusOK || h.Get("Content-Security-Policy") != contentPolicy || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%d %v", response.StatusCode, h)
	}
	link := access.LinkPath(access.NewLink("development"))
	if h := b.do("GET", link).Header; h.Get("Referrer-Policy") != "same-origin" || h.Get("X-Frame-Options") != "DENY" {
		t.Errorf("the page of a link: %v", h)
	}
	if got := b.do("GET", "/sign-in", func(r *http.Request) { r.Host = "evil.example" }).StatusCode; got != http.StatusMisdirectedRequest {
		t.Errorf("another host: %d", got)
	}
	if got := b.do("POST", link, fromOurPage).StatusCode; got != http.StatusGone {
		t.Errorf("an unknown link: %d", got)
	}
	if got := b.do("GET", testLink).StatusCode; got != http.StatusOK {
		t.Errorf("a connect link asks for a sign-in: %d", got)
	}
}
