package console

import (
	"slices"
	"strings"

	"connectedapps/connectors"
)

// level is an access level to choose.
type level struct{ Value, Title, Help string }

// tick is an action to choose.
type tick struct {
	*connectors.Action
	Ticked bool
	// Refused are scopes that it needs and that were not granted; it cannot be chosen then.
	Refused []string
}

// scope is a right that the app is asked for.
type scope struct {
	Name string
	// Allows says it in words; "" where nobody has described it.
	Allows string
	// For are titles of the actions that need it.
	For []string
}

// levelsOf are the access levels that make a difference for a method.
func levelsOf(actions []*connectors.Action) []level {
	if len(actions) == 0 {
		return nil
	}
	all := []level{{connectors.AccessReadWrite, "Read and write", "Every action of the app."}}
	if slices.ContainsFunc(actions, func(a *connectors.Action) bool { return !a.ReadOnly }) {
		all = append(all, level{connectors.AccessRead, "Read only", "Actions that change nothing."})
	} else {
		all[0] = level{connectors.AccessRead, "Read only", "Every action of the app; none of them changes anything."}
	}
	return append(all, level{connectors.AccessActions, "Chosen actions", "Only those that you tick."})
}

// offered are the actions that work with a method.
func offered(method *connectors.Method) []*connectors.Action {
	return slices.DeleteFunc(slices.Clone(method.App().Actions), func(a *connectors.Action) bool { return !a.OfferedBy(method) })
}

func ticksOf(actions []*connectors.Action, chosen []string) []tick {
	ticks := make([]tick, len(actions))
	for i, action := range actions {
		ticks[i] = tick{Action: action, Ticked: slices.Contains(chosen, action.ID)}
	}
	return ticks
}

// scopesOf says the scopes that follow from a choice of actions. instead are those of
// an auth config that asks for its own, whatever the actions are.
func scopesOf(method *connectors.Method, actions []*connectors.Action, instead []string) []scope {
	if method.OAuth == nil {
		return nil
	}
	names := method.ScopesFor(actions)
	if len(instead) > 0 {
		names = instead
	}
	var scopes []scope
	for _, name := range names {
		s := scope{Name: name, Allows: method.OAuth.Scopes.Describe[name]}
		for _, action := range actions {
			if slices.Contains(action.Scopes, name) {
				s.For = append(s.For, titleOf(action))
			}
		}
		scopes = append(scopes, s)
	}
	for parameter, named := range method.OAuth.Scopes.Parameters {
		for _, name := range named {
			scopes = append(scopes, scope{Name: parameter + ": " + name, Allows: method.OAuth.Scopes.Describe[name]})
		}
	}
	slices.SortFunc(scopes, func(a, b scope) int { return strings.Compare(a.Name, b.Name) })
	return scopes
}

func titleOf(action *connectors.Action) string {
	if action.Title != "" {
		return action.Title
	}
	return action.ID
}
