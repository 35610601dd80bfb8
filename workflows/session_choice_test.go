package workflows

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// What a link has fixed is the same whatever the person sends, or the person is told no.
func TestWhatALinkFixes(t *testing.T) {
	open := ConnectSessionInput{ConnectRequest: activities.ConnectRequest{Connection: testID, Kept: activities.Kept{Actions: []string{"smuggled"}}}}
	open.AuthConfigChosen = true // says nothing here
	fixed := open
	fixed.Method, fixed.AuthConfig, fixed.Access, fixed.Values = "oauth", "demo", "read", map[string]string{"host": "a"}
	some := open
	some.Actions = []string{"b", "a", "b"}
	for name, test := range map[string]struct {
		in     ConnectSessionInput
		choice StartSession
		want   activities.ConnectRequest
		field  string // "" where it may be
	}{
		"all is open": {open, StartSession{Method: "oauth", AuthConfig: "demo", Actions: []string{"b", "a"}, Values: map[string]string{"host": "a"}},
			activities.ConnectRequest{Method: "oauth", AuthConfig: "demo", Access: "actions", Actions: []string{"a", "b"}, Values: map[string]string{"host": "a"}}, ""},
		"nothing is chosen": {open, StartSession{}, activities.ConnectRequest{}, ""},
		"all is fixed":      {fixed, StartSession{}, activities.ConnectRequest{Method: "oauth", AuthConfig: "demo", Access: "read", Values: map[string]string{"host": "a"}}, ""},
		"said again": {fixed, StartSession{Method: "oauth", AuthConfig: "demo", Access: "read", Values: map[string]string{"host": "a"}},
			activities.ConnectRequest{Method: "oauth", AuthConfig: "demo", Access: "read", Values: map[string]string{"host": "a"}}, ""},
		"a value more": {fixed, StartSession{Values: map[string]string{"port": "1"}},
			activities.ConnectRequest{Method: "oauth", AuthConfig: "demo", Access: "read", Values: map[string]string{"host": "a", "port": "1"}}, ""},
		"the same actions":     {some, StartSession{Actions: []string{"a", "b"}}, activities.ConnectRequest{Access: "actions", Actions: []string{"a", "b"}}, ""},
		"another method":       {fixed, StartSession{Method: "basic"}, activities.ConnectRequest{}, "method"},
		"another registration": {fixed, StartSession{AuthConfig: "mine"}, activities.ConnectRequest{}, "auth_config"},
		"more access":          {fixed, StartSession{Access: "read-write"}, activities.ConnectRequest{}, "access"},
		"an action of it":      {fixed, StartSession{Actions: []string{"a"}}, activities.ConnectRequest{}, "access"},
		"an action more":       {some, StartSession{Actions: []string{"a", "b", "c"}}, activities.ConnectRequest{}, "access"},
		"all actions":          {some, StartSession{Access: "read-write"}, activities.ConnectRequest{}, "access"},
		"another value":        {fixed, StartSession{Values: map[string]string{"host": "b"}}, activities.ConnectRequest{}, "host"},
		"a value taken away":   {fixed, StartSession{Values: map[string]string{"host": ""}}, activities.ConnectRequest{}, "host"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.in.connect(test.choice)
			problem, _ := connection.AsProblem(err)
			if test.field != "" {
				if problem == nil || problem.Type != connection.ErrInvalidInput || problem.Field != test.field {
					t.Errorf("%+v %v", got, err)
				}
				return
			}
			want := test.want
			if chosen := test.in.AuthConfig == "" && test.choice.AuthConfig != ""; got.AuthConfigChosen != chosen {
				t.Errorf("the auth config is chosen here: %t", got.AuthConfigChosen)
			}
			if err != nil || got.Connection != testID || got.Method != want.Method || got.AuthConfig != want.AuthConfig || got.Access != want.Access ||
				!slices.Equal(got.Actions, want.Actions) || !maps.Equal(got.Values, want.Values) || len(got.Kept.Actions) != 0 || got.Mode != ModeSession {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
}

// The end of a link is its time, and not that somebody has looked at the clock. A
// connect that is open outlasts it.
func TestALinkIsOverWithItsTime(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	s := &connectSession{state: ConnectSessionState{ConnectSessionInput: ConnectSessionInput{TokenSHA256: tokenHash}, BrowserSHA256: browserHash,
		State: SessionClaimed, Expires: now}}
	claim := ClaimSession{TokenSHA256: tokenHash, BrowserSHA256: browserHash}
	for _, refused := range []*connection.Problem{s.refusal(claim, now), s.notYours(browserHash, now)} {
		if refused == nil || refused.Type != connection.ErrSessionClosed || refused.Message != "this link has expired" {
			t.Errorf("at its end: %v", refused)
		}
	}
	before := now.Add(-1)
	if s.refusal(claim, before) != nil || s.notYours(browserHash, before) != nil {
		t.Errorf("before its end: %v, %v", s.refusal(claim, before), s.notYours(browserHash, before))
	}
	s.child = struct{ workflow.ChildWorkflowFuture }{}
	if s.refusal(claim, now) != nil || s.notYours(browserHash, now) != nil {
		t.Error("an open connect has ended with the link")
	}
}

func TestWhatIsNoHashIsTheSameAsNothing(t *testing.T) {
	short := strings.Repeat("a1", 31)
	for _, text := range []string{"", "a1", short, tokenHash + "a1", strings.Repeat("zz", 32), tokenHash[:63]} {
		if sameHash(text, text) || isHash(text) {
			t.Errorf("%q", text)
		}
	}
	if !sameHash(tokenHash, strings.ToUpper(tokenHash)) || sameHash(tokenHash, otherHash) {
		t.Error("a hash is another than itself, or the same as another")
	}
}

// However often a browser tries, and whatever it asks for, the history has an end.
func TestStartsAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		choice StartSession
		kind   string
		checks int
	}{
		"what does not pass": {StartSession{BrowserSHA256: browserHash, Method: "api-key"}, connection.ErrAuthConfigNotFound, maxStarts},
		"what is fixed":      {StartSession{BrowserSHA256: browserHash, Values: map[string]string{"host": "another"}}, connection.ErrInvalidInput, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: keyPlan(), fail: map[string]error{"ValidateConnect": connection.Refused(connection.ErrAuthConfigNotFound, "there is none", "")}}
			v := newVisit(t, r)
			v.claim(time.Second)
			var before, last *reply
			for i := range maxStarts + 1 {
				before, last = last, v.send(time.Duration(i+2)*time.Second, UpdateStart, test.choice)
			}
			v.play()
			v.refused(before, test.kind, false)
			v.refused(last, connection.ErrLinkInvalid, true)
			if r.count("ValidateConnect") != test.checks {
				t.Errorf("%d tries", r.count("ValidateConnect"))
			}
		})
	}
}

// Who has the link, and which browser used it up, is told by their hashes alone.
func TestWhomASessionKnows(t *testing.T) {
	s := ConnectSessionState{ConnectSessionInput: ConnectSessionInput{TokenSHA256: tokenHash}}
	if !s.Admits(tokenHash) || s.Admits(otherHash) || s.Admits("") || s.ClaimedBy("") || s.ClaimedBy(browserHash) {
		t.Errorf("unclaimed: %+v", s)
	}
	s.BrowserSHA256 = browserHash
	if !s.ClaimedBy(browserHash) || s.ClaimedBy(otherHash) || s.ClaimedBy(tokenHash) || (ConnectSessionState{}).Admits("") {
		t.Errorf("claimed: %+v", s)
	}
}
