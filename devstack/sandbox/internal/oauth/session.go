package oauth

import (
	"maps"
	"time"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/clock"
	"connectedapps/devstack/sandbox/internal/settings"
)

// lifetimes decides when tokens end: by the sandbox's clock and the settings of the moment, both of which the
// library knows nothing of.
type lifetimes struct {
	clock clock.Clock
	live  *settings.Live
}

// expiry is when a token issued now ends; the zero time means never.
func (l *lifetimes) expiry(kind fosite.TokenType, authorizedAt time.Time, current settings.Settings) time.Time {
	now := l.clock.Now()
	switch kind {
	case fosite.AccessToken:
		return now.Add(current.AccessTTL.Std())
	case fosite.AuthorizeCode:
		return now.Add(current.CodeTTL.Std())
	case fosite.RefreshToken:
		return sooner(end(authorizedAt, current.RefreshTTL), end(now, current.RefreshIdle))
	default:
		return time.Time{}
	}
}

func end(from time.Time, after settings.Duration) time.Time {
	if after == 0 {
		return time.Time{}
	}
	return from.Add(after.Std())
}

// sooner treats the zero time as never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// session is what the library carries from the consent to every token that comes of it.
type session struct {
	Subject      string                         `json:"subject"`
	AuthorizedAt time.Time                      `json:"authorized_at"`
	Expires      map[fosite.TokenType]time.Time `json:"expires"`
	lifetimes    *lifetimes
	// inForce are the settings of the family that is refreshed; nil for those of the moment.
	inForce *settings.Settings
}

func (l *lifetimes) newSession(subject string) *session {
	return &session{Subject: subject, AuthorizedAt: l.clock.Now(), Expires: map[fosite.TokenType]time.Time{}, lifetimes: l}
}

// SetExpiresAt ignores the moment the library reckoned (by the system's clock, rounded to a second).
func (s *session) SetExpiresAt(kind fosite.TokenType, _ time.Time) {
	current := s.lifetimes.live.Current()
	if s.inForce != nil {
		current = *s.inForce
	}
	s.Expires[kind] = s.lifetimes.expiry(kind, s.AuthorizedAt, current)
}

// GetExpiresAt translates to the system's clock, with which the library compares it.
func (s *session) GetExpiresAt(kind fosite.TokenType) time.Time {
	at := s.Expires[kind]
	if at.IsZero() {
		return at
	}
	return time.Now().UTC().Add(at.Sub(s.lifetimes.clock.Now()))
}

// SetSubject names whom a grant without a consent page turned out to be for.
func (s *session) SetSubject(subject string) { s.Subject = subject }

func (s *session) GetUsername() string { return s.Subject }
func (s *session) GetSubject() string  { return s.Subject }

func (s *session) Clone() fosite.Session {
	clone := *s
	clone.Expires = maps.Clone(s.Expires)
	return &clone
}
