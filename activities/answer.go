package activities

import (
	"context"
	"errors"
	"slices"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// answer puts what the person answered or chose into the candidate, where the login
// still waits for it.
func (l *login) answer(ctx context.Context) error {
	at := l.stored.Login
	switch {
	case at == nil:
		return nil
	case len(at.Choices) > 0:
		return l.choose(ctx)
	case l.in.Step == "":
		return nil
	}
	steps := stepsOf(l.method, at.Stage)
	i := indexOf(steps, at.Step)
	if i < 0 || steps[i].ID != l.in.Step || steps[i].Ask == nil {
		return nil // an earlier attempt of this activity has brought the login past it
	}
	given := map[string]connection.Secret{}
	if l.in.Inbox != "" {
		var err error
		if given, err = l.a.left(ctx, l.in.Inbox); err != nil {
			return err
		}
	}
	values, secrets, err := connectors.CheckInputs(steps[i].Ask.Inputs, l.in.Values, given)
	if err != nil {
		return err
	}
	next := l.stored.Document
	next.Credential.Fields = with(next.Credential.Fields, secrets)
	for name, value := range values {
		next.Credential.Fields[name] = connection.NewSecret(value)
	}
	return l.save(ctx, next)
}

// choose learns the values of the account chosen.
func (l *login) choose(ctx context.Context) error {
	if l.in.Choice == "" {
		return nil
	}
	next, at := l.stored.Document, *l.stored.Login
	i := slices.IndexFunc(at.Choices, func(c connection.Choice) bool { return c.ID == l.in.Choice })
	if i < 0 {
		return connection.InvalidInput("choice", "it is none of the choices", "choose one of those that are offered")
	}
	next.Credential.Values = overlay(next.Credential.Values, at.Choices[i].Values)
	next.Tenant, next.TenantLabel = at.Choices[i].ID, at.Choices[i].Label
	return l.save(ctx, l.after(next, connection.Login{Stage: at.Stage, Step: at.Step}))
}

// refused is what a failure means for the login. Where the app refuses what the
// person answered, the login goes back to the question before.
func (l *login) refused(ctx context.Context, err error) error {
	problem, ok := connection.AsProblem(err)
	if !ok || problem.Retryable || problem.Verdict != connection.Revoked {
		return err
	}
	again := connection.Refused(connection.ErrTestFailed, problem.Message, "check what was given and provide it again")
	again.Verdict, again.Status = connection.RejectedInput, problem.Status
	at, next := *l.stored.Login, l.stored.Document
	steps := stepsOf(l.method, at.Stage)
	for i := indexOf(steps, at.Step) - 1; i >= 0; i-- {
		ask := steps[i].Ask
		if ask == nil || len(answersOf(steps[i:i+1], next.Credential.Fields)) == 0 {
			continue
		}
		next.Credential.Fields = with(next.Credential.Fields, nil)
		for _, input := range ask.Inputs {
			delete(next.Credential.Fields, input.Name)
		}
		if err := l.save(ctx, l.after(next, connection.Login{Stage: at.Stage, Step: steps[i].ID})); err != nil {
			return err
		}
		again.Type, again.Field, again.Remedy = connection.ErrInvalidInput, ask.Inputs[0].Name, "answer again"
		break
	}
	return again
}

// with is a copy of held with more in it.
func with(held, more map[string]connection.Secret) map[string]connection.Secret {
	all := make(map[string]connection.Secret, len(held)+len(more))
	for _, from := range []map[string]connection.Secret{held, more} {
		for name, secret := range from {
			all[name] = secret
		}
	}
	return all
}

// left reads what a caller left in the inbox; ErrInvalidInput once it is no longer there.
func (a *Activities) left(ctx context.Context, ref connection.InboxRef) (map[string]connection.Secret, error) {
	secrets, err := a.Inbox.Read(ctx, ref)
	if errors.Is(err, connection.ErrAbsent) {
		return nil, inboxEmpty()
	}
	return secrets, err
}

func inboxEmpty() error {
	return connection.InvalidInput("inbox", "the secrets are no longer in the inbox", "leave them there again; they are kept for 15 minutes")
}
