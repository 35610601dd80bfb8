package gateway

import (
	"context"
	"net/http"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

const (
	// refreshSoon is for what takes seconds, refreshLater for what waits for a person or a server.
	refreshSoon, refreshLater = 1, 5
)

// showResult tells the person what became of their authorization, from the
// workflow's own answer, and reloads itself until there is an outcome.
func (g *Gateway) showResult(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), lookTime)
	defer cancel()
	l, progress, attempt, err := g.asked(ctx, r)
	if connection.TypeOf(err) == connection.ErrTemporalUnavailable {
		g.render(w, http.StatusServiceUnavailable, "notice.html", notice{Title: "Still working",
			Message: "The answer has been received and is kept. What became of it cannot be seen just now.",
			Next:    "Leave this page open; it looks again by itself.", RefreshSeconds: refreshLater})
		return
	}
	if err != nil {
		g.fail(w, r, err, 0)
		return
	}
	if own := g.ownPage(r, l.id); own != "" && attempt.State != workflows.AttemptOpen {
		http.Redirect(w, r, own, http.StatusSeeOther)
		return
	}
	page := outcome(l, progress, attempt, g.now())
	if page.Choice != nil && g.site.PlainRemote() {
		w.Header().Set("Referrer-Policy", "same-origin")
	}
	g.render(w, http.StatusOK, "notice.html", page)
}

// outcome decides what a person is told of an attempt.
func outcome(l link, progress workflows.Progress, attempt workflows.AttemptState, now time.Time) notice {
	app := l.id.App()
	if progress.Plan != nil {
		app = progress.Plan.AppName
	}
	switch attempt.State {
	case workflows.AttemptOpen:
		return notice{Title: "Nothing has been authorized yet", Message: "This link has not been used.",
			Link: linkPath(l.id, l.attempt, ""), LinkText: "See what is asked for"}
	case workflows.AttemptFailed:
		return failed(app, progress, attempt.Problem)
	case workflows.AttemptExpired:
		return expired(progress, attempt)
	case workflows.AttemptBegun:
		if !now.Before(attempt.Expires) {
			return expired(progress, attempt)
		}
		if progress.Phase.Over() {
			return ended(app, progress)
		}
		return notice{Title: "Waiting for " + app, Message: "The answer of " + app + " has not been taken up yet.",
			Next: "Leave this page open; it looks again by itself.", RefreshSeconds: refreshSoon}
	case workflows.AttemptSucceeded:
		switch { // only here: a link that is still out is asked nothing about another's account
		case progress.Phase == workflows.PhaseChoice && progress.Choices != nil:
			return choosing(l, app, progress)
		case progress.Phase == workflows.PhaseAnswer && progress.Question != nil:
			return asking(l, app, progress)
		}
	}
	return ended(app, progress)
}

// ended words an attempt whose code was accepted, or is being redeemed.
func ended(app string, progress workflows.Progress) notice {
	page := notice{Details: facts(progress)}
	switch progress.Phase {
	case workflows.PhaseActive:
		page.Title = app + " is connected"
		page.Message = "The authorization worked, the connection was tested, and its toolkit is ready."
		if again(progress) {
			page.Title = app + " was connected again"
			page.Message = "The authorization worked, it was tested, and the connection has it now."
		}
		page.Next = "You can close this page."
	case workflows.PhaseReview:
		page.Title = "Connected and tested"
		page.Message = "The account works. Whoever asked for the connection now reviews it before it may be used."
		page.Next = "You can close this page."
		page.RefreshSeconds = refreshLater
	case workflows.PhaseFailed, workflows.PhaseCancelled:
		page = failed(app, progress, progress.Problem)
		page.Title = "The connection was not made"
		if again(progress) {
			page.Title = app + " was not connected again"
		}
	case workflows.PhaseTestFailed:
		page = failed(app, progress, progress.Problem)
	case workflows.PhaseTesting:
		page.Title, page.Message, page.RefreshSeconds = "Testing", "The authorization was accepted. The connection is being tested.", refreshSoon
	case workflows.PhaseValidating, workflows.PhaseReserving, workflows.PhaseAuthorization, workflows.PhaseCredential,
		workflows.PhaseDevice, workflows.PhaseObtaining, workflows.PhaseAnswer, workflows.PhaseChoice, workflows.PhaseActivating:
		fallthrough
	default: // a phase of a newer worker is on its way somewhere too
		page.Title, page.Message, page.RefreshSeconds = "Connecting "+app, "The authorization is being completed.", refreshSoon
		if again(progress) {
			page.Title = "Reconnecting " + app
		}
	}
	return page
}

func failed(app string, progress workflows.Progress, problem *connection.Problem) notice {
	page := notice{Title: app + " is not connected", Message: "The authorization did not work.", Bad: true}
	if again(progress) {
		page.Title = app + " was not connected again"
	}
	if problem != nil {
		page.Message, page.Next = web.Sentence(problem.Message), web.Sentence(problem.Remedy)
	}
	if !progress.Phase.Over() {
		page.Next = strings.TrimSpace(page.Next + " To try again, ask whoever sent you the link for a new one: the connect stays open until " +
			clockText(progress.Until) + ".")
	}
	return page
}

func expired(progress workflows.Progress, attempt workflows.AttemptState) notice {
	if progress.Phase == workflows.PhaseActive {
		return notice{Title: "The account is " + connected(progress), Message: "Another authorization of the same connect succeeded, so this one was not needed.",
			Next: "You can close this page.", Details: facts(progress)}
	}
	page := notice{Title: "This authorization is too old", Message: "Each link works once, for ten minutes.", Next: "Ask for a new link.", Bad: true}
	if attempt.Problem != nil {
		page.Message = web.Sentence(attempt.Problem.Message)
	}
	return page
}

// again reports whether a connection that is there already is authorized anew.
func again(progress workflows.Progress) bool { return progress.Mode == workflows.ModeReplace }

// connected is the word for what a connect does to an account.
func connected(progress workflows.Progress) string {
	if again(progress) {
		return "connected again"
	}
	return "connected"
}

// facts are what the person may want to check: whose account, and what was granted.
func facts(progress workflows.Progress) []detail {
	var found []detail
	add := func(name, text string) {
		if text != "" {
			found = append(found, detail{name, text})
		}
	}
	add("Connection", progress.Connection.String())
	if test := progress.Test; test != nil {
		account := test.Identity.Label
		if account == "" {
			account = test.Identity.Account
		}
		add("Account", account)
		if test.Untestable {
			add("Tested", "no: the app offers nothing to test with")
		} else {
			add("Tested", test.Tested)
		}
	}
	if stored := progress.Stored; stored != nil {
		add("Granted", strings.Join(stored.Scopes, ", "))
		add("Not granted", strings.Join(stored.Missing, ", "))
	}
	if result := progress.Result; result != nil {
		add("Toolkit", result.Toolkit.Name)
	}
	return found
}
