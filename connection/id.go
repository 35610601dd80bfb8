package connection

import (
	"fmt"
	"regexp"
	"strings"
)

// ID names a connection for its whole life: "<environment>/<app>/<slug>", for
// example "production/github/acme-bot". It is immutable; the display name is
// free text and lives beside it. The zero value is not a valid ID.
type ID string

// slug bounds every part of an ID. Parts become Vault path segments, Temporal
// workflow IDs and URL path segments, so nothing that needs escaping in any of
// the three is allowed.
var slug = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)

// NewID builds an ID from its parts. It fails with ErrInvalidInput, naming the
// part, when one is not a slug.
func NewID(environment, app, name string) (ID, error) {
	parts := []struct{ field, value string }{
		{"environment", environment}, {"app", app}, {"name", name},
	}
	for _, part := range parts {
		if err := CheckSlug(part.field, part.value); err != nil {
			return "", err
		}
	}
	return ID(environment + "/" + app + "/" + name), nil
}

// ParseID is the inverse of [ID.String]. It fails with ErrInvalidInput.
func ParseID(text string) (ID, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return "", InvalidInput("connection",
			fmt.Sprintf("%q is not a connection ID", Bound(text, 200)),
			"write it as <environment>/<app>/<name>, for example development/github/my-account")
	}
	return NewID(parts[0], parts[1], parts[2])
}

// CheckSlug reports an ErrInvalidInput naming the field unless the value is a
// slug: 1 to 63 lower-case letters, digits and inner hyphens.
func CheckSlug(field, value string) error {
	if slug.MatchString(value) {
		return nil
	}
	return InvalidInput(field, fmt.Sprintf("%q cannot be a name", Bound(value, 80)),
		"use 1 to 63 lower-case letters, digits and inner hyphens")
}

// Slugify turns free text into the nearest slug, or "" when nothing is left.
func Slugify(text string) string {
	var out strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			out.WriteRune(r)
		case out.Len() > 0 && !strings.HasSuffix(out.String(), "-"):
			out.WriteByte('-')
		}
	}
	text = out.String()
	if len(text) > 63 {
		text = text[:63]
	}
	return strings.Trim(text, "-")
}

// String is the ID as written everywhere.
func (id ID) String() string { return string(id) }

// Environment is the first part; "" for an ID that was never parsed.
func (id ID) Environment() string { return id.part(0) }

// App is the second part: the connector's ID.
func (id ID) App() string { return id.part(1) }

// Slug is the third part, unique within environment and app.
func (id ID) Slug() string { return id.part(2) }

func (id ID) part(n int) string {
	parts := strings.Split(string(id), "/")
	if len(parts) != 3 {
		return ""
	}
	return parts[n]
}

// Bound cuts text to at most n bytes, at a rune, and marks the cut. It keeps
// foreign text from growing an error or a log line without limit.
func Bound(text string, n int) string {
	if len(text) <= n {
		return text
	}
	cut := n
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut] + "…"
}
