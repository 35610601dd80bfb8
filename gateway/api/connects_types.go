package api

import (
	"time"

	"connectedapps/activities"
	"connectedapps/workflows"
)

// Progress is how far a connect has come. What only the person who authorizes may
// know, the links and the device code, is not for viewers.
type Progress struct {
	Connection  string         `json:"connection" example:"development/github/acme-bot" doc:"The ID of the connection that is being made or reconnected."`
	DisplayName string         `json:"display_name,omitempty" doc:"Its name for people."`
	RequestedBy string         `json:"requested_by,omitempty" doc:"Who asks, as the person at the link reads it."`
	Owner       string         `json:"owner,omitempty" doc:"The end user or team that it belongs to."`
	Reconnect   bool           `json:"reconnect,omitempty" doc:"It replaces the credential of a connection that there is."`
	Phase       string         `json:"phase" example:"waiting-for-authorization" doc:"validating, reserving, waiting-for-authorization, waiting-for-device, waiting-for-credential, obtaining, waiting-for-answer, waiting-for-choice, testing, test-failed, waiting-for-review, activating, active, failed or cancelled."`
	Over        bool           `json:"over" doc:"Nothing follows: it is active, failed or cancelled."`
	Plan        *Plan          `json:"plan,omitempty" doc:"What it is going to do, once that has been checked."`
	Attempts    []Attempt      `json:"attempts,omitempty" doc:"Links that were given out, the oldest first."`
	Device      *Device        `json:"device,omitempty" doc:"What a person types in on another device. Operators only."`
	Question    *Question      `json:"question,omitempty" doc:"What the app asks, in the phase waiting-for-answer."`
	Choices     *Choices       `json:"choices,omitempty" doc:"The accounts to choose from, in the phase waiting-for-choice."`
	Identity    Identity       `json:"identity,omitzero" doc:"Whose account it is, as far as it is known."`
	Test        string         `json:"test,omitempty" doc:"What the last test that passed has tested."`
	Problem     *Problem       `json:"problem,omitempty" doc:"The last thing that did not work."`
	Result      *ConnectResult `json:"result,omitempty" doc:"What was made, in the phase active."`
	Until       time.Time      `json:"until,omitzero" doc:"When it ends by itself."`
}

// Plan is what a connect is going to do.
type Plan struct {
	AppName     string   `json:"app_name" doc:"The product's name."`
	Method      string   `json:"method" doc:"The way to authenticate, by ID."`
	MethodTitle string   `json:"method_title" doc:"What people call it."`
	AuthKind    string   `json:"auth_kind" doc:"The kind of that method."`
	Flow        string   `json:"flow" example:"browser" doc:"What is needed of a person: browser (open a link), device (type a code in elsewhere), input (give secrets) or automatic (nothing to begin with)."`
	Scopes      []string `json:"scopes" doc:"The scopes that will be asked for."`
	Actions     []string `json:"actions" doc:"The actions that the toolkit will have."`
	Toolkit     string   `json:"toolkit" doc:"The name of the toolkit."`
	Secrets     []string `json:"secrets" doc:"Names of the secrets that will be asked for."`
}

// Attempt is how far one link has come.
type Attempt struct {
	State   string    `json:"state" example:"open" doc:"open, begun, exchanging, succeeded, failed or expired."`
	Expires time.Time `json:"expires" doc:"When the link can no longer be used."`
	Problem *Problem  `json:"problem,omitempty" doc:"Why it failed."`
}

// Link is where a person authorizes.
type Link struct {
	URL     string    `json:"url" format:"uri" doc:"The link. Whoever opens it connects their account: give it to nobody else. It works once."`
	Expires time.Time `json:"expires" doc:"When it can no longer be used; ask for another one then."`
}

// Device is what a person types in on another device.
type Device struct {
	UserCode                string    `json:"user_code" example:"WDJB-MJHT" doc:"The code to type in."`
	VerificationURI         string    `json:"verification_uri" doc:"Where to type it in."`
	VerificationURIComplete string    `json:"verification_uri_complete,omitempty" doc:"The same with the code in it, where the app offers that."`
	Expires                 time.Time `json:"expires" doc:"When the code can no longer be used."`
}

// Question is what the app asks in a login.
type Question struct {
	Step   string          `json:"step" doc:"Names the question in the answer."`
	Title  string          `json:"title" doc:"The question."`
	Help   string          `json:"help,omitempty" doc:"Where a person finds the answer."`
	Fields []QuestionField `json:"fields" doc:"What is to be answered."`
}

// QuestionField is one part of an answer.
type QuestionField struct {
	Name   string `json:"name" doc:"Its name in secrets or values."`
	Title  string `json:"title" doc:"What people call it."`
	Help   string `json:"help,omitempty" doc:"Where a person finds it."`
	Secret bool   `json:"secret" doc:"It goes into secrets, otherwise into values."`
}

// Choices are accounts to choose from.
type Choices struct {
	Title string   `json:"title" doc:"The question."`
	Items []Choice `json:"items" doc:"The accounts."`
}

// Choice is one of them.
type Choice struct {
	ID    string `json:"id" doc:"Names it in the choice."`
	Label string `json:"label" doc:"What a person recognises."`
}

// ConnectResult is what a connect has made.
type ConnectResult struct {
	Status    string   `json:"status" doc:"The connection's status."`
	Identity  Identity `json:"identity,omitzero" doc:"Whose account it is."`
	Toolkit   Toolkit  `json:"toolkit" doc:"The toolkit that was created; empty after a reconnect, which keeps what there is."`
	Scopes    []string `json:"scopes,omitempty" doc:"The scopes that were granted."`
	Missing   []string `json:"missing,omitempty" doc:"Scopes that were asked for and not granted."`
	Uncovered []string `json:"uncovered,omitempty" doc:"Actions of kept toolkits whose scopes a reconnect did not ask for."`
}

// progressOf is what may be told of a connect; whole is for those who may act on it.
func progressOf(p workflows.Progress, whole bool) Progress {
	out := Progress{Connection: p.Connection.String(), DisplayName: p.DisplayName, RequestedBy: p.RequestedBy, Owner: p.Owner,
		Reconnect: p.Mode == workflows.ModeReplace, Phase: string(p.Phase), Over: p.Phase.Over(), Plan: planOf(p.Plan),
		Problem: partOf(p.Problem), Until: p.Until}
	for _, attempt := range p.Attempts {
		out.Attempts = append(out.Attempts, Attempt{attempt.State, attempt.Expires, partOf(attempt.Problem)})
	}
	if p.Device != nil && whole {
		out.Device = deviceOf(*p.Device)
	}
	if q := p.Question; q != nil {
		out.Question = &Question{Step: q.Step, Title: q.Title, Help: q.Help, Fields: []QuestionField{}}
		for _, field := range q.Fields {
			out.Question.Fields = append(out.Question.Fields, QuestionField(field))
		}
	}
	if c := p.Choices; c != nil {
		out.Choices = &Choices{Title: c.Title, Items: []Choice{}}
		for _, item := range c.Items {
			out.Choices.Items = append(out.Choices.Items, Choice{item.ID, item.Label})
		}
	}
	if p.Stored != nil {
		out.Identity = Identity(p.Stored.Identity)
	}
	if p.Test != nil {
		out.Test = p.Test.Tested
		if p.Test.Identity.Known() {
			out.Identity = Identity(p.Test.Identity)
		}
	}
	if r := p.Result; r != nil {
		out.Result = &ConnectResult{Status: string(r.Status), Identity: Identity(r.Identity), Toolkit: toolkitOf(r.Toolkit),
			Scopes: r.Scopes, Missing: r.Missing, Uncovered: r.Uncovered}
	}
	return out
}

func planOf(p *activities.ConnectPlan) *Plan {
	if p == nil {
		return nil
	}
	return &Plan{AppName: p.AppName, Method: p.Method, MethodTitle: p.MethodTitle, AuthKind: string(p.Kind), Flow: string(p.Flow),
		Scopes: listOf(p.Scopes), Actions: listOf(p.Actions), Toolkit: p.Toolkit, Secrets: listOf(p.Secrets)}
}

func deviceOf(d workflows.DevicePrompt) *Device {
	device := Device(d)
	return &device
}
