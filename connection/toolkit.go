package connection

import (
	"slices"
	"strings"
)

// ToolkitRef names a toolkit of a connection, as
// "<environment>/<app>/<slug>/<toolkit>"; the last part may be left out for the
// default one. The zero value names none.
type ToolkitRef struct {
	Connection ID
	Toolkit    string
}

// ParseToolkitRef is the inverse of [ToolkitRef.String], and takes the short form
// too. It fails with ErrInvalidInput, naming the field.
func ParseToolkitRef(field, text string) (ToolkitRef, error) {
	ref := ToolkitRef{Toolkit: DefaultToolkit}
	whole := text
	if parts := strings.Split(text, "/"); len(parts) == 4 {
		whole, ref.Toolkit = strings.Join(parts[:3], "/"), parts[3]
	}
	id, err := ParseID(whole)
	if err == nil {
		err = CheckSlug(field, ref.Toolkit)
	}
	if err != nil {
		return ToolkitRef{}, InvalidInput(field, "this names no toolkit", "write ENVIRONMENT/APP/NAME or ENVIRONMENT/APP/NAME/TOOLKIT, such as production/github/acme-bot/read-only")
	}
	ref.Connection = id
	return ref, nil
}

// String is the long form.
func (r ToolkitRef) String() string { return r.Connection.String() + "/" + r.Toolkit }

// MarshalText is the long form.
func (r ToolkitRef) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is [ParseToolkitRef].
func (r *ToolkitRef) UnmarshalText(text []byte) (err error) {
	*r, err = ParseToolkitRef("toolkit", string(text))
	return err
}

// SortToolkits puts references in the order of their text, and drops repetitions.
func SortToolkits(refs []ToolkitRef) []ToolkitRef {
	refs = slices.Clone(refs)
	slices.SortFunc(refs, func(a, b ToolkitRef) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(refs)
}
