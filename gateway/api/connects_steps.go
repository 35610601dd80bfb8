package api

import (
	"context"
	"net/http"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

// Credential is what a connect is given after it has begun.
type Credential struct {
	Secrets Secrets           `json:"secrets,omitempty" maxProperties:"50" writeOnly:"true" doc:"The method's secret inputs, by name."`
	Values  map[string]string `json:"values,omitempty" maxProperties:"50" doc:"Inputs that are not secret and are to be others, such as a base URL that was wrong."`
}

// StepAnswer answers the question of a login.
type StepAnswer struct {
	Step    string            `json:"step" maxLength:"63" doc:"The step of the question, as progress tells it."`
	Secrets Secrets           `json:"secrets,omitempty" maxProperties:"50" writeOnly:"true" doc:"The fields that are secret, by name."`
	Values  map[string]string `json:"values,omitempty" maxProperties:"50" doc:"The others, by name."`
}

// Chosen says which of several accounts is meant.
type Chosen struct {
	ID string `json:"id" minLength:"1" maxLength:"500" doc:"The ID of the choice, as progress tells it."`
}

// Approval ends a review.
type Approval struct {
	Actions []string `json:"actions,omitempty" maxItems:"500" doc:"The actions that the toolkit is to have; those that were asked for when left out."`
}

type (
	credentialInput struct {
		ConnectionPath
		Keyed
		Body Credential
	}
	answerInput struct {
		ConnectionPath
		Keyed
		Body StepAnswer
	}
	choiceInput struct {
		ConnectionPath
		Keyed
		Body Chosen
	}
	approveInput struct {
		ConnectionPath
		Keyed
		Body *Approval
	}
	linkAnswer   struct{ Body Link }
	deviceAnswer struct{ Body Device }
)

func (a *api) registerConnectSteps() {
	a.registerCredentials()
	step := func(id, method, path, summary, description string) operation {
		return operation{id: id, method: method, path: onePath + "/connect" + path, tag: "Connects", role: access.Operator, summary: summary, description: description}
	}
	show := step("show-connect", http.MethodGet, "", "Show how far a connect has come",
		"Answers how far the connect or reconnect of this ID has come; also after it is over, as long as the namespace remembers it. Links and device codes are for operators only.")
	show.role = access.Viewer
	register(a, show, func(ctx context.Context, in *oneConnection) (*progressAnswer, error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		progress, err := at(ctx).Client.Progress(ctx, id)
		return &progressAnswer{progressOf(progress, a.mayAct(ctx))}, err
	})
	register(a, step("request-link", http.MethodPost, "/link", "Ask for another link",
		"Answers a fresh link for an open connect whose flow is browser. At most 100 a connect."), a.requestLink)
	register(a, step("request-device", http.MethodPost, "/device", "Ask for the device code",
		"Answers the code of an open connect whose flow is device, or a fresh one once it has expired."), a.requestDevice)
	register(a, step("provide-credential", http.MethodPost, "/credential", "Give or correct the secrets",
		"Hands secrets to an open connect and answers after the test, or when the login asks something."), a.provideCredential)
	register(a, step("answer-step", http.MethodPost, "/answer", "Answer the login's question",
		"Answers the question of the phase waiting-for-answer. A refused answer is asked for again, with problem set."), a.answerStep)
	register(a, step("choose-account", http.MethodPost, "/choice", "Choose the account",
		"Says which of the choices of the phase waiting-for-choice is meant."),
		func(ctx context.Context, in *choiceInput) (*progressAnswer, error) {
			return a.stepped(&in.ConnectionPath, func(id connection.ID) (workflows.Progress, error) {
				return at(ctx).Client.ChooseAccount(ctx, id, workflows.ChooseAccount{ID: in.Body.ID})
			})
		})
	register(a, step("test-connect", http.MethodPost, "/test", "Test again", "Runs the test of an open connect again after one that failed."),
		func(ctx context.Context, in *careInput) (*progressAnswer, error) {
			return a.stepped(&in.ConnectionPath, func(id connection.ID) (workflows.Progress, error) { return at(ctx).Client.TestConnect(ctx, id) })
		})
	register(a, step("approve-connect", http.MethodPost, "/approve", "Approve a connect",
		"Ends the phase waiting-for-review and answers when the connection is active."),
		func(ctx context.Context, in *approveInput) (*progressAnswer, error) {
			return a.stepped(&in.ConnectionPath, func(id connection.ID) (workflows.Progress, error) {
				approval := workflows.Approve{}
				if in.Body != nil {
					approval.Actions = in.Body.Actions
				}
				return at(ctx).Client.Approve(ctx, id, approval)
			})
		})
	register(a, step("cancel-connect", http.MethodDelete, "", "Cancel a connect",
		"Ends an open connect and undoes what it did; a reconnect leaves the connection as it was. Refused once the connection is being activated."),
		func(ctx context.Context, in *disconnectInput) (*nothing, error) {
			id, err := in.id()
			if err != nil {
				return nil, err
			}
			return nil, noConnect(at(ctx).Client.CancelConnect(ctx, id, workflows.Reason{Reason: in.Reason}), id)
		})
}

// mayAct reports whether the person may do what a link or a code allows.
func (a *api) mayAct(ctx context.Context) bool {
	return access.Of(ctx).May(at(ctx).Name, access.Operator)
}

// stepped takes one step of a connect and answers how far it has come.
func (a *api) stepped(path *ConnectionPath, step func(connection.ID) (workflows.Progress, error)) (*progressAnswer, error) {
	id, err := path.id()
	if err != nil {
		return nil, err
	}
	progress, err := step(id)
	return &progressAnswer{progressOf(progress, true)}, noConnect(err, id)
}

// noConnect says of a missing workflow what it means here.
func noConnect(err error, id connection.ID) error {
	if connection.TypeOf(err) != connection.ErrConnectionNotFound {
		return err
	}
	return connection.Refused(connection.ErrSessionClosed, "no connect of "+id.String()+" is under way", "begin one, or list the connections")
}

// requested is what an open connect was asked to make, where its flow is the one that is meant.
func requested(ctx context.Context, in *careInput, flow activities.Flow) (workflows.ConnectInput, error) {
	var request workflows.ConnectInput
	id, err := in.id()
	if err != nil {
		return request, err
	}
	progress, err := at(ctx).Client.Progress(ctx, id)
	switch {
	case err != nil:
		return request, err
	case progress.Phase.Over():
		return request, connection.Refused(connection.ErrSessionClosed, "the connect of "+id.String()+" is over", "begin a new one")
	case progress.Plan != nil && progress.Plan.Flow != flow:
		return request, connection.InvalidInput("", "the flow of this connect is "+string(progress.Plan.Flow), "go on with it by that flow")
	}
	return at(ctx).Client.Requested(ctx, id)
}

func (a *api) requestLink(ctx context.Context, in *careInput) (*linkAnswer, error) {
	request, err := requested(ctx, in, activities.FlowBrowser)
	if err != nil {
		return nil, err
	}
	link, err := at(ctx).Client.RequestLink(ctx, request)
	return &linkAnswer{Link{link.URL, link.Expires}}, err
}

func (a *api) requestDevice(ctx context.Context, in *careInput) (*deviceAnswer, error) {
	request, err := requested(ctx, in, activities.FlowDevice)
	if err != nil {
		return nil, err
	}
	prompt, err := at(ctx).Client.RequestDevice(ctx, request)
	return &deviceAnswer{*deviceOf(prompt)}, err
}

func (a *api) provideCredential(ctx context.Context, in *credentialInput) (*progressAnswer, error) {
	return a.stepped(&in.ConnectionPath, func(id connection.ID) (workflows.Progress, error) {
		progress, err := at(ctx).Client.Progress(ctx, id)
		if err != nil {
			return progress, err
		}
		if progress.Plan == nil {
			return progress, connection.TemporalUnavailable("the connect is still being prepared")
		}
		method, err := a.methodOf(id, progress.Plan.Method)
		if err != nil {
			return progress, err
		}
		values, secrets, err := typed(method, in.Body.Values, in.Body.Secrets)
		if err != nil {
			return progress, err
		}
		inbox, err := at(ctx).Leave(ctx, secrets)
		if err != nil {
			return progress, err
		}
		return at(ctx).Client.ProvideCredential(ctx, id, workflows.ProvideCredential{Inbox: inbox, Values: values})
	})
}

func (a *api) answerStep(ctx context.Context, in *answerInput) (*progressAnswer, error) {
	return a.stepped(&in.ConnectionPath, func(id connection.ID) (workflows.Progress, error) {
		progress, err := at(ctx).Client.Progress(ctx, id)
		if err != nil {
			return progress, err
		}
		if err := answers(progress.Question, in.Body); err != nil {
			return progress, err
		}
		inbox, err := at(ctx).Leave(ctx, in.Body.Secrets.plain())
		if err != nil {
			return progress, err
		}
		return at(ctx).Client.AnswerStep(ctx, id, workflows.AnswerStep{Step: in.Body.Step, Inbox: inbox, Values: in.Body.Values})
	})
}

// answers reports what does not fit the question: above all a secret that came as a plain value, which would travel.
func answers(question *activities.Question, in StepAnswer) error {
	if question == nil || question.Step != in.Step {
		return connection.InvalidInput("step", "this is not the question that is open", "ask for progress, and answer its question")
	}
	secret := map[string]bool{}
	for _, field := range question.Fields {
		secret[field.Name] = field.Secret
	}
	for name := range in.Values {
		if is, known := secret[name]; !known || is {
			return connection.InvalidInput("values."+connection.Bound(name, 80), "it is not asked for as a plain value", "give secret fields in secrets, the others in values")
		}
	}
	for name := range in.Secrets {
		if is, known := secret[name]; !known || !is {
			return connection.InvalidInput("secrets."+connection.Bound(name, 80), "it is not asked for as a secret", "give secret fields in secrets, the others in values")
		}
	}
	return nil
}
