package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// chooseTime bounds the wait for what follows a choice, which may be a whole test.
// The result page tells the rest, so that nobody looks at a blank page for longer.
const chooseTime = 5 * time.Second

// choice is the form on which a person says which of several accounts is meant.
type choice struct {
	// Action is the path that takes it.
	Action string
	Title  string
	Items  []item
}

// item is one account. ID is shown beside the label, since labels may be alike.
type item struct{ ID, Label string }

// chooseAccount takes the account that a person chose on the result page. Nothing
// is asked of the connect unless this link's authorization is the one that waits.
func (g *Gateway) chooseAccount(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), lookTime+chooseTime)
	defer cancel()
	if !g.site.SameOrigin(r) {
		g.fail(w, r, connection.Refused(connection.ErrAuthorizationFailed, "the request did not come from the page of this connect",
			"open the page that you came back to from the app, and choose there"), http.StatusForbidden)
		return
	}
	l, progress, attempt, err := g.asked(ctx, r)
	if err != nil {
		g.fail(w, r, err, 0)
		return
	}
	result := linkPath(l.id, l.attempt, "/result")
	if err := choosable(progress, attempt); err != nil {
		g.failToward(w, r, err, result)
		return
	}
	chosen, err := chosenOf(r, progress.Choices)
	if err != nil {
		g.failToward(w, r, err, result)
		return
	}
	if err := choose(ctx, l, chosen); err != nil {
		g.failToward(w, r, err, result)
		return
	}
	http.Redirect(w, r, result, http.StatusSeeOther)
}

// choose hands the choice over. An answer that does not come in time is no error:
// the result page shows what the connect made of it, or the same choice again.
func choose(ctx context.Context, l link, chosen string) error {
	ctx, cancel := context.WithTimeout(ctx, chooseTime)
	defer cancel()
	_, err := l.environment.Client.ChooseAccount(ctx, l.id, workflows.ChooseAccount{ID: chosen})
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil
	}
	return err
}

// choosable reports, as an error, why no account can be chosen with this link. A
// link whose authorization failed, or is still out, must not choose for another's.
func choosable(progress workflows.Progress, attempt workflows.AttemptState) error {
	switch {
	case progress.Phase.Over():
		return connection.Refused(connection.ErrSessionClosed, "the connect that this choice belongs to has ended", "see what became of it")
	case attempt.State != workflows.AttemptSucceeded:
		return connection.Refused(connection.ErrLinkInvalid, "nothing that was authorized with this link waits for a choice", "see how far it has come")
	case progress.Phase != workflows.PhaseChoice || progress.Choices == nil:
		return connection.InvalidInput("account", "no choice is open just now: it may have been made already", "see how far it has come")
	}
	return nil
}

// chosenOf is the one account that the form names, out of those on offer.
func chosenOf(r *http.Request, choices *activities.Choices) (string, error) {
	refused := connection.InvalidInput("account", "that is none of the accounts to choose from", "choose one of those that are shown")
	if r.ParseForm() != nil || len(r.PostForm["account"]) != 1 {
		return "", refused
	}
	for _, offered := range choices.Items {
		if offered.ID == r.PostForm["account"][0] {
			return offered.ID, nil
		}
	}
	return "", refused
}

// choosing is the page with the choice. It does not reload itself: that would undo
// what a person has ticked.
func choosing(l link, app string, progress workflows.Progress) notice {
	form := choice{Action: linkPath(l.id, l.attempt, "/choose"), Title: progress.Choices.Title}
	if form.Title == "" {
		form.Title = "Which account do you mean?"
	}
	for _, offered := range progress.Choices.Items {
		shown := item{ID: offered.ID, Label: offered.Label}
		if shown.Label == "" {
			shown.Label = shown.ID
		}
		form.Items = append(form.Items, shown)
	}
	return notice{Title: "Choose an account", Choice: &form, Warning: whyAgain(progress),
		Message: "The authorization at " + app + " was accepted. It reaches several accounts, and one of them is to be " + connected(progress) + ".",
		Next:    "Choose one here. It can be chosen until " + clockText(progress.Until) + "."}
}

// asking is the page of a connect whose app asks something more. The answer may be
// a secret, which is typed in where the connect was started, and never here.
func asking(l link, app string, progress workflows.Progress) notice {
	page := notice{Title: app + " asks for more", Warning: whyAgain(progress),
		Message: "The authorization was accepted, and " + app + " asks something before the account can be " + connected(progress) + ".",
		Next:    "Answer where the connect was started, until " + clockText(progress.Until) + ", with:",
		Command: "connected-apps connect " + l.id.String() + " --resume",
		Link:    linkPath(l.id, l.attempt, "/result"), LinkText: "See how far it has come"}
	if title := progress.Question.Title; title != "" {
		page.Details = []detail{{"It asks", title}}
	}
	return page
}

// whyAgain says why the same is asked once more; "" the first time.
func whyAgain(progress workflows.Progress) string {
	if progress.Problem == nil {
		return ""
	}
	return web.Sentence(progress.Problem.Message)
}
