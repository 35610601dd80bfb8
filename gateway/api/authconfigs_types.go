package api

import (
	"time"

	"connectedapps/workflows"
)

// AuthConfigItem is an auth config in a list.
type AuthConfigItem struct {
	ID          string `json:"id" example:"development/github/acme" doc:"Environment, app and name: its path below /auth-configs."`
	Environment string `json:"environment" doc:"The environment it is of."`
	App         string `json:"app" doc:"The app's ID."`
	Name        string `json:"name" doc:"Its name, unique within environment and app."`
	AuthKind    string `json:"auth_kind,omitempty" doc:"The kind of authentication that it is for."`
	Status      string `json:"status" doc:"Active, Error once the app has refused the client, or Retired."`
	UsedBy      *int   `json:"used_by,omitempty" doc:"How many connections use it, where that was asked for."`
}

// AuthConfig is what is known of an auth config, without its secrets.
type AuthConfig struct {
	ID          string            `json:"id" example:"development/github/acme" doc:"Environment, app and name: its path below /auth-configs."`
	Environment string            `json:"environment" doc:"The environment it is of."`
	App         string            `json:"app" doc:"The app's ID."`
	Name        string            `json:"name" doc:"Its name."`
	Method      string            `json:"method" doc:"The app's way to authenticate that it is for."`
	AuthKind    string            `json:"auth_kind,omitempty" doc:"The kind of that method."`
	ClientID    string            `json:"client_id,omitempty" doc:"The client's public ID."`
	Public      bool              `json:"public,omitempty" doc:"The client has no secret."`
	Values      map[string]string `json:"values,omitempty" doc:"The inputs that are not secret."`
	Scopes      []string          `json:"scopes,omitempty" doc:"Scopes that are asked for instead of those that the actions need."`
	Status      string            `json:"status" doc:"Active, or Error once the app has refused the client."`
	Reason      string            `json:"reason,omitempty" doc:"Why it is refused."`
	Retired     bool              `json:"retired,omitempty" doc:"It serves the connections that it has and takes no new ones."`
	Created     time.Time         `json:"created,omitzero" doc:"When it was made."`
	Expires     time.Time         `json:"expires,omitzero" doc:"When its secrets end, where that is known."`
	Rotated     time.Time         `json:"rotated,omitzero" doc:"When its secrets were last replaced."`
	Proof       string            `json:"proof,omitempty" doc:"What those were proven by."`
	Users       []AuthConfigUser  `json:"users,omitempty" doc:"Connections that use it, those that work first; at most a hundred."`
	UsedBy      *int              `json:"used_by,omitempty" doc:"How many there are in all."`
}

// AuthConfigUser is a connection that uses an auth config.
type AuthConfigUser struct {
	Connection string `json:"connection" doc:"The connection's ID."`
	Status     string `json:"status" doc:"Its status."`
}

// AuthConfigRequest is a new auth config.
type AuthConfigRequest struct {
	Environment string            `json:"environment" maxLength:"63" example:"development" doc:"The environment it is for."`
	App         string            `json:"app" maxLength:"63" example:"github" doc:"The app's ID."`
	Name        string            `json:"name" maxLength:"63" example:"acme" doc:"A name of your choice."`
	Method      string            `json:"method,omitempty" maxLength:"63" doc:"One of the app's ways to authenticate; the recommended one when left out."`
	ClientID    string            `json:"client_id,omitempty" maxLength:"500" doc:"The client's public ID, for methods with a client registration."`
	Public      bool              `json:"public,omitempty" doc:"The client has no secret."`
	Values      map[string]string `json:"values,omitempty" maxProperties:"50" doc:"Inputs that are not secret, by name."`
	Scopes      []string          `json:"scopes,omitempty" maxItems:"200" doc:"Scopes to ask for instead of those that the actions need."`
	Secrets     Secrets           `json:"secrets,omitempty" maxProperties:"50" writeOnly:"true" doc:"client_secret and the method's secret client inputs; or the shared secrets, by input name."`
	Expires     *time.Time        `json:"expires,omitempty" nullable:"false" doc:"When the secrets end, where that is known; people are warned before."`
}

// Rotation replaces the secrets of an auth config.
type Rotation struct {
	Secrets  Secrets    `json:"secrets" minProperties:"1" maxProperties:"50" writeOnly:"true" doc:"The new secrets, by the names that they were created with; those left out stay."`
	ClientID string     `json:"client_id,omitempty" maxLength:"500" doc:"Makes sure that this is the client whose secret is replaced."`
	Expires  *time.Time `json:"expires,omitempty" nullable:"false" doc:"When the new secrets end, where that is known."`
}

// Rotated says how secrets were replaced.
type Rotated struct {
	Changed []string  `json:"changed" doc:"Names of the secrets that are others now."`
	Proof   string    `json:"proof" example:"connection development/github/acme-bot" doc:"What they were proven by: a connection, client-credentials, or unproven."`
	Reason  string    `json:"reason,omitempty" doc:"Why they are unproven."`
	Rotated time.Time `json:"rotated" doc:"When."`
	Expires time.Time `json:"expires,omitzero" doc:"When they end, where that is known."`
}

// Retirement says whether an auth config takes new connections.
type Retirement struct {
	Undo bool `json:"undo,omitempty" doc:"Let new connections use it again."`
}

func authConfigOf(s workflows.AuthConfigState) AuthConfig {
	return AuthConfig{ID: s.Environment + "/" + s.App + "/" + s.Name, Environment: s.Environment, App: s.App, Name: s.Name, Method: s.Method,
		AuthKind: s.Kind, ClientID: s.ClientID, Public: s.Public, Values: s.Values, Scopes: s.Scopes, Status: string(s.Status), Reason: s.Reason,
		Retired: s.Retired, Created: s.Created, Expires: s.Expires, Rotated: s.Rotated, Proof: s.Proof}
}

func valueOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
