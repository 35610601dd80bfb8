package connectors

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
)

// Access levels, as a person chooses them when connecting.
const (
	AccessRead      = "read"       // every action without a side effect
	AccessReadWrite = "read-write" // every action
	AccessActions   = "actions"    // exactly the chosen ones
)

// defaultProbeInterval is used where a definition names none: often enough to
// notice a revoked key the same working day, seldom enough to cost no provider anything.
const defaultProbeInterval = 6 * time.Hour

// App is one definition: how to authenticate with a third-party product, how to
// test a credential, and what can be done with it. It is immutable once loaded
// and safe for concurrent use.
type App struct {
	ID         string   `yaml:"id"`
	Name       string   `yaml:"name"`
	Summary    string   `yaml:"summary"`
	Homepage   string   `yaml:"homepage"`
	DocsURL    string   `yaml:"docs"`
	Categories []string `yaml:"categories"`
	// Extends names a definition that this one is merged over, at every depth.
	Extends string `yaml:"extends"`
	// Abstract definitions are only there to be extended.
	Abstract bool `yaml:"abstract"`
	// Recovery are hints for a person whose connection died.
	Recovery []string `yaml:"recovery"`
	// Override allows a definition in a directory to replace an earlier one of the same ID.
	Override bool `yaml:"override"`
	// BaseURL is where the API lives; action paths are appended to it.
	BaseURL Template `yaml:"base_url"`
	// ExtraHosts are further origins that credentials of the app may be sent to.
	ExtraHosts []Template `yaml:"hosts"`
	// Headers go with every API request; one whose variables have no value is left out.
	Headers map[string]Text `yaml:"headers"`
	// Inputs are asked for by every method: of the auth config where the method
	// has a client registration, of the connection otherwise.
	Inputs []Input `yaml:"inputs"`
	// Budget of the API; nil when it has none that is known.
	Budget *Budget `yaml:"budget"`
	// Answers say what the API's answers mean.
	Answers Answers   `yaml:"answers"`
	Methods []*Method `yaml:"auth"`
	// Probe is nil when the app cannot be tested.
	Probe   *Probe    `yaml:"probe"`
	Actions []*Action `yaml:"actions"`
	// Digest identifies the definition's text: "sha256:" and 64 hexadecimal digits.
	Digest string `yaml:"-"`
	// Source is the file the definition was read from.
	Source string `yaml:"-"`
}

// Method finds a way to authenticate by ID, or by kind when no ID matches; ""
// is the first, which is the recommended one. It fails with ErrAuthKindNotOffered,
// listing what the app offers.
func (a *App) Method(id string) (*Method, error) {
	if id == "" {
		return a.Methods[0], nil
	}
	for _, m := range a.Methods {
		if m.ID == id {
			return m, nil
		}
	}
	for _, m := range a.Methods {
		if string(m.Kind) == id {
			return m, nil
		}
	}
	offered := make([]string, len(a.Methods))
	for i, m := range a.Methods {
		offered[i] = m.ID
	}
	return nil, connection.Refused(connection.ErrAuthKindNotOffered,
		fmt.Sprintf("%s does not offer %q", a.Name, connection.Bound(id, maxEcho)),
		"choose one of: "+strings.Join(offered, ", "))
}

// Action finds an action by ID. It fails with ErrUnknownAction, suggesting near names.
func (a *App) Action(id string) (*Action, error) {
	names := make([]string, len(a.Actions))
	for i, action := range a.Actions {
		if action.ID == id {
			return action, nil
		}
		names[i] = action.ID
	}
	return nil, connection.Refused(connection.ErrUnknownAction,
		fmt.Sprintf("%s has no action %q", a.Name, connection.Bound(id, maxEcho)), suggestion(id, names))
}

// ActionsFor resolves an access level among the actions that a method offers:
// [AccessRead] is every one without a side effect, [AccessReadWrite] every one,
// [AccessActions] exactly the chosen ones, in the definition's order and without
// repetition. It fails with ErrUnknownAction, or with ErrInvalidInput, as for a
// chosen action that the method does not offer.
func (a *App) ActionsFor(m *Method, access string, chosen []string) ([]*Action, error) {
	switch access {
	case AccessRead, AccessReadWrite:
		if len(chosen) > 0 {
			return nil, connection.InvalidInput("actions", "actions can be chosen only with the access level \"actions\"",
				"leave the list empty, or set the access level to \"actions\"")
		}
	case AccessActions:
		if len(chosen) == 0 {
			return nil, connection.InvalidInput("actions", "no action was chosen", "choose at least one action")
		}
	default:
		return nil, connection.InvalidInput("access",
			fmt.Sprintf("%q is not an access level", connection.Bound(access, maxEcho)), "use read, read-write or actions")
	}
	for _, id := range chosen {
		action, err := a.Action(id)
		if err != nil {
			return nil, err
		}
		if !action.OfferedBy(m) {
			return nil, action.notOffered(m)
		}
	}
	var out []*Action
	for _, action := range a.Actions {
		if !action.OfferedBy(m) {
			continue
		}
		if access == AccessReadWrite || access == AccessRead && action.ReadOnly || slices.Contains(chosen, action.ID) {
			out = append(out, action)
		}
	}
	return out, nil
}

// ProbeInterval is how often a connection of this app is tested when nothing else is due.
func (a *App) ProbeInterval() time.Duration {
	if a.Probe == nil || a.Probe.Interval == 0 {
		return defaultProbeInterval
	}
	return a.Probe.Interval
}

// baseURL resolves where the API lives.
func (a *App) baseURL(values map[string]string) (*url.URL, error) {
	return expandBase(a.BaseURL, values)
}

// origin is scheme, host and port of a URL, as compared for pinning.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return u.Scheme + "://" + strings.ToLower(bracketed(u.Hostname()))
	}
	return u.Scheme + "://" + strings.ToLower(bracketed(u.Hostname())) + ":" + port
}

// bracketed writes an IPv6 address as URLs do.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
