package console

import (
	"context"
	"net/http"
	"slices"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// move is something that a person asks of an open connect.
type move func(w http.ResponseWriter, r *http.Request, d desk, progress workflows.Progress) error

// moves are what the forms of a connect's page ask for, by the end of their path.
func (c *Console) moves() map[string]move {
	return map[string]move{
		"authorize": c.authorizeAgain, "link": c.handLink, "code": c.newCode, "credential": c.giveCredential,
		"answer": c.answerQuestion, "choose": c.chooseAccount, "test": c.testAgain, "approve": c.approve, "cancel": c.cancel,
	}
}

func (c *Console) authorizeAgain(w http.ResponseWriter, r *http.Request, d desk, _ workflows.Progress) error {
	in, err := d.Client.Requested(r.Context(), d.id)
	if err != nil {
		return err
	}
	return c.authorize(w, r, d, in)
}

// handLink shows a link for somebody else, once: whoever asks again gets another.
func (c *Console) handLink(w http.ResponseWriter, r *http.Request, d desk, _ workflows.Progress) error {
	in, err := d.Client.Requested(r.Context(), d.id)
	if err != nil {
		return err
	}
	var link workflows.Link
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		var err error
		link, err = d.Client.RequestLink(ctx, in)
		return err
	})
	switch {
	case err != nil:
		return err
	case late: // nobody has seen it, and it expires
		lead(w, r, d, true)
		return nil
	}
	return c.showStateWith(w, r, d, nil, nil, func(s *state) {
		s.Link = c.Site.Link("/connect/" + d.id.String() + "/" + link.Attempt)
	})
}

func (c *Console) newCode(w http.ResponseWriter, r *http.Request, d desk, _ workflows.Progress) error {
	in, err := d.Client.Requested(r.Context(), d.id)
	if err != nil {
		return err
	}
	return c.onward(w, r, d, func(ctx context.Context) error {
		_, err := d.Client.RequestDevice(ctx, in)
		return err
	})
}

// giveCredential hands over what was typed in, for another test.
func (c *Console) giveCredential(w http.ResponseWriter, r *http.Request, d desk, progress workflows.Progress) error {
	s := c.stateOf(d, progress, nil)
	if s.Show != showCredential || s.Way == nil {
		return notNow()
	}
	t := readInputs(r.PostForm, s.credentialInputs())
	return c.tried(w, r, d, t, func(ctx context.Context, inbox connection.InboxRef) (workflows.Progress, error) {
		return d.Client.ProvideCredential(ctx, d.id, workflows.ProvideCredential{Inbox: inbox, Values: overlay(valuesOf(progress), t.values)})
	})
}

// answerQuestion answers the question that the form was about, if it is open still.
func (c *Console) answerQuestion(w http.ResponseWriter, r *http.Request, d desk, progress workflows.Progress) error {
	s := c.stateOf(d, progress, nil)
	if s.Show != showAnswer || s.Question == nil || r.PostForm.Get("step") != s.Question.Step {
		return notNow()
	}
	t := readInputs(r.PostForm, s.questionInputs())
	return c.tried(w, r, d, t, func(ctx context.Context, inbox connection.InboxRef) (workflows.Progress, error) {
		return d.Client.AnswerStep(ctx, d.id, workflows.AnswerStep{Step: s.Question.Step, Inbox: inbox, Values: t.values})
	})
}

// tried leaves what was typed in, hands it over and shows what came of it. What did not
// pass comes back, but for secrets, to be corrected.
func (c *Console) tried(w http.ResponseWriter, r *http.Request, d desk, t typed,
	hand func(context.Context, connection.InboxRef) (workflows.Progress, error),
) error {
	if err := incomplete(t); err != nil {
		return err
	}
	inbox, err := d.Leave(r.Context(), t.secrets)
	if err != nil {
		return err
	}
	var progress workflows.Progress
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		var err error
		progress, err = hand(ctx, inbox)
		return err
	})
	if err != nil {
		return err
	}
	if !late && progress.Problem != nil && !progress.Phase.Over() {
		return &notPassed{typed: typed{text: t.text}}
	}
	lead(w, r, d, late)
	return nil
}

func (c *Console) chooseAccount(w http.ResponseWriter, r *http.Request, d desk, progress workflows.Progress) error {
	if progress.Phase != workflows.PhaseChoice || progress.Choices == nil {
		return notNow()
	}
	chosen := r.PostForm.Get("account")
	if !slices.ContainsFunc(progress.Choices.Items, func(item connection.Choice) bool { return item.ID == chosen }) {
		return connection.InvalidInput("", "no account was chosen", "choose one of those that are shown")
	}
	return c.onward(w, r, d, func(ctx context.Context) error {
		_, err := d.Client.ChooseAccount(ctx, d.id, workflows.ChooseAccount{ID: chosen})
		return err
	})
}

func (c *Console) testAgain(w http.ResponseWriter, r *http.Request, d desk, _ workflows.Progress) error {
	return c.onward(w, r, d, func(ctx context.Context) error {
		_, err := d.Client.TestConnect(ctx, d.id)
		return err
	})
}

// approve makes the toolkit of the ticked actions. What was not granted cannot be chosen,
// whatever a form says.
func (c *Console) approve(w http.ResponseWriter, r *http.Request, d desk, progress workflows.Progress) error {
	s := c.stateOf(d, progress, nil)
	if s.Show != showReview {
		return notNow()
	}
	actions, err := s.allowed(r.PostForm[controlAction])
	if err != nil {
		return err
	}
	defer c.Lists.Changed(d.Name)
	return c.onward(w, r, d, func(ctx context.Context) error {
		_, err := d.Client.Approve(ctx, d.id, workflows.Approve{Actions: actions})
		return err
	})
}

// allowed are the ticked actions, as far as they can be; nil where there is nothing to
// choose: a reconnect keeps its toolkits.
func (s *state) allowed(ticked []string) ([]string, error) {
	if s.Again() || len(s.Review.Ticks) == 0 {
		return nil, nil
	}
	var actions []string
	possible := 0
	for _, offered := range s.Review.Ticks {
		if len(offered.Refused) > 0 {
			continue
		}
		possible++
		if slices.Contains(ticked, offered.ID) {
			actions = append(actions, offered.ID)
		}
	}
	switch {
	case possible == 0:
		return nil, connection.Refused(connection.ErrScopeMissing, "the app granted what none of the actions can work with",
			"cancel the connect, and allow more at the app the next time")
	case len(actions) == 0:
		return nil, connection.InvalidInput("", "no action was chosen", "tick at least one, or cancel the connect")
	}
	return actions, nil
}

func (c *Console) cancel(w http.ResponseWriter, r *http.Request, d desk, _ workflows.Progress) error {
	_, err := patiently(r.Context(), func(ctx context.Context) error {
		return d.Client.CancelConnect(ctx, d.id, workflows.Reason{Reason: "cancelled in the console"})
	})
	if err != nil {
		return err
	}
	c.Lists.Changed(d.Name)
	leadCancelled(w, r, d)
	return nil
}

// notNow is the answer to a form that asks for what the connect does not wait for.
func notNow() error {
	return connection.InvalidInput("", "the connect does not wait for this just now: it may have gone on in another tab", "see below how it stands")
}
