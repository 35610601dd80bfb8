package activities

import (
	"context"
	"errors"
	"slices"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// AdvanceLoginInput says which candidate's login goes on, and what a person has answered.
type AdvanceLoginInput struct {
	Connection connection.ID `json:"connection"`
	Grant      string        `json:"grant"`
	Method     string        `json:"method"`
	AuthConfig string        `json:"auth_config,omitempty"`
	Scopes     []string      `json:"scopes,omitempty"`
	// Step is the question that Inbox and Values answer; "" answers none.
	Step   string              `json:"step,omitempty"`
	Inbox  connection.InboxRef `json:"inbox,omitempty"`
	Values map[string]string   `json:"values,omitempty"`
	// Choice is the ID of the account chosen; "" chooses none.
	Choice string `json:"choice,omitempty"`
}

// AdvanceLoginReport is how far the login has come. Exactly one of Question,
// Choices and Done is set.
type AdvanceLoginReport struct {
	Stored   *StoredReport `json:"stored"`
	Question *Question     `json:"question,omitempty"`
	Choices  *Choices      `json:"choices,omitempty"`
	Done     bool          `json:"done,omitempty"`
}

// AdvanceLogin takes a login on until a person is needed or it is done. Each
// request's outcome is in Vault before the next one leaves, so that it goes on
// there when it is run again; an answer that the login has passed is then not used
// twice. A refused answer is ErrInvalidInput on its field, and the login asks it again.
func (a *Activities) AdvanceLogin(ctx context.Context, in AdvanceLoginInput) (*AdvanceLoginReport, error) {
	report, err := a.advanceLogin(ctx, in)
	return report, a.leave(ctx, "AdvanceLogin", err)
}

func (a *Activities) advanceLogin(ctx context.Context, in AdvanceLoginInput) (*AdvanceLoginReport, error) {
	l, err := a.openLogin(ctx, in)
	if err != nil {
		return nil, err
	}
	report, err := l.run(ctx)
	if problem, ok := connection.AsProblem(err); err == nil || ok && !problem.Retryable {
		_ = a.Inbox.Clear(ctx, in.Inbox) // the sweep clears what could not be cleared here
	}
	return report, err
}

// login is one candidate on its way to a whole credential.
type login struct {
	a      *Activities
	in     AdvanceLoginInput
	ref    connection.CredentialRef
	method *connectors.Method
	config connection.AuthConfig
	stored connection.Stored
	// identity is what a token answer of this run told.
	identity connection.Identity
}

// openLogin reads the candidate. Where nothing is asked to begin with, it is made here.
func (a *Activities) openLogin(ctx context.Context, in AdvanceLoginInput) (*login, error) {
	method, err := a.method(in.Connection.App(), in.Method)
	if err != nil {
		return nil, err
	}
	ref := connection.CredentialRef{Connection: in.Connection, Grant: in.Grant, Generation: 1, Candidate: true}
	stored, err := a.Documents.Read(ctx, ref)
	if errors.Is(err, connection.ErrAbsent) && in.Step == "" && in.Choice == "" && flowOf(method, 0) == FlowAutomatic {
		if _, err := a.storeCredential(ctx, StoreCredentialInput{Connection: in.Connection, Grant: in.Grant, Method: in.Method,
			AuthConfig: in.AuthConfig, Values: in.Values}); err != nil {
			return nil, err
		}
		stored, err = a.Documents.Read(ctx, ref)
	}
	if errors.Is(err, connection.ErrAbsent) {
		return nil, connection.NotFound(in.Connection)
	}
	if err != nil {
		return nil, err
	}
	config, err := a.spender.registrations.read(ctx, in.Connection.App(), stored.AuthConfig)
	return &login{a: a, in: in, ref: ref, method: method, config: config, stored: stored}, err
}

func (l *login) run(ctx context.Context) (*AdvanceLoginReport, error) {
	if err := l.answer(ctx); err != nil {
		return nil, err
	}
	for l.stored.Login != nil {
		at := l.stored.Login
		if len(at.Choices) > 0 {
			report := l.report()
			report.Choices = &Choices{Title: at.Title, Items: at.Choices}
			return report, nil
		}
		var asked *Question
		var err error
		switch at.Stage {
		case connectors.StageGrant:
			err = l.obtain(ctx)
		case connectors.StageSteps, connectors.StageFollowUp:
			asked, err = l.step(ctx)
		default:
			err = l.save(ctx, l.after(l.stored.Document, connection.Login{}))
		}
		if err != nil {
			return nil, err
		}
		if asked != nil {
			report := l.report()
			report.Question = asked
			return report, nil
		}
	}
	report := l.report()
	report.Done = true
	return report, nil
}

func (l *login) report() *AdvanceLoginReport {
	stored := storedReport(l.ref, l.stored.Document, l.method, l.in.Scopes)
	stored.Identity = l.identity.Over(stored.Identity)
	return &AdvanceLoginReport{Stored: stored}
}

// obtain gets the token of a machine kind.
func (l *login) obtain(ctx context.Context) error {
	credential := l.stored.Credential
	values := under(l.config, credential.Values)
	found, err := l.method.Discover(ctx, l.a.Provider, values)
	if err != nil {
		return err
	}
	values = under(l.config, values, found)
	grant, err := l.method.Obtain(ctx, l.a.Provider, connectors.ObtainInput{Client: client(l.config, credential),
		Scopes: l.in.Scopes, Values: values, Fields: credential.Fields})
	if err != nil {
		return l.refused(ctx, err)
	}
	credential.Values = values
	next := l.stored.Document
	next.Credential = minted(grant, l.method, credential, l.stored.Clock.Now())
	next.Asked = l.in.Scopes
	next.Tenant, next.TenantLabel = grant.Identity.Tenant, grant.Identity.TenantLabel
	l.identity = grant.Identity
	return l.save(ctx, l.after(next, connection.Login{Stage: stageAfter(l.method, connectors.StageGrant)}))
}

// step takes one step, or answers the question it asks.
func (l *login) step(ctx context.Context) (*Question, error) {
	at, next := *l.stored.Login, l.stored.Document
	steps := stepsOf(l.method, at.Stage)
	outcome, err := l.method.RunStep(ctx, l.a.Provider, connectors.StepInput{Stage: at.Stage, Step: at.Step,
		Client: client(l.config, next.Credential), Credential: next.Credential,
		Values:  under(l.config, next.Credential.Values),
		Answers: answersOf(steps, next.Credential.Fields)})
	if err != nil {
		return nil, l.refused(ctx, err)
	}
	if outcome.Ask != nil {
		return l.ask(ctx, steps, outcome.Ask)
	}
	next.Credential = gathered(outcome, l.method, next.Credential, l.stored.Clock.Now())
	if only := outcome.Chosen; only != nil {
		next.Tenant, next.TenantLabel = only.ID, only.Label
	}
	goOn := connection.Login{Stage: at.Stage, Step: outcome.Next, Choices: outcome.Choices}
	if len(outcome.Choices) > 0 {
		goOn.Title = outcome.Title
	}
	if outcome.Next == "" {
		goOn.Stage = stageAfter(l.method, at.Stage)
	}
	return nil, l.save(ctx, l.after(next, goOn))
}

// ask puts a question, and remembers where it stands: steps before it may have been passed over.
func (l *login) ask(ctx context.Context, steps []connectors.Step, ask *connectors.Ask) (*Question, error) {
	i := slices.IndexFunc(steps, func(step connectors.Step) bool { return step.Ask == ask })
	if i < 0 {
		return nil, connection.Internal("a question")
	}
	at, next := *l.stored.Login, l.stored.Document
	if at.Step != steps[i].ID {
		if err := l.save(ctx, l.after(next, connection.Login{Stage: at.Stage, Step: steps[i].ID})); err != nil {
			return nil, err
		}
	}
	return question(steps[i].ID, ask), nil
}

// after is the document with the login at its next place, or without one when nothing is left to do.
func (l *login) after(next connection.Document, goOn connection.Login) connection.Document {
	next.Login = &goOn
	if derived, err := l.method.Derived(next.Credential.Values, with(l.config.Fields, next.Credential.Fields)); err == nil {
		next.Credential.Values = overlay(next.Credential.Values, derived) // from what was learnt; the inputs were checked
	}
	if goOn.Stage == "" && len(goOn.Choices) == 0 {
		next.Login, next.Credential = nil, finished(l.method, next.Credential)
	}
	return next
}

// save stores where the login is. If another attempt was faster, what it stored counts.
func (l *login) save(ctx context.Context, next connection.Document) error {
	version := 0
	err := l.a.persist(ctx, func(ctx context.Context) (err error) {
		version, err = l.a.Documents.Write(ctx, l.ref, next, l.stored.Version)
		return err
	})
	if err == nil {
		l.stored.Document, l.stored.Version = next, version
		return nil
	}
	if !errors.Is(err, connection.ErrVersionConflict) {
		return err
	}
	current, err := l.a.Documents.Read(context.WithoutCancel(ctx), l.ref)
	if errors.Is(err, connection.ErrAbsent) {
		return connection.NotFound(l.ref.Connection)
	}
	if err == nil {
		l.stored = current
	}
	return err
}
