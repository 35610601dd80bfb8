package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/workflows"
)

// answer puts the login's question to the person. Without a terminal the answer
// comes with --resume, from a file.
func (w *follower) answer(ctx context.Context, e *environment, f connectFlags) error {
	p, question := w.p, w.current.Question
	if question == nil {
		return nil
	}
	id := f.in.Connection
	if problem := w.current.Problem; problem != nil {
		p.explain(problem)
	}
	p.note("%s", clean(or(question.Title, "The app asks:")))
	if question.Help != "" {
		p.note("%s", clean(question.Help))
	}
	file := f.secretFile
	if !f.resume {
		file = "" // it held the credential, not the answer
	}
	if file == "" && !p.interactive() {
		return connection.Refused(connection.ErrConnectionPending, id.String()+" waits for an answer: "+fieldNames(question),
			"give it with: connected-apps connect "+id.String()+" --resume --secret-file FILE")
	}
	inputs := make([]connectors.Input, len(question.Fields))
	for i, field := range question.Fields {
		inputs[i] = connectors.Input{Name: field.Name, Title: field.Title, Help: field.Help, Secret: true}
	}
	secrets, err := p.collect(ctx, inputs, file)
	if err != nil {
		return err
	}
	values := map[string]string{}
	for _, field := range question.Fields {
		if given, ok := secrets[field.Name]; ok && !field.Secret {
			values[field.Name] = given.Reveal()
			delete(secrets, field.Name)
		}
	}
	inbox, err := p.leave(ctx, e, secrets)
	if err != nil {
		return err
	}
	return p.work(ctx, e, "the app to take the answer", func(ctx context.Context) error {
		progress, err := e.AnswerStep(ctx, id, workflows.AnswerStep{Step: question.Step, Inbox: inbox, Values: values})
		if err == nil && progress.Problem != nil && file != "" {
			return progress.Problem
		}
		return err
	})
}

func fieldNames(question *activities.Question) string {
	names := make([]string, len(question.Fields))
	for i, field := range question.Fields {
		names[i] = field.Name
	}
	return strings.Join(names, ", ")
}

// choose lists the accounts that the credential reaches and asks which one is meant.
func (w *follower) choose(ctx context.Context, e *environment, f connectFlags) error {
	p, choices := w.p, w.current.Choices
	if choices == nil {
		return nil
	}
	id := f.in.Connection
	chosen := f.choose
	if chosen == "" {
		p.note("%s", clean(or(choices.Title, "Which account do you mean?")))
		for i, item := range choices.Items {
			p.note("  %d  %s  (%s)", i+1, clean(or(item.Label, item.ID)), clean(item.ID))
		}
		if !p.interactive() {
			return connection.Refused(connection.ErrConnectionPending, id.String()+" waits for a choice",
				"choose with: connected-apps connect "+id.String()+" --resume --choose ID")
		}
		var err error
		if chosen, err = p.askChoice(ctx, choices.Items); err != nil {
			return err
		}
	}
	var progress workflows.Progress
	err := p.work(ctx, e, "the choice to be taken", func(ctx context.Context) error {
		var err error
		progress, err = e.ChooseAccount(ctx, id, workflows.ChooseAccount{ID: chosen})
		return err
	})
	if err != nil || progress.Problem == nil || p.interactive() {
		return err
	}
	if progress.Phase == workflows.PhaseChoice { // it may be chosen again
		return progress.Problem
	}
	return p.giveUp(ctx, e, id, progress.Problem)
}

func (p *program) askChoice(ctx context.Context, items []connection.Choice) (string, error) {
	for {
		text, err := p.ask(ctx, fmt.Sprintf("Number, 1 to %d", len(items)), "1")
		if err != nil {
			return "", err
		}
		for i, item := range items {
			if text == strconv.Itoa(i+1) || text == item.ID {
				return item.ID, nil
			}
		}
		p.note("That is none of them.")
	}
}
