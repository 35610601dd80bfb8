package api

import (
	"context"
	"net/http"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

// ReconnectRequest asks that a person authenticates again. What is left out is as the connection has it.
type ReconnectRequest struct {
	Method            string            `json:"method,omitempty" maxLength:"63" doc:"Another of the app's ways to authenticate. The client registration is not kept with it."`
	AuthConfig        string            `json:"auth_config,omitempty" maxLength:"63" doc:"The name of another client registration."`
	Values            map[string]string `json:"values,omitempty" maxProperties:"50" doc:"Inputs that are not secret and are to be others, by name."`
	Secrets           Secrets           `json:"secrets,omitempty" maxProperties:"50" writeOnly:"true" doc:"The method's secret inputs, by name, with the flow input. They can be given later as a credential."`
	Access            string            `json:"access,omitempty" enum:"read,read-write,actions" doc:"Ask for the scopes of more than the toolkits hold. The toolkits stay as they are."`
	Actions           []string          `json:"actions,omitempty" maxItems:"500" doc:"The actions whose scopes are asked for, with access actions."`
	RequestedBy       string            `json:"requested_by,omitempty" maxLength:"200" doc:"Who asks, as the person at the link reads it; your name when left out."`
	AllowOtherAccount bool              `json:"allow_other_account,omitempty" doc:"Let the connection pass to another account, or to another organisation of the same one."`
}

// CredentialsRequest replaces secrets of a connection that were typed in.
type CredentialsRequest struct {
	Secrets           Secrets           `json:"secrets,omitempty" maxProperties:"50" writeOnly:"true" doc:"The new secrets, by the method's inputs."`
	Values            map[string]string `json:"values,omitempty" maxProperties:"50" doc:"Inputs that are not secret and are to be others, by name."`
	AuthConfig        string            `json:"auth_config,omitempty" maxLength:"63" doc:"The name of another auth config."`
	RequestedBy       string            `json:"requested_by,omitempty" maxLength:"200" doc:"Who asks; your name when left out."`
	AllowOtherAccount bool              `json:"allow_other_account,omitempty" doc:"Let the connection pass to another account."`
}

type (
	reconnectInput struct {
		ConnectionPath
		Keyed
		Body *ReconnectRequest
	}
	credentialsInput struct {
		ConnectionPath
		Keyed
		Body CredentialsRequest
	}
	progressAnswer struct{ Body Progress }
)

func (a *api) reconnect(ctx context.Context, in *reconnectInput) (*begunAnswer, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	body := ReconnectRequest{}
	if in.Body != nil {
		body = *in.Body
	}
	request := workflows.ReconnectInput{RequestedBy: body.RequestedBy, Access: body.Access, Actions: body.Actions, Values: body.Values,
		AuthConfig: body.AuthConfig, AllowOtherAccount: body.AllowOtherAccount}
	if request.RequestedBy == "" {
		request.RequestedBy = access.Of(ctx).Display()
	}
	method, err := a.methodNow(ctx, id, body.Method)
	if err != nil {
		return nil, err
	}
	if body.Method != "" {
		request.Method = method.ID
	}
	if _, _, err := typed(method, body.Values, body.Secrets); err != nil {
		return nil, err
	}
	begun, err := at(ctx).Client.Reconnect(ctx, id, request)
	if err != nil {
		return nil, err
	}
	if begun.Plan.Flow == activities.FlowInput && len(body.Secrets) == 0 { // they come as a credential
		return &begunAnswer{http.StatusAccepted, Begun{Connection: id.String(), Flow: string(begun.Plan.Flow), Plan: planOf(begun.Plan)}}, nil
	}
	secrets, err := wanted(begun.Plan, method, body.Secrets, false)
	if err != nil {
		return nil, err
	}
	return goOn(ctx, at(ctx), begun.Connect, begun.Plan, secrets)
}

// methodNow is the method that is asked for, or else the one that the connection has.
func (a *api) methodNow(ctx context.Context, id connection.ID, asked string) (*connectors.Method, error) {
	d, err := at(ctx).Client.Describe(ctx, id)
	if err != nil {
		return nil, err
	}
	if asked == "" {
		asked = d.Method
	}
	return a.methodOf(id, asked)
}

// typed checks what was typed in against a method's inputs: every name, and that no
// secret comes as a plain value, which would travel. What is missing is not asked for.
func typed(method *connectors.Method, values map[string]string, given Secrets) (map[string]string, map[string]connection.Secret, error) {
	secrets := given.plain()
	plain, checked, err := connectors.CheckInputs(mentioned(method.Inputs, values, secrets), values, secrets)
	return plain, checked, err
}

func (a *api) updateCredentials(ctx context.Context, in *credentialsInput) (*progressAnswer, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	method, err := a.methodNow(ctx, id, "")
	if err != nil {
		return nil, err
	}
	values, secrets, err := typed(method, in.Body.Values, in.Body.Secrets)
	if err != nil {
		return nil, err
	}
	request := workflows.NewCredentials{Values: values, RequestedBy: in.Body.RequestedBy, AuthConfig: in.Body.AuthConfig, AllowOtherAccount: in.Body.AllowOtherAccount}
	if request.RequestedBy == "" {
		request.RequestedBy = access.Of(ctx).Display()
	}
	if method.Kind.NeedsBrowser() || method.Kind == connection.OAuth2Device {
		return nil, connection.InvalidInput("", method.Title+" is authorized by a person at the app", "reconnect it")
	}
	if request.Inbox, err = at(ctx).Leave(ctx, secrets); err != nil {
		return nil, err
	}
	progress, err := at(ctx).Client.UpdateCredentials(ctx, id, request)
	return &progressAnswer{progressOf(progress, true)}, err
}

func (a *api) registerCredentials() {
	register(a, operation{id: "update-credentials", method: http.MethodPost, path: onePath + "/credentials", tag: "Connections", role: access.Operator,
		summary: "Replace secrets that were typed in",
		description: "Replaces the secrets of a connection whose method asks for them, and answers after the test. What did not pass changes nothing and " +
			"may be corrected by the same request. InvalidInput where a person authorizes at the app."}, a.updateCredentials)
}
