package console

import (
	"time"

	"connectedapps/activities"
	"connectedapps/workflows"
)

// What a connect's page asks of a person, if anything.
const (
	showBusy       = "busy"       // nothing: it works
	showAuthorize  = "authorize"  // to authorize at the app
	showAway       = "away"       // to finish there what has begun
	showDevice     = "device"     // to type a code in on another device
	showCredential = "credential" // what the app is called with
	showAnswer     = "answer"     // to answer a question of the login
	showChoice     = "choice"     // which of several accounts is meant
	showReview     = "review"     // to look at what came back, and make the toolkit
	showActive     = "active"     // nothing: it is connected
	showEnded      = "ended"      // nothing: it came to nothing
)

// words are what a phase means to a person.
type words struct {
	Show        string
	Title, Text string
	// Every is how many seconds until the page looks again; 0 is never.
	Every int
	// Retest: what was obtained may be tested once more as it is.
	Retest bool
}

func busy(title, text string) words {
	return words{Show: showBusy, Title: title, Text: text, Every: lookSoon}
}

func waits(show, title, text string) words {
	return words{Show: show, Title: title, Text: text, Every: lookLater}
}

// wordsFor says how a connect stands.
func (s *state) wordsFor(now time.Time) words {
	app := s.AppName
	switch s.Phase {
	case workflows.PhaseValidating:
		return busy("Checking what was asked for", "")
	case workflows.PhaseReserving:
		return busy("Reserving the name", "")
	case workflows.PhaseObtaining:
		return busy("Signing in at "+app, "What you gave is being used for the first time.")
	case workflows.PhaseTesting:
		return busy("Testing the connection", app+" is asked whether it works, and whose account it is.")
	case workflows.PhaseActivating:
		switch s.Mode {
		case workflows.ModeReplace:
			return busy("Putting the new credential in place", "")
		case workflows.ModeSession:
			return busy("Finishing", "")
		}
		return busy("Creating the App Toolkit", "")
	case workflows.PhaseAuthorization, workflows.PhaseDevice, workflows.PhaseCredential:
		return s.wordsForPerson(now)
	case workflows.PhaseTestFailed:
		w := s.wordsForPerson(now)
		w.Title, w.Text, w.Retest = "The test did not pass", "Correct what is wrong, and test again.", true
		if w.Show == showCredential && s.Plan != nil && len(s.Plan.Secrets) > 0 {
			w.Text = "Correct what is wrong, and try again. Secrets must be typed in again: they are never shown."
		}
		return w
	case workflows.PhaseAnswer:
		title := app + " asks for more"
		if s.Question != nil && s.Question.Title != "" {
			title = s.Question.Title
		}
		return waits(showAnswer, title, "")
	case workflows.PhaseChoice:
		return waits(showChoice, "Choose an account", "The authorization reaches several.")
	case workflows.PhaseReview:
		return waits(showReview, "It works", "The connection was tested. Choose what it may be used for.")
	case workflows.PhaseActive:
		if s.Again() {
			return words{Show: showActive, Title: app + " is connected again", Text: "The new credential was tested, and the connection has it now."}
		}
		return words{Show: showActive, Title: app + " is connected", Text: "It was tested, and its toolkit is ready."}
	case workflows.PhaseFailed:
		if s.Again() {
			return words{Show: showEnded, Title: "It was not connected again", Text: "The connection has what it had before."}
		}
		return words{Show: showEnded, Title: "It was not connected", Text: "Everything that was begun is undone."}
	case workflows.PhaseCancelled:
		if s.Again() {
			return words{Show: showEnded, Title: "Cancelled", Text: "The connection has what it had before."}
		}
		return words{Show: showEnded, Title: "Cancelled", Text: "Nothing is left behind."}
	}
	return busy("Working", "") // a phase of a newer worker is on its way somewhere too
}

// wordsForPerson says what a person must do to bring the credential.
func (s *state) wordsForPerson(now time.Time) words {
	app := s.AppName
	if s.Plan == nil {
		return busy("Checking what was asked for", "")
	}
	switch s.Plan.Flow {
	case activities.FlowBrowser:
		switch {
		case s.Attempt.State == workflows.AttemptExchanging:
			return busy("Completing the authorization", "")
		case s.Phase == workflows.PhaseAuthorization && s.Attempt.State == workflows.AttemptBegun && now.Before(s.Attempt.Expires):
			return waits(showAway, "Waiting for "+app, "Somebody has gone to "+app+" to authorize this. It goes on here as soon as they have.")
		}
		return waits(showAuthorize, "Connect with OAuth", "You sign in at "+app+" itself, and come back here.")
	case activities.FlowDevice:
		if s.Device != nil && !s.Expired {
			return waits(showDevice, "Type this code in at "+app, "It goes on here as soon as you have.")
		}
		return waits(showDevice, "Get a code", "You type it in at "+app+", on any device.")
	case activities.FlowInput, activities.FlowAutomatic:
	}
	return waits(showCredential, "Credentials", "")
}

// marksOf are the steps of a connect with how far it has come.
func marksOf(progress workflows.Progress) []mark {
	last := "Create toolkit"
	switch progress.Mode {
	case workflows.ModeReplace:
		last = "Replace"
	case workflows.ModeSession:
		last = "Finish"
	}
	marks := []mark{{Name: "Account"}, {Name: "Credentials"}, {Name: "Test"}, {Name: last}}
	at := 1
	switch progress.Phase {
	case workflows.PhaseTesting, workflows.PhaseTestFailed:
		at = 2
	case workflows.PhaseReview, workflows.PhaseActivating:
		at = 3
	case workflows.PhaseActive:
		at = 4
	case workflows.PhaseFailed, workflows.PhaseCancelled: // no step is under way, and none is known to be done
		return marks
	case workflows.PhaseValidating, workflows.PhaseReserving, workflows.PhaseAuthorization, workflows.PhaseCredential,
		workflows.PhaseDevice, workflows.PhaseObtaining, workflows.PhaseAnswer, workflows.PhaseChoice:
	}
	for i := range marks {
		marks[i].Done, marks[i].Now = i < at, i == at
	}
	return marks
}
