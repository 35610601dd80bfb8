package connectors

import (
	"maps"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// formats normalise a value, or say what is wrong with it.
var formats = map[string]func(string) (normal, reason string){
	"url":    formatURL,
	"host":   formatHost,
	"email":  formatEmail,
	"path":   formatPath,
	"header": formatHeader,
	"query":  formatQuery,
	"scopes": formatScopes,
}

// Formats lists the formats an input may have: url (http or https, without
// user information, query or fragment; a slash at the end is taken off), host
// (a name or address, with or without port), email, path (absolute), header
// (a header name that may be set), query (a parameter name) and scopes
// (separated by spaces).
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

func formatURL(value string) (string, string) {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || strings.ContainsAny(u.Host, "%\\"):
		return "", "it is not a URL such as https://example.com"
	case u.Scheme != "https" && u.Scheme != "http":
		return "", "it must begin with https:// or http://"
	case u.User != nil || strings.Contains(value, "@"):
		return "", "it may not hold a user name or password"
	case strings.ContainsAny(value, "?#"):
		return "", "it may not have a query or a fragment"
	case hasDotSegment(u) || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f"):
		return "", "its path may not hold dot segments or escaped slashes"
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	return strings.TrimRight(u.String(), "/"), ""
}

var hostName = regexp.MustCompile(`^(?i)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*(:[0-9]{1,5})?$`)

func formatHost(value string) (string, string) {
	if hostName.MatchString(value) && len(value) <= 259 {
		return strings.ToLower(value), ""
	}
	if _, err := netip.ParseAddrPort(value); err == nil && strings.HasPrefix(value, "[") && !strings.Contains(value, "%") {
		return value, ""
	}
	return "", "it is not a host such as example.com or example.com:8443"
}

func formatEmail(value string) (string, string) {
	address, err := mail.ParseAddress(value)
	if err != nil || address.Address != value {
		return "", "it is not an e-mail address"
	}
	return value, ""
}

func formatPath(value string) (string, string) {
	if !strings.HasPrefix(value, "/") {
		return "", "it must begin with a slash"
	}
	if strings.ContainsAny(value, "?#") {
		return "", "it may not have a query or a fragment"
	}
	if _, err := pathValue(value, true); err != nil {
		return "", err.Error()
	}
	return value, ""
}

// fieldToken is a token as in RFC 9110 section 5.6.2, which header names are.
var fieldToken = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")

func formatHeader(value string) (string, string) {
	if !fieldToken.MatchString(value) {
		return "", "it is not a header name"
	}
	if framing(value) {
		return "", "this header is set by the transport"
	}
	return value, ""
}

var parameterName = regexp.MustCompile(`^[A-Za-z0-9_.\[\]-]{1,100}$`)

func formatQuery(value string) (string, string) {
	if !parameterName.MatchString(value) {
		return "", "it is not a parameter name"
	}
	return value, ""
}

func formatScopes(value string) (string, string) {
	scopes := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' })
	slices.Sort(scopes)
	return strings.Join(slices.Compact(scopes), " "), ""
}

// framing reports whether a header belongs to the transport (RFC 9110 section
// 7.6.1): setting it could change where a request ends or who gets it.
func framing(name string) bool {
	switch strings.ToLower(name) {
	case "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade",
		"proxy-authorization", "proxy-authenticate", "proxy-connection", "accept-encoding", "expect", "http2-settings":
		return true
	}
	return false
}
