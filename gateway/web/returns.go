package web

import (
	"net/url"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// Returns are where people may be sent when they are done here: to the origins that the
// operator allows, and on a site that is on loopback to loopback. The zero value of
// Origins allows no other.
type Returns struct {
	Site    Site
	Origins []string
}

// Address reads an address that people may be sent to. One that they may not is an
// ErrInvalidInput for the field return_to.
func (t Returns) Address(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !outbound.Loopback(u.Hostname())) {
		return nil, connection.InvalidInput("return_to", "nobody can be sent there", "give an address that begins with https://")
	}
	if outbound.Loopback(u.Hostname()) && t.Site.onLoopback() {
		return u, nil
	}
	for _, allowed := range t.Origins {
		if strings.EqualFold(strings.TrimSuffix(allowed, "/"), u.Scheme+"://"+u.Host) {
			return u, nil
		}
	}
	return nil, connection.InvalidInput("return_to", "its origin is not among those that this gateway allows", "have the operator add it to CONNECTED_APPS_RETURN_TO")
}

func (s Site) onLoopback() bool { return outbound.Loopback(s.url.Hostname()) }
