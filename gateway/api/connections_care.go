package api

import (
	"context"
	"net/http"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

// Reasoned is a body that may say why.
type Reasoned struct {
	Reason string `json:"reason,omitempty" maxLength:"300" doc:"Why, for the connection's history. Never a secret. Optional."`
}

// Tested is what became of a test.
type Tested struct {
	Passed     bool     `json:"passed" doc:"The app says that the credential works."`
	Status     string   `json:"status" doc:"The connection's status after it."`
	Test       string   `json:"test,omitempty" doc:"What was tested."`
	Untestable bool     `json:"untestable,omitempty" doc:"The app offers nothing to test with; this is not a pass."`
	Identity   Identity `json:"identity,omitzero" doc:"Whose account it is."`
	Scopes     []string `json:"scopes,omitempty" doc:"The scopes that are granted."`
	Problem    *Problem `json:"problem,omitempty" doc:"Why it did not pass."`
}

// Refreshed is what became of a refresh.
type Refreshed struct {
	Status     string    `json:"status" doc:"The connection's status after it."`
	Generation int       `json:"generation" doc:"Counts the credentials of this grant."`
	Expires    time.Time `json:"expires,omitzero" doc:"When the new credential ends; left out where that is not known."`
}

// Change is what a connection can be told to be otherwise. What is left out stays.
type Change struct {
	DisplayName *string       `json:"display_name,omitempty" minLength:"1" maxLength:"200" doc:"A new name for people."`
	Policy      *PolicyChange `json:"policy,omitempty" doc:"How it is to look after itself."`
}

// PolicyChange changes parts of a policy.
type PolicyChange struct {
	Idle       *string `json:"idle,omitempty" enum:"keep-fresh,on-demand" doc:"What is done while nobody uses it."`
	ProbeEvery *int    `json:"probe_every_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"How often it is tested, in seconds: a minute to thirty days; 0 is the app's own interval."`
	// Expires is a pointer to text, so that "" can take it back.
	Expires *string `json:"expires,omitempty" maxLength:"40" example:"2027-01-31T00:00:00Z" doc:"When the present credential ends, where a person knows it; \"\" takes it back."`
}

// Disconnected is what became of a disconnect.
type Disconnected struct {
	Revocation string `json:"revocation" example:"revoked" doc:"revoked; not-offered and nothing-to-revoke, where the app ends no grants; shared, while another connection is of the same grant; pending, while the app has not answered; given-up, after a day of trying."`
}

type (
	careInput struct {
		ConnectionPath
		Keyed
	}
	reasonInput struct {
		ConnectionPath
		Keyed
		Body *Reasoned
	}
	changeInput struct {
		ConnectionPath
		Keyed
		Body Change
	}
	disconnectInput struct {
		ConnectionPath
		Keyed
		Reason string `query:"reason" maxLength:"300" doc:"Why, for the connection's history. Optional."`
	}
	testedAnswer       struct{ Body Tested }
	refreshedAnswer    struct{ Body Refreshed }
	disconnectedAnswer struct{ Body Disconnected }
)

func (in *reasonInput) reason() string {
	if in.Body == nil {
		return ""
	}
	return in.Body.Reason
}

func (a *api) registerCare() {
	care := func(id, method, path, summary, description string) operation {
		return operation{id: id, method: method, path: onePath + path, tag: "Connections", role: access.Operator, summary: summary, description: description}
	}
	register(a, care("test-connection", http.MethodPost, "/test", "Test a connection",
		"Asks the app now whether the connection works. A test that fails is an answer, not an error."), a.testConnection)
	register(a, care("refresh-connection", http.MethodPost, "/refresh", "Renew the credential",
		"Renews the credential now. InvalidInput where there is nothing to renew it with."), a.refreshConnection)
	register(a, care("pause-connection", http.MethodPost, "/pause", "Pause a connection",
		"Stops everything that is asked of the app, and refuses actions from now on."),
		func(ctx context.Context, in *reasonInput) (*nothing, error) {
			id, err := in.id()
			if err != nil {
				return nil, err
			}
			return nil, at(ctx).Client.Pause(ctx, id, in.reason())
		})
	register(a, care("resume-connection", http.MethodPost, "/resume", "Resume a connection", "Ends a pause."),
		func(ctx context.Context, in *reasonInput) (*nothing, error) {
			id, err := in.id()
			if err != nil {
				return nil, err
			}
			return nil, at(ctx).Client.Resume(ctx, id, in.reason())
		})
	register(a, care("change-connection", http.MethodPatch, "", "Change name or policy",
		"Changes the display name, the policy, or both, and answers the connection as it then is. What is left out stays."), a.changeConnection)
	register(a, care("disconnect", http.MethodDelete, "", "Disconnect",
		"Revokes the grant at the app where it offers that, destroys the credential and ends the connection. Its ID is free again then."),
		func(ctx context.Context, in *disconnectInput) (*disconnectedAnswer, error) {
			id, err := in.id()
			if err != nil {
				return nil, err
			}
			result, err := at(ctx).Client.Disconnect(ctx, id, in.Reason)
			return &disconnectedAnswer{Disconnected(result)}, err
		})
}

func (a *api) testConnection(ctx context.Context, in *careInput) (*testedAnswer, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	result, err := at(ctx).Client.Test(ctx, id)
	out := Tested{Passed: result.Passed, Status: string(result.Status), Problem: partOf(result.Problem)}
	if report := result.Report; report != nil {
		out.Test, out.Untestable, out.Identity, out.Scopes = report.Tested, report.Untestable, Identity(report.Identity), report.Scopes
	}
	return &testedAnswer{out}, err
}

func (a *api) refreshConnection(ctx context.Context, in *careInput) (*refreshedAnswer, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	result, err := at(ctx).Client.Refresh(ctx, id)
	return &refreshedAnswer{Refreshed{string(result.Status), result.Generation, result.Expires}}, err
}

func (a *api) changeConnection(ctx context.Context, in *changeInput) (*detailsAnswer, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	client := at(ctx).Client
	if change := in.Body.Policy; change != nil {
		policy, err := change.policy()
		if err != nil {
			return nil, err
		}
		if _, err := client.SetPolicy(ctx, id, policy); err != nil {
			return nil, err
		}
	}
	if name := in.Body.DisplayName; name != nil {
		if err := client.Rename(ctx, id, *name); err != nil {
			return nil, err
		}
	}
	d, err := client.Describe(ctx, id)
	return &detailsAnswer{detailsOf(d)}, err
}

func (c *PolicyChange) policy() (workflows.SetPolicy, error) {
	var out workflows.SetPolicy
	if c.Idle != nil {
		idle := connection.IdlePolicy(*c.Idle)
		out.Idle = &idle
	}
	if c.ProbeEvery != nil {
		every := time.Duration(*c.ProbeEvery) * time.Second
		out.ProbeEvery = &every
	}
	if c.Expires != nil {
		var expires time.Time
		if *c.Expires != "" {
			var err error
			if expires, err = time.Parse(time.RFC3339, *c.Expires); err != nil {
				return out, connection.InvalidInput("policy.expires", "this is not a time", "write it as 2027-01-31T00:00:00Z")
			}
		}
		out.Expires = &expires
	}
	return out, nil
}
