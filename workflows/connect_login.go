package workflows

import (
	"fmt"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// maxRounds bounds how often one login is taken on, and with it how often a person may answer.
const maxRounds = 100

// said is what a person answered to the open question or choice.
type said struct {
	step   *AnswerStep
	choice string
}

// logIn takes the candidate's login on until it is done. Where it comes to a
// question it waits for the person, as long as the session lasts; something newer
// to obtain a credential from ends the wait.
func (c *connect) logIn(ctx workflow.Context, next *event) (bool, *connection.Problem) {
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	defer c.closeQuestion()
	in := activities.AdvanceLoginInput{Connection: c.in.Connection, Grant: c.candidate.Ref.Grant,
		Method: c.plan.Method, AuthConfig: c.in.AuthConfig, Scopes: c.plan.Scopes}
	for range maxRounds {
		if !c.candidate.Unfinished {
			return true, nil
		}
		c.enter(quiet, PhaseObtaining)
		report, err := advanceLogin.do(quiet, fair(asked, c.in.Owner, c.in.Connection), "take the login on", in)
		c.progress.Problem = why(err)
		switch {
		case err == nil:
			c.advanced(report)
		case !c.asking() || !answerable(c.progress.Problem):
			c.failAttempt(c.progress.Problem)
			c.waitForPerson(quiet)
			return false, nil
		}
		if !c.asking() {
			in.Step, in.Inbox, in.Values, in.Choice = "", "", nil, ""
			continue
		}
		next.stops++
		given, problem := c.ask(ctx)
		if given == nil {
			if problem == nil { // its result page must not offer what the newer one asks
				c.failAttempt(linkInvalid("something newer took the place of this authorization"))
			}
			return false, problem
		}
		in.Step, in.Inbox, in.Values, in.Choice = "", "", nil, given.choice
		if given.step != nil {
			in.Step, in.Inbox, in.Values = given.step.Step, given.step.Inbox, given.step.Values
		}
	}
	c.progress.Problem = connection.Refused(connection.ErrAuthorizationFailed, "the login did not come to an end", "begin it anew")
	c.waitForPerson(quiet)
	return false, nil
}

// answerable reports whether the same question is put again: the answer was
// refused, or what follows it did not work just now. Anything else ends the login.
func answerable(problem *connection.Problem) bool {
	return problem.Retryable || problem.Type == connection.ErrInvalidInput
}

// advanced takes over how far the login has come.
func (c *connect) advanced(report *activities.AdvanceLoginReport) {
	c.progress.Question, c.progress.Choices = report.Question, report.Choices
	if report.Stored != nil {
		known := c.candidate.Identity
		c.candidate = report.Stored
		c.candidate.Identity = c.candidate.Identity.Over(known)
	}
	c.candidate.Unfinished = !report.Done
}

// asking reports whether a question or a choice is open.
func (c *connect) asking() bool { return c.progress.Question != nil || c.progress.Choices != nil }

func (c *connect) closeQuestion() { c.progress.Question, c.progress.Choices, c.answer = nil, nil, nil }

// ask waits for the person. Nothing said and no problem means that there is
// something newer to try.
func (c *connect) ask(ctx workflow.Context) (*said, *connection.Problem) {
	c.answer = nil
	if c.progress.Question != nil {
		c.enter(ctx, PhaseAnswer)
	} else {
		c.enter(ctx, PhaseChoice)
	}
	problem := c.await(ctx, func() bool { return c.answer != nil || len(c.pending) > 0 })
	if problem != nil {
		return nil, problem
	}
	return c.answer, nil
}

func (c *connect) answerStep(ctx workflow.Context, in AnswerStep) (Progress, error) {
	if err := c.planned(ctx); err != nil {
		return Progress{}, err
	}
	open := c.progress.Question
	switch {
	case open == nil || c.progress.Phase != PhaseAnswer:
		return Progress{}, final(notAsked("step", "no question is open"))
	case open.Step != in.Step:
		return Progress{}, final(notAsked("step", fmt.Sprintf("the question that is open is %q", open.Step)))
	}
	return c.say(ctx, said{step: &in})
}

func (c *connect) chooseAccount(ctx workflow.Context, in ChooseAccount) (Progress, error) {
	if err := c.planned(ctx); err != nil {
		return Progress{}, err
	}
	open := c.progress.Choices
	if open == nil || c.progress.Phase != PhaseChoice {
		return Progress{}, final(notAsked("id", "no choice is open"))
	}
	for _, item := range open.Items {
		if item.ID == in.ID {
			return c.say(ctx, said{choice: in.ID})
		}
	}
	return Progress{}, final(notAsked("id", "that is none of the choices"))
}

// say hands the answer to the login, and answers when it has come to its next stop.
func (c *connect) say(ctx workflow.Context, what said) (Progress, error) {
	if c.answer != nil {
		return Progress{}, final(notAsked("", "somebody has just answered"))
	}
	c.answer = &what
	return c.outcome(ctx, c.current)
}

func notAsked(field, message string) *connection.Problem {
	return connection.InvalidInput(field, message, "ask how far the connect has come, and answer that")
}
