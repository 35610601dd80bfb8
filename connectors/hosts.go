package connectors

import (
	"net/url"
	"slices"

	"connectedapps/connection"
)

// baseURL resolves where the API lives for this method.
func (m *Method) baseURL(values map[string]string) (*url.URL, error) {
	if m.BaseURL != "" {
		return expandBase(m.BaseURL, values)
	}
	return m.app.baseURL(values)
}

// Hosts lists the origins that a credential of this method may be sent to, for
// given values: of the method's own base URL, the app's, and the app's further
// hosts. Those that lack a value are left out; without the method's base URL it
// fails with ErrInvalidInput.
func (m *Method) Hosts(values map[string]string) ([]string, error) {
	if _, err := m.baseURL(values); err != nil {
		return nil, err
	}
	return m.origins(values), nil
}

// origins lists those of Hosts whose values are known so far, each once.
func (m *Method) origins(values map[string]string) []string {
	var known []string
	for _, declared := range append([]Template{m.BaseURL, m.app.BaseURL}, m.app.ExtraHosts...) {
		if declared == "" {
			continue
		}
		if u, err := expandBase(declared, values); err == nil && !slices.Contains(known, origin(u)) {
			known = append(known, origin(u))
		}
	}
	return known
}

// base is where one request goes: the method's base URL, unless the request has
// one of its own, whose origin must be one that the credential may be sent to.
func (s Session) base(own Template) (*url.URL, error) {
	if own == "" {
		return s.Method.baseURL(s.Values)
	}
	target, err := expandBase(own, s.Values)
	if err != nil {
		return nil, err
	}
	allowed, err := s.Method.Hosts(s.Values)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(allowed, origin(target)) {
		return nil, connection.InvalidInput("", "the request would take the credential to a host that is not the app's",
			"check the values that the URL is made of")
	}
	return target, nil
}
