package main

import (
	"context"
	"maps"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/workflows"
)

// provide leaves the secrets in the inbox and has the connect test them. After a
// failed test a terminal is asked again; elsewhere the connect is cancelled.
func (p *program) provide(ctx context.Context, e *environment, f connectFlags, method *connectors.Method, secrets map[string]connection.Secret) error {
	id := f.in.Connection
	values := f.in.Values
	progress, err := p.tryCredential(ctx, e, secrets, func(ctx context.Context, inbox connection.InboxRef) (workflows.Progress, error) {
		return e.Connect(ctx, f.in, inbox)
	})
	for {
		if err != nil {
			return p.openStill(ctx, id, err)
		}
		if progress.Problem == nil || progress.Phase.Over() || progress.Phase == workflows.PhaseAnswer || progress.Phase == workflows.PhaseChoice {
			return p.follow(ctx, e, f)
		}
		if !p.interactive() {
			return p.giveUp(ctx, e, id, progress.Problem)
		}
		p.explain(progress.Problem)
		again, askErr := p.confirm(ctx, "Correct it and try again?", true)
		if askErr != nil {
			return p.openStill(ctx, id, askErr)
		}
		if !again {
			return p.giveUp(ctx, e, id, progress.Problem)
		}
		if values, err = p.askValues(ctx, method, values); err != nil {
			return p.openStill(ctx, id, err)
		}
		if secrets, err = p.collect(ctx, secretInputs(method.Inputs), ""); err != nil {
			return p.openStill(ctx, id, err)
		}
		progress, err = p.tryCredential(ctx, e, secrets, func(ctx context.Context, inbox connection.InboxRef) (workflows.Progress, error) {
			return e.ProvideCredential(ctx, id, workflows.ProvideCredential{Inbox: inbox, Values: values})
		})
	}
}

// tryCredential hands secrets over and waits for the test.
func (p *program) tryCredential(ctx context.Context, e *environment, secrets map[string]connection.Secret,
	hand func(context.Context, connection.InboxRef) (workflows.Progress, error),
) (workflows.Progress, error) {
	var progress workflows.Progress
	inbox, err := p.leave(ctx, e, secrets)
	if err != nil {
		return progress, err
	}
	p.note("Testing the connection…")
	err = p.work(ctx, e, "the test", func(ctx context.Context) error {
		var err error
		progress, err = hand(ctx, inbox)
		return err
	})
	return progress, err
}

// askValues asks for the inputs that are not secret once more, proposing what they were.
func (p *program) askValues(ctx context.Context, method *connectors.Method, values map[string]string) (map[string]string, error) {
	asked := maps.Clone(values)
	if asked == nil {
		asked = map[string]string{}
	}
	for _, input := range method.Inputs {
		if input.Secret || input.Hidden {
			continue
		}
		for {
			text, err := p.ask(ctx, label(input), or(asked[input.Name], input.Default))
			if err != nil {
				return nil, err
			}
			given := map[string]string{}
			if text != "" {
				given[input.Name] = text
			}
			checked, _, err := connectors.CheckInputs([]connectors.Input{input}, given, nil)
			if err != nil {
				p.note("%s", err)
				continue
			}
			maps.Copy(asked, checked)
			break
		}
	}
	return asked, nil
}
