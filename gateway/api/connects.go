package api

import (
	"context"
	"errors"
	"net/http"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

// ConnectRequest asks for a connection.
type ConnectRequest struct {
	Connection  string            `json:"connection" maxLength:"191" example:"development/github/acme-bot" doc:"The ID that it is to have: environment, app and a name of your choice."`
	Method      string            `json:"method,omitempty" maxLength:"63" doc:"One of the app's ways to authenticate, by ID or kind; the recommended one when left out."`
	AuthConfig  string            `json:"auth_config,omitempty" maxLength:"63" doc:"The name of the client registration to use; OAuth methods need one."`
	Values      map[string]string `json:"values,omitempty" maxProperties:"50" doc:"The method's inputs that are not secret, by name."`
	Secrets     Secrets           `json:"secrets,omitempty" maxProperties:"50" writeOnly:"true" doc:"The method's secret inputs, by name."`
	Access      string            `json:"access,omitempty" enum:"read,read-write,actions" doc:"Which actions: read, those that change nothing; read-write, all of them, which is the default; actions, the chosen ones."`
	Actions     []string          `json:"actions,omitempty" maxItems:"500" doc:"The chosen actions, with access actions."`
	Toolkit     string            `json:"toolkit,omitempty" maxLength:"63" doc:"The name of the toolkit to create; default when left out."`
	DisplayName string            `json:"display_name,omitempty" maxLength:"200" doc:"Its name for people; the last part of the ID when left out."`
	Owner       string            `json:"owner,omitempty" maxLength:"200" doc:"The end user or team that it belongs to."`
	RequestedBy string            `json:"requested_by,omitempty" maxLength:"200" doc:"Who asks, as the person at the link reads it; your name when left out."`
	Review      bool              `json:"review,omitempty" doc:"Hold before the toolkit is created, until somebody approves."`
}

// Begun says how a connect goes on: by its flow.
type Begun struct {
	Connection string    `json:"connection" doc:"The connection's ID: ask for progress below its path."`
	Flow       string    `json:"flow" example:"browser" doc:"browser: have the person open the link. device: have them type the code in. input: give the secrets, where progress asks for them still. automatic: nothing."`
	Link       *Link     `json:"link,omitempty" doc:"Where a person authorizes, with the flow browser."`
	Device     *Device   `json:"device,omitempty" doc:"What a person types in, with the flow device."`
	Plan       *Plan     `json:"plan,omitempty" doc:"What the connect is going to do."`
	Progress   *Progress `json:"progress,omitempty" doc:"How far it has come, with the flows input and automatic. One whose test did not pass stays open: correct it with a credential."`
}

type (
	connectInput struct {
		Keyed
		Body ConnectRequest
	}
	begunAnswer struct {
		Status int
		Body   Begun
	}
)

func (in *connectInput) environment() string { return connection.ID(in.Body.Connection).Environment() }

// begins are the answers of what begins a connect.
var begins = map[int]string{http.StatusCreated: "The connection is active."}

func (a *api) registerConnects() {
	register(a, operation{id: "connect", method: http.MethodPost, path: "/connections", tag: "Connects", role: access.Operator,
		summary: "Begin to connect an account", status: http.StatusAccepted, others: begins,
		description: "Begins to connect an account of an app. With the flow browser the answer has the link, with device the code; with input the secrets " +
			"of the request are tested before it is answered. A connect stays open for 24 hours; the same request again goes on with it, and " +
			"another one for the same ID is ConnectionIDTaken."}, a.connect)
	register(a, operation{id: "reconnect", method: http.MethodPost, path: onePath + "/reconnect", tag: "Connects", role: access.Operator,
		summary: "Have a person authenticate again", status: http.StatusAccepted, others: begins,
		description: "Authenticates a connection again: because it has expired, for more scopes, or another way. What is left out is as the connection " +
			"has it. The old credential works on until the new one has passed its test. It goes on as any connect does."}, a.reconnect)
}

func (a *api) connect(ctx context.Context, in *connectInput) (*begunAnswer, error) {
	e, body := at(ctx), in.Body
	id, err := connection.ParseID(body.Connection)
	if err != nil {
		return nil, err
	}
	request := workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id, AuthConfig: body.AuthConfig, Access: body.Access,
		Actions: body.Actions, Values: body.Values, Toolkit: body.Toolkit}, DisplayName: body.DisplayName, Owner: body.Owner,
		RequestedBy: body.RequestedBy, Review: body.Review}
	if request.RequestedBy == "" {
		request.RequestedBy = access.Of(ctx).Display()
	}
	method, err := a.methodOf(id, body.Method)
	if err != nil {
		return nil, err
	}
	request.Method = method.ID
	plan, err := e.Client.CheckConnect(request)
	if err != nil {
		return nil, err
	}
	secrets, err := wanted(plan, method, body.Secrets, body.AuthConfig == "")
	if err == nil {
		err = free(ctx, e, id)
	}
	if err != nil {
		return nil, err
	}
	return goOn(ctx, e, request, plan, secrets)
}

// wanted are the secrets of a request, checked and made standard before anything is
// started. all: those that must be given must be there.
func wanted(plan *activities.ConnectPlan, method *connectors.Method, given Secrets, all bool) (map[string]connection.Secret, error) {
	secrets := given.plain()
	if plan.Flow == activities.FlowBrowser || plan.Flow == activities.FlowDevice {
		if len(secrets) > 0 {
			return nil, connection.InvalidInput("secrets", plan.MethodTitle+" is authorized by a person at the app and asks for no secret", "leave secrets out")
		}
		return nil, nil
	}
	inputs := method.Inputs
	if !all {
		inputs = mentioned(inputs, nil, secrets)
	}
	var secret []connectors.Input
	for _, input := range inputs {
		if input.Secret {
			secret = append(secret, input)
		}
	}
	_, checked, err := connectors.CheckInputs(secret, nil, secrets)
	return checked, inField("secrets", err)
}

// mentioned are the inputs that something was given for.
func mentioned(inputs []connectors.Input, values map[string]string, secrets map[string]connection.Secret) []connectors.Input {
	var out []connectors.Input
	for _, input := range inputs {
		_, plain := values[input.Name]
		if _, secret := secrets[input.Name]; plain || secret {
			out = append(out, input)
		}
	}
	return out
}

// inField says that the field at fault is a member of another.
func inField(parent string, err error) error {
	var problem *connection.Problem
	if !errors.As(err, &problem) || problem.Field == "" {
		return err
	}
	inside := *problem
	inside.Field = parent + "." + problem.Field
	return &inside
}

// free makes sure that the ID is not a finished connection's, before a secret is left
// for it. The workflow has the last word.
func free(ctx context.Context, e backend.Environment, id connection.ID) error {
	d, err := e.Client.Describe(ctx, id)
	switch {
	case connection.TypeOf(err) == connection.ErrConnectionNotFound:
		return nil
	case err != nil:
		return err
	case d.Look.Status == connection.Pending:
		return nil // its connect decides whether this is the same request
	}
	return connection.Refused(connection.ErrConnectionIDTaken, "there is a connection "+id.String()+" already",
		"choose another name, reconnect it, or disconnect it first")
}

// goOn takes a connect to where a person is needed, or to its end.
func goOn(ctx context.Context, e backend.Environment, in workflows.ConnectInput, plan *activities.ConnectPlan, secrets map[string]connection.Secret) (*begunAnswer, error) {
	out := &begunAnswer{http.StatusAccepted, Begun{Connection: in.Connection.String(), Flow: string(plan.Flow), Plan: planOf(plan)}}
	switch plan.Flow {
	case activities.FlowBrowser:
		link, err := e.Client.RequestLink(ctx, in)
		out.Body.Link = &Link{link.URL, link.Expires}
		return out, err
	case activities.FlowDevice:
		prompt, err := e.Client.RequestDevice(ctx, in)
		out.Body.Device = deviceOf(prompt)
		return out, err
	case activities.FlowInput, activities.FlowAutomatic:
	}
	inbox, err := e.Leave(ctx, secrets)
	if err != nil {
		return nil, err
	}
	progress, err := e.Client.Connect(ctx, in, inbox)
	if err != nil {
		return nil, err
	}
	told := progressOf(progress, true)
	out.Body.Progress = &told
	if progress.Phase == workflows.PhaseActive {
		out.Status = http.StatusCreated
	}
	return out, nil
}
