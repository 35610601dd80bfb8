// Package settings holds what a test may change while the sandbox runs: lifetimes, the rotation mode
// and every kind of trouble. Settings live in memory: a restart returns to the command line's.
package settings

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Rotation says what a refresh does to the refresh token it was given.
type Rotation string

const (
	// RotationStrict replaces the token; a second use revokes its family (RFC 9700 section 4.14.2).
	RotationStrict Rotation = "strict"
	// RotationGrace replaces it, but answers a second use within Grace with another new pair;
	// a use after that revokes the family.
	RotationGrace Rotation = "grace"
	// RotationGraceSame answers a second use within Grace with the very pair it was answered first.
	RotationGraceSame Rotation = "grace_same"
	// RotationGraceOld answers a second use within Grace with a new access token and the very refresh token presented,
	// which is thereby good again, as if unused; the one it was replaced by stays good too. A use after that revokes
	// the family.
	RotationGraceOld Rotation = "grace_old"
	// RotationSuccessor lets a replaced token go on answering new pairs until one of its successors is used. From then
	// on it and its other successors are dead, and using one of them revokes the family.
	RotationSuccessor Rotation = "successor"
	// RotationUnexpired refuses a refresh while the newest access token has more than EarlyRefresh to live, with the
	// answer of a provider that does so: 400 access_denied. Nothing is touched by it; otherwise it is RotationStrict.
	RotationUnexpired Rotation = "unexpired"
	// RotationNone answers the same refresh token again, which stays good.
	RotationNone Rotation = "none"
	// RotationOmit answers no refresh token at all; the one presented stays good (RFC 6749 section 6).
	RotationOmit Rotation = "omit"
)

// Rotations are all of them.
var Rotations = []Rotation{
	RotationStrict, RotationGrace, RotationGraceSame, RotationGraceOld, RotationSuccessor, RotationUnexpired, RotationNone, RotationOmit,
}

// Replaces reports whether a refresh retires the token it was given.
func (r Rotation) Replaces() bool { return r != RotationNone && r != RotationOmit }

// Duration is a time.Duration written as Go writes it ("20s") in JSON.
type Duration time.Duration

// Std is the standard library's form.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// MarshalJSON writes "20s".
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads "20s" and refuses a bare number, whose unit nobody could know, and anything negative.
func (d *Duration) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf("a duration is a string such as \"20s\": %w", err)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	if parsed < 0 {
		return fmt.Errorf("duration %q is negative", text)
	}
	*d = Duration(parsed)
	return nil
}

// RateLimit is the budget of GET /api/v1/limited: Requests per fixed Window and account.
type RateLimit struct {
	Requests int      `json:"requests"`
	Window   Duration `json:"window"`
}

// Settings is all of it. Zero durations mean "no delay", or for RefreshTTL and RefreshIdle "no limit".
type Settings struct {
	AccessTTL Duration `json:"access_ttl"`
	// RefreshTTL counts from the authorization, RefreshIdle from the last refresh; the sooner ends the token.
	RefreshTTL  Duration `json:"refresh_ttl"`
	RefreshIdle Duration `json:"refresh_idle"`
	CodeTTL     Duration `json:"code_ttl"`
	Rotation    Rotation `json:"rotation"`
	Grace       Duration `json:"grace"`
	// EarlyRefresh is how long before the end of the access token RotationUnexpired accepts a refresh.
	EarlyRefresh Duration `json:"early_refresh"`

	// DeviceInterval is the least time between two polls of a device, DeviceTTL how long its codes live (RFC 8628).
	DeviceInterval Duration `json:"device_interval"`
	DeviceTTL      Duration `json:"device_ttl"`
	// NonceTTL is how long a nonce of HTTP Digest is good, TicketTTL how long a login waits for its code.
	NonceTTL  Duration `json:"nonce_ttl"`
	TicketTTL Duration `json:"ticket_ttl"`
	// Organisations is how many a person belongs to, by account; nobody in it belongs to one. OAuth tokens of a person
	// with several must name one in each API request.
	Organisations map[string]int `json:"organisations,omitempty"`

	// TokenDelay passes before the token endpoint does anything; TokenAnswerDelay after it has done it all.
	TokenDelay        Duration `json:"token_delay"`
	TokenAnswerDelay  Duration `json:"token_answer_delay"`
	FailTokenRequests Failure  `json:"fail_token_requests"`
	FailRevocations   Failure  `json:"fail_revocations"`
	// FailAPI makes requests of the API fail. With After only those that were carried out count.
	FailAPI Failure `json:"fail_api"`
	// DenyRefresh, when set, is the OAuth error code every refresh is refused with, untouched otherwise.
	DenyRefresh string `json:"deny_refresh"`

	APIDelay  Duration  `json:"api_delay"`
	Down      bool      `json:"down"`
	RateLimit RateLimit `json:"rate_limit"`
}

// Default is a provider in good health with hour-long access tokens and strict rotation.
func Default() Settings {
	return Settings{
		AccessTTL:  Duration(time.Hour),
		RefreshTTL: Duration(30 * 24 * time.Hour),
		CodeTTL:    Duration(time.Minute),
		Rotation:   RotationStrict,
		Grace:      Duration(10 * time.Second),
		// Exact Online accepts a refresh 30 seconds before the end of the access token.
		EarlyRefresh: Duration(30 * time.Second),

		DeviceInterval: Duration(time.Second),
		DeviceTTL:      Duration(10 * time.Minute),
		NonceTTL:       Duration(5 * time.Second),
		TicketTTL:      Duration(5 * time.Minute),

		RateLimit: RateLimit{Requests: 5, Window: Duration(10 * time.Second)},
	}
}

// Validate names the first setting that makes no sense.
func (s Settings) Validate() error {
	if !slices.Contains(Rotations, s.Rotation) {
		return fmt.Errorf("rotation %q is none of %v", s.Rotation, Rotations)
	}
	if s.AccessTTL.Std() < time.Second {
		return fmt.Errorf("access_ttl %s is below one second, the grain of expires_in", s.AccessTTL.Std())
	}
	if s.CodeTTL <= 0 {
		return fmt.Errorf("code_ttl must be positive")
	}
	if s.DeviceInterval.Std() < time.Second || s.DeviceTTL.Std() < time.Second {
		return fmt.Errorf("device_interval and device_ttl are at least 1s, the grain of their answers")
	}
	if s.NonceTTL <= 0 || s.TicketTTL <= 0 {
		return fmt.Errorf("nonce_ttl and ticket_ttl must be positive")
	}
	if s.RateLimit.Requests < 1 || s.RateLimit.Window.Std() < time.Second {
		return fmt.Errorf("rate_limit needs at least 1 request and a window of 1s")
	}
	for name, failure := range map[string]Failure{"fail_token_requests": s.FailTokenRequests, "fail_revocations": s.FailRevocations, "fail_api": s.FailAPI} {
		if err := failure.validate(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Failure makes the next Count requests of an endpoint fail; a negative Count fails them all.
type Failure struct {
	Count  int `json:"count"`
	Status int `json:"status"`
	// After lets the endpoint do its work (a refresh token is rotated) before the answer is lost.
	After bool `json:"after"`
	// Drop closes the connection without an answer instead of sending Status.
	Drop bool `json:"drop"`
	// GrantType limits a token failure to one grant type; empty means any.
	GrantType string `json:"grant_type,omitempty"`
	// Path and Method limit a failure of the API to one path ("/api/v1/contacts") and one method; empty means any.
	Path   string `json:"path,omitempty"`
	Method string `json:"method,omitempty"`
	// RetryAfter, when set, is sent as Retry-After in whole seconds.
	RetryAfter Duration `json:"retry_after"`
}

func (f Failure) validate() error {
	if f.Count == 0 || f.Drop {
		return nil
	}
	if f.Status < http.StatusBadRequest || f.Status > 599 {
		return fmt.Errorf("status %d is no error status, and drop is not set", f.Status)
	}
	return nil
}

func (f Failure) appliesTo(grantType string) bool {
	return f.Count != 0 && (f.GrantType == "" || f.GrantType == grantType)
}
