package settings

import "time"

// Family is what one family of tokens does differently from the settings in force. Absent fields follow those.
type Family struct {
	Rotation     *Rotation `json:"rotation,omitempty"`
	AccessTTL    *Duration `json:"access_ttl,omitempty"`
	Grace        *Duration `json:"grace,omitempty"`
	EarlyRefresh *Duration `json:"early_refresh,omitempty"`
}

// Merge takes over the fields that other has.
func (f Family) Merge(other Family) Family {
	replace(&f.Rotation, other.Rotation)
	replace(&f.AccessTTL, other.AccessTTL)
	replace(&f.Grace, other.Grace)
	replace(&f.EarlyRefresh, other.EarlyRefresh)
	return f
}

func replace[T any](field **T, with *T) {
	if with != nil {
		*field = with
	}
}

// For is the settings as they apply to a family.
func (s Settings) For(family Family) Settings {
	if family.Rotation != nil {
		s.Rotation = *family.Rotation
	}
	for _, field := range []struct {
		given  *Duration
		target *Duration
	}{{family.AccessTTL, &s.AccessTTL}, {family.Grace, &s.Grace}, {family.EarlyRefresh, &s.EarlyRefresh}} {
		if field.given != nil {
			*field.target = *field.given
		}
	}
	return s
}

// MayRefresh reports whether a refresh is accepted now of a family whose newest access token lives until then; the
// zero time is a token that no longer lives.
func (s Settings) MayRefresh(now, until time.Time) bool {
	return s.Rotation != RotationUnexpired || until.IsZero() || until.Sub(now) <= s.EarlyRefresh.Std()
}
