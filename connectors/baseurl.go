package connectors

import (
	"net/url"
	"slices"
	"strings"
)

// expandBase resolves an absolute URL template over values. The outcome has
// scheme http or https and a host, and neither user info, query nor fragment.
// A value that is missing or would say otherwise is an ErrInvalidInput.
func expandBase(t Template, values map[string]string) (*url.URL, error) {
	u, err := expandURL(t, values)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, badURL(t, "it has a query")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// expandURL is expandBase for endpoints, which may carry a query of their own.
func expandURL(t Template, values map[string]string) (*url.URL, error) {
	text, err := t.expand(func(part templatePart) ([]string, error) {
		value := values[part.text]
		switch {
		case value == "" && part.op != opQuery && part.op != opAmp:
			return nil, missingValue(part.text)
		case value == "":
			return nil, nil
		case slices.ContainsFunc([]byte(value), isControl):
			return nil, badURL(t, part.text+" holds a control character")
		}
		return []string{value}, nil
	})
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, badURL(t, "it is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, badURL(t, "it is neither https nor http")
	case u.Opaque != "" || u.Hostname() == "" || strings.ContainsAny(u.Host, "%\\"):
		return nil, badURL(t, "it names no host")
	case u.User != nil:
		return nil, badURL(t, "it holds user information")
	case u.Fragment != "" || strings.Contains(text, "#"):
		return nil, badURL(t, "it has a fragment")
	case hasDotSegment(u):
		return nil, badURL(t, "it has a dot segment")
	}
	return u, nil
}

// hasDotSegment finds "." and ".." in a path, however they are written.
func hasDotSegment(u *url.URL) bool {
	for segment := range strings.SplitSeq(strings.ReplaceAll(u.Path, "\\", "/"), "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

func isControl(b byte) bool { return b < 0x20 || b == 0x7f }
