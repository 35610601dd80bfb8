package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

const (
	// tokenBytes is the entropy of a link: 200 bits.
	tokenBytes = 25
	// sessionBytes is that of a session's name, which is no secret.
	sessionBytes = 10
	// sessionLife is how long a link may be used unless the request says otherwise, in seconds.
	sessionLife = 1800
)

// SessionRequest asks for a link with which an end user connects by themselves.
type SessionRequest struct {
	Environment string            `json:"environment" maxLength:"63" example:"development" doc:"The environment of the connection."`
	App         string            `json:"app" maxLength:"63" example:"github" doc:"The app's ID."`
	Name        string            `json:"name,omitempty" maxLength:"63" doc:"The last part of the ID of the connection to be made; one is made up when left out."`
	DisplayName string            `json:"display_name,omitempty" maxLength:"200" doc:"The connection's name for people."`
	Owner       string            `json:"owner" minLength:"1" maxLength:"200" example:"user-4711" doc:"Your end user: whom the connection belongs to."`
	RequestedBy string            `json:"requested_by,omitempty" maxLength:"200" doc:"Who asks, as the end user reads it; your name when left out."`
	Method      string            `json:"method,omitempty" maxLength:"63" doc:"The way to authenticate; the end user's choice when left out."`
	AuthConfig  string            `json:"auth_config,omitempty" maxLength:"63" doc:"The name of the client registration to use."`
	Access      string            `json:"access,omitempty" enum:"read,read-write,actions" doc:"Which actions; the end user's choice when left out."`
	Actions     []string          `json:"actions,omitempty" maxItems:"500" doc:"The chosen actions, with access actions."`
	Toolkit     string            `json:"toolkit,omitempty" maxLength:"63" doc:"The name of the toolkit; default when left out."`
	Values      map[string]string `json:"values,omitempty" maxProperties:"50" doc:"Inputs that are not secret and are fixed, by name. Never a secret."`
	ReturnTo    string            `json:"return_to,omitempty" maxLength:"2000" format:"uri" doc:"Where the end user's browser is sent in the end. Its origin must be one that the operator of this gateway allows."`
	Notify      string            `json:"notify,omitempty" maxLength:"63" doc:"The name of the alert sink that is told how it ended."`
	ExpiresIn   int               `json:"expires_in,omitempty" minimum:"60" maximum:"86400" default:"1800" doc:"For how many seconds the link may be used."`
}

// Session is a connect session.
type Session struct {
	Session     string    `json:"session" doc:"Names the session."`
	Environment string    `json:"environment" doc:"Its environment."`
	Connection  string    `json:"connection" doc:"The ID of the connection to be made. It exists once the state is connected."`
	State       string    `json:"state" example:"open" doc:"open, claimed (the end user is choosing), connecting, connected, failed, cancelled or expired."`
	Owner       string    `json:"owner,omitempty" doc:"Your end user."`
	ReturnTo    string    `json:"return_to,omitempty" doc:"Where the browser is sent in the end."`
	Notify      string    `json:"notify,omitempty" doc:"The alert sink that is told how it ended."`
	Created     time.Time `json:"created,omitzero" doc:"When it was made."`
	Expires     time.Time `json:"expires" doc:"When the link can no longer be used."`
	Claimed     time.Time `json:"claimed,omitzero" doc:"When the link was used."`
	Ended       time.Time `json:"ended,omitzero" doc:"When it was over."`
	Status      string    `json:"status,omitempty" doc:"The connection's status, once it is connected."`
	Identity    Identity  `json:"identity,omitzero" doc:"Whose account was connected."`
	Problem     *Problem  `json:"problem,omitempty" doc:"Why the last connect came to nothing."`
}

// NewSessionLink is a session with its link.
type NewSessionLink struct {
	Session
	URL string `json:"url" format:"uri" doc:"The link: send the end user's browser there. It is answered this once, works once, and is for nobody else."`
}

// SessionPath is embedded by the input of every operation on one session.
type SessionPath struct {
	Environment string `path:"environment" maxLength:"63" example:"development" doc:"The session's environment."`
	Session     string `path:"session" maxLength:"63" doc:"The session's name."`
}

type (
	createSessionInput struct {
		Key  string `header:"Idempotency-Key" doc:"Refused here: a link that is lost cannot be answered again. Ask for another session; one that nobody uses ends by itself."`
		Body SessionRequest
	}
	sessionInput       struct{ SessionPath }
	cancelSessionInput struct {
		SessionPath
		Keyed
		Reason string `query:"reason" maxLength:"300" doc:"Why. Optional."`
	}
	newSessionAnswer struct{ Body NewSessionLink }
	sessionAnswer    struct{ Body Session }
)

func (in *createSessionInput) environment() string { return in.Body.Environment }

func (a *api) registerSessions() {
	session := func(id, method, path, summary, description string, role access.Role) operation {
		return operation{id: id, method: method, path: "/connect-sessions" + path, tag: "Connect sessions", role: role, summary: summary, description: description}
	}
	create := session("create-connect-session", http.MethodPost, "", "Create a connect session",
		"Makes a link with which an end user of yours connects one account by themselves: they choose what you leave open, and are sent back to return_to. "+
			"Only a hash of the link is kept.", access.Operator)
	create.status, create.once = http.StatusCreated, true
	register(a, create, a.createSession)
	register(a, session("show-connect-session", http.MethodGet, "/{environment}/{session}", "Show a connect session",
		"Answers how far a session has come, also after it is over.", access.Viewer),
		func(ctx context.Context, in *sessionInput) (*sessionAnswer, error) {
			state, err := at(ctx).Client.ConnectSession(ctx, in.Session)
			return &sessionAnswer{sessionOf(state)}, err
		})
	register(a, session("cancel-connect-session", http.MethodDelete, "/{environment}/{session}", "Cancel a connect session",
		"Ends a session and undoes its connect. The state is connecting still where undoing takes longer.", access.Operator),
		func(ctx context.Context, in *cancelSessionInput) (*sessionAnswer, error) {
			state, err := at(ctx).Client.CancelConnectSession(ctx, in.Session, workflows.Reason{Reason: in.Reason})
			return &sessionAnswer{sessionOf(state)}, err
		})
}

func (a *api) createSession(ctx context.Context, in *createSessionInput) (*newSessionAnswer, error) {
	body := in.Body
	if in.Key != "" {
		return nil, connection.InvalidInput("Idempotency-Key", "a link that is lost cannot be answered again", "leave it out; a session that nobody uses ends by itself")
	}
	if body.ReturnTo != "" {
		if _, err := a.returns.Address(body.ReturnTo); err != nil {
			return nil, err
		}
	}
	session := randomText(sessionBytes)
	if body.Name == "" {
		body.Name = strings.TrimSuffix(connection.Bound(body.App, 40), "…") + "-" + randomText(sessionBytes)
	}
	id, err := connection.NewID(body.Environment, body.App, body.Name)
	if err != nil {
		return nil, err
	}
	if body.RequestedBy == "" {
		body.RequestedBy = access.Of(ctx).Display()
	}
	if body.ExpiresIn == 0 {
		body.ExpiresIn = sessionLife
	}
	token := randomText(tokenBytes)
	state, err := at(ctx).Client.CreateConnectSession(ctx, workflows.ConnectSessionInput{Environment: body.Environment, Session: session, App: body.App,
		ConnectRequest: activities.ConnectRequest{Connection: id, Method: body.Method, AuthConfig: body.AuthConfig, Access: body.Access,
			Actions: body.Actions, Values: body.Values, Toolkit: body.Toolkit},
		DisplayName: body.DisplayName, Owner: body.Owner, RequestedBy: body.RequestedBy, ReturnTo: body.ReturnTo, Notify: body.Notify,
		TokenSHA256: hashOf([]byte(token)), Life: time.Duration(body.ExpiresIn) * time.Second})
	if err != nil {
		return nil, err
	}
	return &newSessionAnswer{NewSessionLink{sessionOf(state),
		a.site.Link("/connect-session/" + body.Environment + "/" + session + "/" + token)}}, nil
}

func sessionOf(s workflows.ConnectSessionState) Session {
	out := Session{Session: s.Session, Environment: s.Environment, Connection: s.Connection.String(), State: string(s.State), Owner: s.Owner,
		ReturnTo: s.ReturnTo, Notify: s.Notify, Created: s.Created, Expires: s.Expires, Claimed: s.Claimed, Ended: s.Ended, Problem: partOf(s.Problem)}
	if r := s.Result; r != nil {
		out.Status, out.Identity = string(r.Status), Identity(r.Identity)
	}
	return out
}

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// randomText is so many random bytes as lower-case letters and digits.
func randomText(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // it never fails
	return lowerBase32.EncodeToString(raw)
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
