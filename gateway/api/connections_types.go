package api

import (
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// Connection is a connection in a list.
type Connection struct {
	ID          string   `json:"id" example:"development/github/acme-bot" doc:"Its ID, which is its path below /connections and never changes."`
	App         string   `json:"app" doc:"The app's ID."`
	Name        string   `json:"name" doc:"Its display name."`
	Environment string   `json:"environment" doc:"The environment it is of."`
	Status      string   `json:"status" example:"Active" doc:"Pending, Active, Expired (a person must reconnect), Error (needs attention, may heal), Paused or Disconnecting."`
	AuthKind    string   `json:"auth_kind,omitempty" doc:"The kind of authentication."`
	Account     string   `json:"account,omitempty" doc:"Whose account it is, as people recognise it."`
	Owner       string   `json:"owner,omitempty" doc:"The end user or team that it belongs to."`
	AuthConfig  string   `json:"auth_config,omitempty" doc:"The name of the auth config that it uses."`
	Toolkits    []string `json:"toolkits" doc:"Names of its toolkits."`
	// LastUsed is exact to the hour in lists.
	LastUsed time.Time `json:"last_used,omitzero" doc:"When an action last ran, exact to the hour; left out when never."`
	Expires  time.Time `json:"expires,omitzero" doc:"When access ends that nothing renews; left out where there is no such end."`
	Created  time.Time `json:"created" doc:"When it was made."`
}

func rowOf(row workflows.Row) Connection {
	return Connection{ID: row.ID.String(), App: row.App, Name: row.Name, Environment: row.Environment, Status: string(row.Status),
		AuthKind: string(row.AuthKind), Account: row.Account, Owner: row.Owner, AuthConfig: row.AuthConfig, Toolkits: listOf(row.Toolkits),
		LastUsed: row.LastUsed, Expires: row.Expires, Created: row.Created}
}

// Identity says whose account a credential belongs to.
type Identity struct {
	Account     string `json:"account,omitempty" doc:"The app's stable identifier of the account."`
	Label       string `json:"label,omitempty" doc:"What a person recognises: a name or an address."`
	Tenant      string `json:"tenant,omitempty" doc:"The organisation, workspace or site, where one account reaches several."`
	TenantLabel string `json:"tenant_label,omitempty" doc:"How a person recognises the tenant."`
}

// Details is everything that is known of a connection.
type Details struct {
	ID          string            `json:"id" example:"development/github/acme-bot" doc:"Its ID, which is its path below /connections."`
	DisplayName string            `json:"display_name" doc:"Its name for people."`
	Owner       string            `json:"owner,omitempty" doc:"The end user or team that it belongs to."`
	Method      string            `json:"method,omitempty" doc:"The app's way to authenticate that it uses, by ID."`
	AuthKind    string            `json:"auth_kind,omitempty" doc:"The kind of that method."`
	AuthConfig  string            `json:"auth_config,omitempty" doc:"The name of the auth config that it uses."`
	Values      map[string]string `json:"values,omitempty" doc:"The inputs that are not secret, as it was made with them."`
	Status      string            `json:"status" example:"Active" doc:"Pending, Active, Expired, Error, Paused or Disconnecting."`
	Verdict     string            `json:"verdict,omitempty" doc:"What the app's last answer means."`
	Reason      string            `json:"reason,omitempty" doc:"Why the status is not Active."`
	Remedy      string            `json:"remedy,omitempty" doc:"What a person can do about it."`
	Identity    Identity          `json:"identity,omitzero" doc:"Whose account it is."`
	Scopes      []string          `json:"scopes,omitempty" doc:"The scopes that were granted."`
	Lost        []string          `json:"lost,omitempty" doc:"Scopes that the app granted once and no longer does."`
	Expires     time.Time         `json:"expires,omitzero" doc:"When a person must have acted at the latest."`
	Ending      string            `json:"ending,omitempty" doc:"What ends then."`
	Work        *WorkTrouble      `json:"work,omitempty" doc:"What its actions keep meeting, until one succeeds."`
	Toolkits    []Toolkit         `json:"toolkits" doc:"Its toolkits."`
	Renewable   bool              `json:"renewable" doc:"Its credential can be renewed without a person."`
	Policy      Policy            `json:"policy" doc:"How it looks after itself."`
	Alerts      []OpenAlert       `json:"alerts" doc:"Alerts that are open about it."`
	Reconnect   *OpenReconnect    `json:"reconnect,omitempty" doc:"The reconnect that is under way."`
	Transitions []Transition      `json:"transitions" doc:"Its last hundred changes, the oldest first."`
	Created     time.Time         `json:"created,omitzero" doc:"When it was made."`
	LastUsed    time.Time         `json:"last_used,omitzero" doc:"When an action last ran."`
	LastTested  time.Time         `json:"last_tested,omitzero" doc:"When the app was last asked whether it works."`
	LastRefresh time.Time         `json:"last_refresh,omitzero" doc:"When its credential was last renewed."`
	NextLook    time.Time         `json:"next_look,omitzero" doc:"When it looks after itself next; left out while nothing is due."`
	LastLook    string            `json:"last_look,omitempty" doc:"What the last look said that found nothing new."`
}

// WorkTrouble is what actions have met again and again.
type WorkTrouble struct {
	Verdict string    `json:"verdict" doc:"What the app's answers mean."`
	Reason  string    `json:"reason" doc:"What they said last."`
	Count   int       `json:"count" doc:"How many attempts have failed."`
	Since   time.Time `json:"since" doc:"The first failure."`
	Last    time.Time `json:"last" doc:"The last failure."`
}

// Toolkit is a named selection of a connection's actions.
type Toolkit struct {
	Name    string   `json:"name" example:"default" doc:"Its name, unique within the connection."`
	Actions []string `json:"actions" doc:"IDs of its actions, sorted."`
}

// Policy is how a connection looks after itself.
type Policy struct {
	Idle       string    `json:"idle" enum:"keep-fresh,on-demand" doc:"keep-fresh renews and tests by itself; on-demand only when the connection is used, or before the app would forget it."`
	ProbeEvery int       `json:"probe_every_seconds" doc:"How often it is tested, in seconds; 0 is the app's own interval."`
	Expires    time.Time `json:"expires,omitzero" doc:"When the credential ends, where a person has said so."`
}

// OpenAlert is an alert of a connection that is not over.
type OpenAlert struct {
	ID     string    `json:"id" example:"alert/development/github/acme-bot/expired-1" doc:"The alert's ID."`
	Kind   string    `json:"kind" example:"expired" doc:"What it is about."`
	Reason string    `json:"reason" doc:"What is wrong."`
	Since  time.Time `json:"since" doc:"When the trouble began."`
}

// OpenReconnect is a reconnect that is under way.
type OpenReconnect struct {
	RequestedBy string    `json:"requested_by,omitempty" doc:"Who asked for it."`
	Since       time.Time `json:"since" doc:"When it began."`
}

// Transition is one change of a connection.
type Transition struct {
	At     time.Time `json:"at" doc:"When."`
	What   string    `json:"what" doc:"A status, or what a person did."`
	Reason string    `json:"reason,omitempty" doc:"Why."`
}

func detailsOf(d workflows.Description) Details {
	look := d.Look
	out := Details{ID: d.ID.String(), DisplayName: d.DisplayName, Owner: d.Owner, Method: d.Method, AuthKind: string(d.Kind), AuthConfig: d.AuthConfig,
		Values: d.Values, Status: string(look.Status), Verdict: string(look.Verdict), Reason: look.Reason, Remedy: look.Remedy,
		Identity: Identity(look.Identity), Scopes: look.Scopes, Lost: look.Lost, Expires: look.Expires, Ending: look.Ending,
		Toolkits: []Toolkit{}, Renewable: d.Renewable, Policy: policyOf(d.Policy), Alerts: []OpenAlert{}, Transitions: []Transition{},
		Created: d.Created, LastUsed: later(d.Facts.LastUsed, look.LastUsed), LastTested: d.Facts.LastProbe, LastRefresh: d.Facts.LastRefresh,
		NextLook: d.NextLook, LastLook: d.LastLook}
	if w := look.Work; w != nil {
		out.Work = &WorkTrouble{string(w.Verdict), w.Reason, w.Count, w.Since, w.Last}
	}
	for _, toolkit := range d.Toolkits {
		out.Toolkits = append(out.Toolkits, toolkitOf(toolkit))
	}
	for _, alert := range d.Alerts.Open {
		out.Alerts = append(out.Alerts, OpenAlert{alert.WorkflowID, string(alert.News.Kind), alert.News.Reason, alert.Since})
	}
	if r := d.Reconnect; r != nil {
		out.Reconnect = &OpenReconnect{r.RequestedBy, r.Since}
	}
	for _, t := range d.Transitions {
		out.Transitions = append(out.Transitions, Transition(t))
	}
	return out
}

func later(one, other time.Time) time.Time {
	if one.After(other) {
		return one
	}
	return other
}

func toolkitOf(t connection.Toolkit) Toolkit { return Toolkit{t.Name, listOf(t.Actions)} }

func policyOf(p connection.Policy) Policy {
	out := Policy{string(p.Idle), int(p.ProbeEvery / time.Second), p.Expires}
	if out.Idle == "" {
		out.Idle = string(connection.KeepFresh)
	}
	return out
}
