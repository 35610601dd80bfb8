package connection

import (
	"slices"
	"time"
)

// IdlePolicy says what is done for a connection that nobody uses.
type IdlePolicy string

const (
	// KeepFresh renews tokens in time and looks at the app at every probe interval. It is the default.
	KeepFresh IdlePolicy = "keep-fresh"
	// OnDemand asks the app nothing by itself: tokens are renewed when they are used,
	// or when the app would forget a refresh token that nobody presents.
	OnDemand IdlePolicy = "on-demand"
)

// Policy is how a connection looks after itself. The zero value is the default.
type Policy struct {
	// Idle is "" for [KeepFresh].
	Idle IdlePolicy `json:"idle,omitempty"`
	// ProbeEvery replaces the connector's probe interval; 0 leaves it. At least [ProbeMin].
	ProbeEvery time.Duration `json:"probe_every,omitempty"`
	// Expires is when the credential ends, where a person knows it and the app does
	// not tell, as of many API keys; zero when not known. A new credential clears it.
	Expires time.Time `json:"expires,omitzero"`
}

// ProbeMin is the shortest probe interval; ProbeMax the longest.
const (
	ProbeMin = time.Minute
	ProbeMax = 30 * 24 * time.Hour
)

// Check reports, as an ErrInvalidInput, what a policy cannot say.
func (p Policy) Check() error {
	if !slices.Contains([]IdlePolicy{"", KeepFresh, OnDemand}, p.Idle) {
		return InvalidInput("idle", "there is no such policy", `use "`+string(KeepFresh)+`" or "`+string(OnDemand)+`"`)
	}
	if p.ProbeEvery != 0 && (p.ProbeEvery < ProbeMin || p.ProbeEvery > ProbeMax) {
		return InvalidInput("probe_every", "this interval is not possible", "use one between a minute and thirty days, or 0 for the app's own")
	}
	return nil
}
