package connection

import (
	"errors"
	"time"
)

// What a store of documents may answer besides a Problem.
var (
	// ErrVersionConflict: somebody else wrote since the version given. Read again and decide anew.
	ErrVersionConflict = errors.New("the stored version is another one")
	// ErrAbsent: nothing is stored under that name.
	ErrAbsent = errors.New("nothing is stored there")
)

// Document is all that is known of one credential, kept as one entry in Vault
// and changed only by compare-and-set on the entry's version.
type Document struct {
	Grant      string
	Generation int
	Credential Credential
	// RefreshedBy is the fencing token of whoever wrote this generation.
	RefreshedBy string
	// Intent is set while somebody spends the refresh token.
	Intent *Intent
	// Rejected is set once the provider has said that this generation is dead.
	Rejected *Rejection
	// Gate is the Connection's projection for whoever acts.
	Gate Gate
	// Login is nil once the credential is complete.
	Login *Login
	// AuthConfig is the slug of the auth config the grant was made with; "" for none.
	AuthConfig string
	// Asked are the scopes that were asked for. Where no token is spent to get
	// another, they are asked for again.
	Asked []string
	// Tenant is the organisation, workspace or site of the account that the grant is
	// for, as a person chose it or the app told it; "" where that is not known.
	Tenant string
	// TenantLabel is how a person recognises it; "" where only its ID is known.
	TenantLabel string
}

// Identified is whose credential it is, as far as the document alone knows.
func (d Document) Identified() Identity {
	return Identity{Tenant: d.Tenant, TenantLabel: d.TenantLabel}
}

// Login is how far obtaining a credential has come that takes several requests.
// The document of a candidate holds it until the last one is done.
type Login struct {
	// Stage is "grant", "steps" or "follow-up"; "" after the last.
	Stage string `json:"stage"`
	// Step is the one to go on with; "" is the first of the stage.
	Step string `json:"step,omitempty"`
	// Choices wait for a person to choose one, by ID; Title is the question. What
	// Stage and Step say comes after the choice, and a Stage of "" is the end.
	Choices []Choice `json:"choices,omitempty"`
	Title   string   `json:"title,omitempty"`
}

// Choice is one of several accounts that a credential reaches.
type Choice struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	// Values are learnt when it is chosen.
	Values map[string]string `json:"values,omitempty"`
}

// Intent announces that a refresh token is about to be spent. It is written
// before the token leaves for the provider, so that a crash in between is known.
type Intent struct {
	// Attempt is the fencing token of the spender.
	Attempt string
	// Fingerprint identifies the token to be spent without revealing it.
	Fingerprint string
	// Budget is how long the spender may take. Age is counted from when Vault stored the intent.
	Budget time.Duration
	// Presentations counts how often this token was given to the provider: 1, or 2 after a crash.
	Presentations int
}

// Rejection records the provider's final word on one generation.
type Rejection struct {
	Generation int     `json:"generation"`
	Verdict    Verdict `json:"verdict"`
	Reason     string  `json:"reason"`
}

// Gate answers what an action must know beyond the credential itself, so that
// one read of Vault is enough. Only the Connection writes it.
type Gate struct {
	Status   Status              `json:"status"`
	Reason   string              `json:"reason,omitempty"`
	Grant    string              `json:"grant"`
	Toolkits map[string][]string `json:"toolkits,omitempty"`
	// Closed is set while a disconnect is under way.
	Closed bool `json:"closed,omitempty"`
}

// Stored is a document as it was read, with what Vault knows about it.
type Stored struct {
	Document
	// Version is Vault's, for compare-and-set.
	Version int
	// WrittenAt is when this version was stored, on Vault's clock.
	WrittenAt time.Time
	Clock     Clock
	Facts     Facts
}

// Age is how long ago the version was stored, by Vault's own clock.
func (s Stored) Age() time.Duration { return s.Clock.Now().Sub(s.WrittenAt) }

// Clock is Vault's clock as it was told with an answer. Stored times are compared
// with it and never with the worker's own clock, which may be wrong by minutes.
type Clock struct{ vault, local time.Time }

// ClockAt is a clock that reads what Vault said just now.
func ClockAt(vault time.Time) Clock { return Clock{vault: vault, local: time.Now()} }

// Now is the time on Vault's clock. Only the time elapsed since the answer is the
// worker's, and that is measured by its monotonic clock.
func (c Clock) Now() time.Time { return c.vault.Add(time.Since(c.local)) }

// Facts are the soft facts of a connection: patched without a new version, so
// that they never disturb a compare-and-set. All are in Vault's time; zero means never.
type Facts struct {
	LastOK       time.Time `json:"last_ok,omitzero"`
	LastProbe    time.Time `json:"last_probe,omitzero"`
	LastRefresh  time.Time `json:"last_refresh,omitzero"`
	LastUsed     time.Time `json:"last_used,omitzero"`
	FailingSince time.Time `json:"failing_since,omitzero"`
}

// Fact names one soft fact.
type Fact string

// The soft facts, as they are called in Vault.
const (
	FactLastOK       Fact = "last_ok"
	FactLastProbe    Fact = "last_probe"
	FactLastRefresh  Fact = "last_refresh"
	FactLastUsed     Fact = "last_used"
	FactFailingSince Fact = "failing_since"
)
