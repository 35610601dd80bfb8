package settings

import (
	"bytes"
	"encoding/json"
	"sync"
)

// Live is the one copy of the settings in force. Safe for concurrent use.
type Live struct {
	mu      sync.Mutex
	initial Settings
	current Settings
}

// NewLive starts from initial, to which Reset returns. It refuses settings that do not validate.
func NewLive(initial Settings) (*Live, error) {
	if err := initial.Validate(); err != nil {
		return nil, err
	}
	return &Live{initial: initial, current: initial}, nil
}

// Current is a copy of the settings in force.
func (l *Live) Current() Settings {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// Merge changes the settings named in a JSON object and leaves the others as they are; within it,
// fail_token_requests, fail_revocations, fail_api and organisations are replaced whole. An unknown name or a value
// that does not validate changes nothing.
func (l *Live) Merge(object []byte) (Settings, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var named map[string]json.RawMessage
	if err := json.Unmarshal(object, &named); err != nil {
		return l.current, err
	}
	next := l.current
	if _, replaced := named["fail_token_requests"]; replaced {
		next.FailTokenRequests = Failure{}
	}
	if _, replaced := named["fail_revocations"]; replaced {
		next.FailRevocations = Failure{}
	}
	if _, replaced := named["fail_api"]; replaced {
		next.FailAPI = Failure{}
	}
	if _, replaced := named["organisations"]; replaced {
		next.Organisations = nil
	}
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&next); err != nil {
		return l.current, err
	}
	if err := next.Validate(); err != nil {
		return l.current, err
	}
	l.current = next
	return next, nil
}

// Reset returns to the settings the process was started with.
func (l *Live) Reset() Settings {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current = l.initial
	return l.current
}

// TakeTokenFailure spends one of the failures set for the token endpoint, if one applies.
func (l *Live) TakeTokenFailure(grantType string) (Failure, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return take(&l.current.FailTokenRequests, grantType)
}

// TakeRevocationFailure spends one of the failures set for the revocation endpoint.
func (l *Live) TakeRevocationFailure() (Failure, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return take(&l.current.FailRevocations, "")
}

// TakeAPIFailure spends one of the failures set for the API: of those that come before the work, or of those after it.
func (l *Live) TakeAPIFailure(method, path string, after bool) (Failure, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	failure := &l.current.FailAPI
	if failure.After != after || (failure.Path != "" && failure.Path != path) || (failure.Method != "" && failure.Method != method) {
		return Failure{}, false
	}
	return take(failure, "")
}

func take(failure *Failure, grantType string) (Failure, bool) {
	if !failure.appliesTo(grantType) {
		return Failure{}, false
	}
	taken := *failure
	if failure.Count > 0 {
		failure.Count--
	}
	return taken, true
}
