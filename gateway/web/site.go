package web

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"connectedapps/connection"
)

// Site is where people's browsers reach the gateway: scheme and host, without a
// path. The zero value is no site.
type Site struct{ url *url.URL }

// ParseSite reads an origin such as https://connect.example; what is none is an ErrInvalidInput.
func ParseSite(text string) (Site, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return Site{}, connection.InvalidInput("CONNECTED_APPS_GATEWAY_URL", "this is not the origin of a gateway",
			"give scheme and host, such as https://connect.example")
	}
	return Site{&url.URL{Scheme: u.Scheme, Host: u.Host}}, nil
}

// String is the origin, without a slash at its end.
func (s Site) String() string { return s.url.String() }

// Link is the whole address of a path of the site, which begins with a slash.
func (s Site) Link(path string) string { return s.url.String() + path }

// Secure reports whether the site is reached over https.
func (s Site) Secure() bool { return s.url.Scheme == "https" }

// PlainRemote is a site that is reached over plain http from elsewhere. Browsers
// send no Sec-Fetch-Site there, so its forms must be allowed to say their Origin.
func (s Site) PlainRemote() bool { return !s.Secure() && !s.onLoopback() }

// Serves reports whether a request is for this host: a name that was rebound to
// this address must not be served, nor a link be built for it.
func (s Site) Serves(r *http.Request) bool {
	return strings.EqualFold(withPort(r.Host, s.url.Scheme), withPort(s.url.Host, s.url.Scheme))
}

func withPort(host, scheme string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	if scheme == "https" {
		return host + ":443"
	}
	return host + ":80"
}

// SameOrigin reports whether a browser says that a page of ours sent the request.
// Under no-referrer browsers send "Origin: null" with a form, so Sec-Fetch-Site
// decides where it is there; a request with neither is not a browser's and is refused.
func (s Site) SameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	ours := strings.EqualFold(origin, s.String())
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return ours || origin == "" || origin == "null"
	case "":
		return ours
	default:
		return false
	}
}

// Cookie is a cookie for this host alone, which no script can read. maxAge is in
// seconds; a negative one removes it.
func (s Site) Cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: s.CookieName(name), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.Secure()}
}

// CookieName is the name under which a cookie is kept. On https it carries the prefix
// that keeps subdomains from setting it (RFC 6265bis section 4.1.3.2).
func (s Site) CookieName(name string) string {
	if s.Secure() {
		return "__Host-" + name
	}
	return name
}
