package connectors

// Answers say what an API's answers mean. Every "" has a default that fits RFC 9110.
type Answers struct {
	// OK is the success predicate. "" is any 2xx.
	OK Predicate `yaml:"ok"`
	// Error is where the provider's own words about a failure stand. "" tries the usual places.
	Error Path `yaml:"error"`
	// Unauthorized holds for a credential that is not accepted, beside every 401.
	Unauthorized Predicate `yaml:"unauthorized"`
	// ScopeMissing holds for a credential that is good but does not cover the request.
	ScopeMissing Predicate `yaml:"scope_missing"`
	// RateLimited holds for answers that ask to wait, beside every 429.
	RateLimited Predicate `yaml:"rate_limited"`
	// Transient holds for trouble of the provider's own, beside every 5xx.
	Transient Predicate `yaml:"transient"`
	// Ambiguous holds for a failure after which a change may have happened
	// nevertheless. "" is 500, 502 and 504.
	Ambiguous Predicate `yaml:"ambiguous"`
	// Waits are tried in order to learn how long to wait, after Retry-After.
	Waits []WaitHint `yaml:"waits"`
}

// WaitHint is one place where a provider says how long to wait.
type WaitHint struct {
	Header string   `yaml:"header"`
	Body   Path     `yaml:"body"`
	Form   TimeForm `yaml:"form"`
}
