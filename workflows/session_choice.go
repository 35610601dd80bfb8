package workflows

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"

	"go.temporal.io/sdk/workflow"
)

// life is how long the session may go without a connect that is open.
func (in ConnectSessionInput) life() time.Duration {
	if in.Life == 0 {
		return sessionDefault
	}
	return in.Life
}

// check reports, as an ErrInvalidInput, what is wrong with a session that can be seen
// without the app's definition.
func (in ConnectSessionInput) check() error {
	for _, named := range []struct{ field, value string }{{"session", in.Session}, {"environment", in.Environment}, {"app", in.App}} {
		if err := connection.CheckSlug(named.field, named.value); err != nil {
			return err
		}
	}
	id, err := connection.ParseID(in.Connection.String())
	switch {
	case err != nil:
		return err
	case id.Environment() != in.Environment || id.App() != in.App:
		return connection.InvalidInput("connection", fmt.Sprintf("%s is not of %s/%s", id, in.Environment, in.App),
			"begin it with the session's environment and app")
	case !isHash(in.TokenSHA256):
		return connection.InvalidInput("token_sha256", "it is no SHA-256 in hexadecimal", "send the hash of the link's token, and never the token")
	case in.Life < 0 || in.Life > sessionMax:
		return connection.InvalidInput("life", "a link lives for a day at most", "leave it out for half an hour")
	case in.Notify != "":
		return connection.CheckSlug("notify", in.Notify)
	}
	return nil
}

// connect is the connect that the person asks for: what the session says, completed by
// what they chose. It fails with ErrInvalidInput where they would change what is fixed.
func (in ConnectSessionInput) connect(choice StartSession) (ConnectInput, error) {
	request := in.ConnectRequest
	request.Kept = activities.Kept{}
	request.AuthConfigChosen = in.AuthConfig == "" && choice.AuthConfig != ""
	for _, field := range []struct {
		name, chosen string
		fixed        *string
	}{{"method", choice.Method, &request.Method}, {"auth_config", choice.AuthConfig, &request.AuthConfig}} {
		if field.chosen != "" && *field.fixed != "" && field.chosen != *field.fixed {
			return ConnectInput{}, isFixed(field.name)
		}
		if field.chosen != "" {
			*field.fixed = field.chosen
		}
	}
	access, actions := accessOf(in.Access, in.Actions)
	chosen, only := accessOf(choice.Access, choice.Actions)
	switch {
	case access == "":
		access, actions = chosen, only
	case chosen != "" && (chosen != access || !slices.Equal(actions, only)):
		return ConnectInput{}, isFixed("access")
	}
	request.Access, request.Actions = access, actions
	for _, name := range workflow.DeterministicKeys(choice.Values) {
		if fixed, ok := in.Values[name]; ok && fixed != choice.Values[name] {
			return ConnectInput{}, isFixed(connection.Bound(name, 63))
		}
	}
	request.Values = changed(in.Values, choice.Values)
	connect := ConnectInput{ConnectRequest: request, DisplayName: in.DisplayName, Owner: in.Owner,
		RequestedBy: in.RequestedBy, Mode: ModeSession}
	connect.Fingerprint = fingerprint(connect)
	return connect, nil
}

// accessOf says the same access always in the same way: a list of actions means the
// level "actions", and its order nothing. "" is what was left open.
func accessOf(access string, actions []string) (string, []string) {
	if access == "" && len(actions) > 0 {
		access = connectors.AccessActions
	}
	return access, slices.Compact(slices.Sorted(slices.Values(actions)))
}

func isFixed(field string) *connection.Problem {
	return connection.InvalidInput(field, "this link has fixed it", "leave it out, or ask for another link")
}

// Admits reports whether a link with a token of that hash is the session's.
func (s ConnectSessionState) Admits(tokenSHA256 string) bool {
	return sameHash(tokenSHA256, s.TokenSHA256)
}

// ClaimedBy reports whether the browser with a secret of that hash has used the link up.
func (s ConnectSessionState) ClaimedBy(browserSHA256 string) bool {
	return sameHash(browserSHA256, s.BrowserSHA256)
}

// refusal is why a claim by that hash of a token and of a browser's secret is refused;
// nil if it is not. Whoever does not know the token learns nothing else.
func (s *connectSession) refusal(in ClaimSession, now time.Time) *connection.Problem {
	switch {
	case !s.state.Admits(in.TokenSHA256):
		return linkInvalid("this link is not known here")
	case !isHash(in.BrowserSHA256):
		return connection.InvalidInput("browser_sha256", "it is no SHA-256 in hexadecimal", "send the hash of a secret that only this browser has")
	case s.finished(now):
		return s.closed(now)
	case s.state.BrowserSHA256 != "" && !s.state.ClaimedBy(in.BrowserSHA256):
		return linkInvalid("this link has been used")
	default:
		return nil
	}
}

// notYours is why that browser may not begin a connect; nil if it may.
func (s *connectSession) notYours(browser string, now time.Time) *connection.Problem {
	switch {
	case s.finished(now):
		return s.closed(now)
	case !s.state.ClaimedBy(browser):
		return linkInvalid("this browser has not opened the link")
	case s.starts >= maxStarts:
		return linkInvalid("this link has been tried too often")
	default:
		return s.ended(now)
	}
}

// ended is why no connect may begin any more, whoever asks; nil if one may.
func (s *connectSession) ended(now time.Time) *connection.Problem {
	switch {
	case s.finished(now):
		return s.closed(now)
	case s.cancel != nil:
		return beingCancelled()
	default:
		return nil
	}
}

// tooLate is why there is nothing to cancel; nil if there is.
func (s *connectSession) tooLate() *connection.Problem {
	switch {
	case s.state.State == SessionConnected:
		return connection.Refused(connection.ErrSessionClosed, "the connection has been made", "disconnect it instead")
	case s.state.State.Over():
		return s.state.closed()
	case s.cancel != nil:
		return beingCancelled()
	default:
		return nil
	}
}

func beingCancelled() *connection.Problem {
	return connection.Refused(connection.ErrSessionClosed, "this connect session is being cancelled", "ask for a new link")
}

// finished reports whether nothing can be done any more: it is over, or will be as soon as its timer is looked at.
func (s *connectSession) finished(now time.Time) bool {
	return s.state.State.Over() || s.child == nil && !now.Before(s.state.Expires)
}

func (s *connectSession) closed(now time.Time) *connection.Problem {
	state := s.state
	if !state.State.Over() && !now.Before(state.Expires) {
		state.State = SessionExpired
	}
	return state.closed()
}

// closed says, as an ErrSessionClosed, that nothing can be done with the session any more.
func (s ConnectSessionState) closed() *connection.Problem {
	message, remedy := "this connect session was ended from outside", "ask for a new link"
	switch s.State {
	case SessionConnected:
		message, remedy = "this connect session is finished", "use the connection"
	case SessionFailed:
		message = "this connect session has failed"
		if s.Problem != nil {
			message += ": " + s.Problem.Message
		}
	case SessionCancelled:
		message = "this connect session was cancelled"
	case SessionExpired:
		message = "this link has expired"
	case SessionOpen, SessionClaimed, SessionConnecting: // its run was terminated
	}
	return connection.Refused(connection.ErrSessionClosed, message, remedy)
}

// isHash reports whether text is a SHA-256 in hexadecimal.
func isHash(text string) bool { return sameHash(text, text) }

// sameHash compares two SHA-256 in hexadecimal, in a time that does not tell where they
// differ. What is no hash is the same as nothing.
func sameHash(a, b string) bool {
	x, errX := hex.DecodeString(a)
	y, errY := hex.DecodeString(b)
	return errX == nil && errY == nil && len(x) == sha256.Size && subtle.ConstantTimeCompare(x, y) == 1
}
