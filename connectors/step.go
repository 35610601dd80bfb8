package connectors

import "time"

// Step is one part of a login, or a request that follows one. It does exactly
// one of three things: send a request, ask a person, or sign a token.
type Step struct {
	// ID is a slug, unique within its list.
	ID string `yaml:"id"`
	// When is an expression over values; the step is skipped where it does not hold. "" always holds.
	When Expression `yaml:"when"`

	Request *StepRequest `yaml:"request"`
	Ask     *Ask         `yaml:"ask"`
	Sign    *Sign        `yaml:"sign"`

	// Credential puts the credential into the request as the method does. Nil is
	// true for follow-ups and logout, and false for the steps of a login.
	Credential *bool `yaml:"credential"`
	// OK is what success looks like. "" is any 2xx.
	OK Predicate `yaml:"ok"`
	// Refused says which failures mean that what a person gave is wrong. "" is
	// every 4xx but 408, 425 and 429.
	Refused Predicate `yaml:"refused"`
	// Error is where the provider's words about a failure stand. "" tries the usual places.
	Error Path `yaml:"error"`
	// Capture is what is kept of the answer, by name.
	Capture map[string]Capture `yaml:"capture"`
	// Choose offers a choice of what the answer lists; nil for none.
	Choose *Choose `yaml:"choose"`
}

// StepRequest is what a step sends.
type StepRequest struct {
	// Method is GET by default.
	Method  string          `yaml:"method"`
	URL     Template        `yaml:"url"`
	Query   map[string]Text `yaml:"query"`
	Headers map[string]Text `yaml:"headers"`
	// Body is JSON whose texts are templates; nil for none.
	Body any `yaml:"body"`
	// Encoding of the body is "json" (the default) or "form".
	Encoding string `yaml:"encoding"`
	// Basic adds HTTP Basic.
	Basic *BasicAuth `yaml:"basic"`
}

// Capture is one value kept of an answer.
type Capture struct {
	// From is a place in the body, "header:NAME" or "cookie:NAME".
	From Path `yaml:"from"`
	// Secret captures become token sets of their names; the others become values.
	Secret bool `yaml:"secret"`
	// Optional captures may be missing.
	Optional bool `yaml:"optional"`
	// Lifetime of a secret, where the answer does not tell; zero means it does not expire.
	Lifetime time.Duration `yaml:"lifetime"`
	// Expires is where the answer tells, and ExpiresForm how. "" is [FormSeconds].
	Expires     Path     `yaml:"expires"`
	ExpiresForm TimeForm `yaml:"expires_form"`
}

// Choose offers the person a choice. A single item is chosen without asking.
type Choose struct {
	// Title is the question.
	Title string `yaml:"title"`
	// Items is the list in the answer; ID and Label stand in each item.
	Items Path `yaml:"items"`
	ID    Path `yaml:"id"`
	Label Path `yaml:"label"`
	// Values are learnt from the chosen item.
	Values map[string]Path `yaml:"values"`
}

// Ask puts a question to the person who connects. What is answered is used by
// the following steps and not kept.
type Ask struct {
	Title  string  `yaml:"title"`
	Help   string  `yaml:"help"`
	Inputs []Input `yaml:"inputs"`
}

// Sign makes a token and keeps it as a secret.
type Sign struct {
	// Name of the secret.
	Name string `yaml:"name"`
	JWT  `yaml:",inline"`
}
