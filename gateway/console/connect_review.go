package console

import (
	"slices"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// review is what a person decides on before a toolkit is made.
type review struct {
	Ticks   []tick
	Granted []scope
	Missing []string
	Account string
}

// AllTicked reports whether everything that can be ticked is.
func (r review) AllTicked() bool {
	return !slices.ContainsFunc(r.Ticks, func(t tick) bool { return len(t.Refused) == 0 && !t.Ticked })
}

// reviewOf is what came back, and what can be allowed with it.
func (s *state) reviewOf() review {
	var r review
	if s.Test != nil {
		r.Account = accountOf(s.Test.Identity)
	}
	if s.Stored != nil {
		r.Missing = s.Stored.Missing
		if r.Account == "" {
			r.Account = accountOf(s.Stored.Identity)
		}
		for _, name := range s.Stored.Scopes {
			granted := scope{Name: name}
			if s.Way != nil && s.Way.OAuth != nil {
				granted.Allows = s.Way.OAuth.Scopes.Describe[name]
			}
			r.Granted = append(r.Granted, granted)
		}
	}
	if s.Plan == nil {
		return r
	}
	for _, id := range s.Plan.Actions {
		action := &connectors.Action{ID: id}
		if s.App != nil {
			if known, err := s.App.Action(id); err == nil {
				action = known
			}
		}
		t := tick{Action: action}
		for _, name := range action.Scopes {
			if slices.Contains(r.Missing, name) {
				t.Refused = append(t.Refused, name)
			}
		}
		t.Ticked = len(t.Refused) == 0
		r.Ticks = append(r.Ticks, t)
	}
	return r
}

// accountOf is whose account an identity is, as a person knows it.
func accountOf(i connection.Identity) string {
	account := i.Label
	if account == "" {
		account = i.Account
	}
	if tenant := i.TenantName(); tenant != "" {
		if account == "" {
			return tenant
		}
		account += " at " + tenant
	}
	return account
}
