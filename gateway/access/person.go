package access

import (
	"context"
	"net/http"
	"slices"
	"time"

	"connectedapps/connection"
)

// Role is what somebody may do in one environment. Each includes those before it.
type Role string

const (
	// Viewer sees everything, and no secret.
	Viewer Role = "viewer"
	// Operator connects, repairs, uses and disconnects connections.
	Operator Role = "operator"
	// Admin manages auth configs, alert sinks and access tokens too.
	Admin Role = "admin"
)

// Roles lists every role, the least first.
func Roles() []Role { return []Role{Viewer, Operator, Admin} }

// rank orders roles; what is none is below all.
func (r Role) rank() int {
	switch r {
	case Viewer:
		return 1
	case Operator:
		return 2
	case Admin:
		return 3
	}
	return 0
}

// Includes reports whether the role may do what another may.
func (r Role) Includes(other Role) bool { return r.rank() >= other.rank() && other.rank() > 0 }

// Person is whoever a request comes from: a human with a browser, or a program with
// a token. The zero value is nobody and may do nothing.
type Person struct {
	// Subject identifies them in logs: never a secret.
	Subject string `json:"subject"`
	// Name is how people know them; "" shows the subject.
	Name string `json:"name,omitempty"`
	// Roles by environment; one that is missing may not be seen.
	Roles map[string]Role `json:"roles"`
	// Toolkits are all that an agent may use, as MCP tools; it has no role. Nil for everybody else.
	Toolkits []connection.ToolkitRef `json:"toolkits,omitempty"`
	// Created is when their access token was made, in Vault's time; zero for everybody else.
	Created time.Time `json:"-"`
	// ToolsOnly: the token is for the MCP server and for nothing else here.
	ToolsOnly bool `json:"-"`
	// FormToken must come back with every form of a browser's session; "" for a program,
	// whose token no other site can make a browser send.
	FormToken string `json:"-"`
	// Away are environments whose Vault cannot say just now which role the person has
	// there: what is listed for a person names them, instead of leaving them out.
	Away []string `json:"-"`
}

// Display is the name to show.
func (p Person) Display() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Subject
}

// May reports whether the person has a role in an environment.
func (p Person) May(environment string, role Role) bool { return p.Roles[environment].Includes(role) }

// Check is [Person.May] as an error, ErrNotAllowed, that says which role is wanted;
// ErrVaultUnavailable where that cannot be told just now.
func (p Person) Check(environment string, role Role) error {
	switch {
	case p.May(environment, role):
		return nil
	case slices.Contains(p.Away, environment):
		return connection.VaultUnavailable("the Vault of " + environment + " cannot say just now what you may do there")
	}
	return connection.Refused(connection.ErrNotAllowed, "this needs the role "+string(role)+" in "+connection.Bound(environment, 63),
		"ask an administrator of that environment")
}

// Authenticator finds out who a request comes from.
type Authenticator interface {
	// Identify answers the person; ErrNotSignedIn when the request carries nothing that
	// is good, and ErrVaultUnavailable when that cannot be told just now.
	Identify(r *http.Request) (Person, error)
}

type personKey struct{}

// With is a context in which [Of] answers the person.
func With(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// Of is the person of a request; the zero Person where nobody was identified.
func Of(ctx context.Context) Person {
	p, _ := ctx.Value(personKey{}).(Person)
	return p
}
