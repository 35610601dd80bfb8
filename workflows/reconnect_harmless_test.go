package workflows

import (
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

// leaves makes the scene's Vault hold what the reconnect has stored and what was
// replaced, until each is destroyed.
func (s *scene) leaves() {
	s.r.discard = func(activities.DiscardInput) *activities.DiscardReport {
		report := &activities.DiscardReport{}
		add := func(grant string) {
			report.Candidates = append(report.Candidates, connection.CredentialRef{Connection: testID, Grant: grant, Generation: 1, Candidate: true})
		}
		switch {
		case s.r.count("DestroyCredential") > 0:
		case s.r.count("AdoptCandidate") > 0:
			add("g")
		case s.r.count("StoreCredential") > 0:
			add("new")
		}
		return report
	}
}

// Whatever becomes of a reconnect that does not come to its end: what lives is not
// touched, its gate is not written, and only the candidate is ended.
func TestAReconnectNeverHarmsWhatLives(t *testing.T) {
	refused := func(int) (*activities.ProbeReport, error) {
		return nil, connection.Refused(connection.ErrReconnectRequired, "refused", "")
	}
	for name, c := range map[string]struct {
		probe    func(int) (*activities.ProbeReport, error)
		fail     map[string]error
		provided bool
		ended    bool // by itself; else it is cancelled
		what     string
	}{
		"cancelled before anything was given": {what: "Reconnect cancelled"},
		"cancelled after a refused candidate": {probe: refused, provided: true, what: "Reconnect cancelled"},
		"it could not be adopted": {provided: true, ended: true, what: "Reconnect failed",
			fail: map[string]error{"AdoptCandidate": connection.NotFound(testID)}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: keyPlan(), probe: c.probe, fail: c.fail}
			s := newScene(t, r)
			if c.ended {
				r.discard = func(activities.DiscardInput) *activities.DiscardReport {
					return &activities.DiscardReport{Candidates: []connection.CredentialRef{{Connection: testID, Grant: "new", Candidate: true}}}
				}
			} else {
				s.leaves()
			}
			begun := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{})
			if c.provided {
				s.provide(2*time.Hour, "2", begun)
			}
			if !c.ended {
				s.toConnect(3*time.Hour, "3", UpdateCancel, func() any { return Reason{} })
			}
			after := s.state(4 * time.Hour)
			s.at(4*time.Hour, func() {
				if len(r.gates) != 0 {
					t.Errorf("the gate was written: %+v", r.gates)
				}
				for _, in := range r.revoked {
					if !in.Ref.Candidate || in.Ref.Grant == "g" {
						t.Errorf("revoked %+v", in)
					}
				}
				if c.provided != (len(r.revoked) > 0) {
					t.Errorf("what was stored: revoked %+v", r.revoked)
				}
			})
			start := living()
			s.play(start, 5*time.Hour)
			if after.Look.Grant != "g" || after.Look.Status != connection.Active || after.Look.Identity != ada || after.Reconnect != nil || after.Method != start.Method {
				t.Errorf("%+v", after)
			}
			if last := after.Transitions[len(after.Transitions)-1]; last.What != c.what || last.Reason == "" && c.ended {
				t.Errorf("%+v", after.Transitions)
			}
		})
	}
}

// A worker that dies between the swap and the end of the old grant, or an app that
// does not take the revocation, holds nothing up: the new credential is in place.
func TestTheOldGrantIsEndedInTheEnd(t *testing.T) {
	for name, heals := range map[string]bool{"after some attempts": true, "never": false} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: keyPlan(), deaf: true, fail: map[string]error{"RevokeGrant": connection.ProviderUnavailable("away", 503)}}
			s := newScene(t, r)
			s.leaves()
			begun := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{})
			s.provide(2*time.Hour, "2", begun)
			meanwhile := s.state(2*time.Hour + 30*time.Second)
			if heals {
				s.at(2*time.Hour+time.Minute, func() { delete(r.fail, "RevokeGrant") })
			}
			after := s.state(3 * time.Hour)
			s.at(3*time.Hour, func() {
				delete(r.fail, "RevokeGrant") // the disconnect's own must not wait
				if heals != (len(r.revoked) == 1 && r.revoked[0].Ref.Grant == "g" && r.revoked[0].Ref.Candidate) || r.count("DestroyCredential") == 0 {
					t.Errorf("revoked %+v", r.revoked)
				}
			})
			s.play(living(), 7*time.Hour)
			if meanwhile.Look.Grant == "g" || meanwhile.Look.Status != connection.Active || meanwhile.Reconnect != nil {
				t.Errorf("%+v", meanwhile)
			}
			if last := after.Transitions[len(after.Transitions)-1]; heals != (last.What != "Not revoked") {
				t.Errorf("%+v", after.Transitions)
			}
		})
	}
}

func TestAReconnectToAnotherTenantIsRefused(t *testing.T) {
	first := connection.Identity{Account: "ada", Label: ada.Label, Tenant: "t1", TenantLabel: "One"}
	second := connection.Identity{Account: "ada", Label: ada.Label, Tenant: "t2", TenantLabel: "Two"}
	for name, c := range map[string]struct {
		was, is connection.Identity
		allow   bool
		want    connection.Identity // "" where it is refused
	}{
		"refused":              {first, second, false, connection.Identity{}},
		"allowed":              {first, second, true, second},
		"not known before":     {ada, second, false, second},
		"the same":             {first, first, false, first},
		"not told this time":   {first, ada, false, first},
		"not told, of another": {first, connection.Identity{Account: "eve"}, true, connection.Identity{Account: "eve"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{plan: keyPlan(), probe: func(int) (*activities.ProbeReport, error) { return &activities.ProbeReport{Identity: c.is}, nil }}
			s := newScene(t, r)
			begun := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{AllowOtherAccount: c.allow})
			tried := s.provide(2*time.Hour, "2", begun)
			after := s.state(3 * time.Hour)
			start := living()
			start.Look.Identity = c.was
			s.play(start, 4*time.Hour)
			progress := progressOf(t, tried)
			if c.want.Account != "" {
				if progress.Problem != nil || after.Look.Identity != c.want || r.count("AdoptCandidate") != 1 {
					t.Errorf("%+v, %+v", progress.Problem, after.Look.Identity)
				}
				return
			}
			if p := progress.Problem; p == nil || p.Type != connection.ErrIdentityChanged || p.Message != "it is of organisation Two now, not One" {
				t.Errorf("%+v", p)
			}
			if after.Look.Identity != first || after.Look.Grant != "g" || r.count("AdoptCandidate") != 0 {
				t.Errorf("%+v", after.Look)
			}
		})
	}
}

func TestAReconnectByAnotherMethod(t *testing.T) {
	r := &recorder{plan: oauthPlan()}
	s := newScene(t, r)
	begun := s.send(time.Hour, "1", UpdateReconnect, ReconnectInput{Method: "oauth", AuthConfig: "demo"})
	s.toConnect(2*time.Hour, "2", UpdateRequestLink, func() any {
		return RequestLink{Fingerprint: begun.result.(Reconnecting).Connect.Fingerprint}
	})
	s.at(3*time.Hour, func() {
		encoded, err := s.QueryWorkflowByID(ConnectWorkflowID(testID), QueryProgress)
		var progress Progress
		if err == nil {
			err = encoded.Get(&progress)
		}
		if err != nil || len(progress.Attempts) != 1 || progress.Phase != PhaseAuthorization {
			t.Errorf("%+v, %v", progress, err)
		}
	})
	asked := func() ConnectInput { return begun.result.(Reconnecting).Connect }
	s.play(living(), 5*time.Hour)
	if in := asked(); in.Method != "oauth" || in.AuthConfig != "demo" || in.Known != ada {
		t.Errorf("%+v", in)
	}
}

// What a test of a person found is said with when it was; one that passed is no news.
func TestAFailedTestIsNoted(t *testing.T) {
	for name, c := range map[string]struct {
		problem error
		want    []string
		status  connection.Status
	}{
		"passed":         {nil, nil, connection.Active},
		"app in trouble": {connection.Refused(connection.ErrTestFailed, "the answer is odd", ""), []string{"Test failed: the answer is odd"}, connection.Active},
		"dead": {connection.ReconnectRequired(testID, "revoked by the account's owner"),
			[]string{"Test failed: ", "Expired: "}, connection.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, &recorder{plan: keyPlan(), probe: func(int) (*activities.ProbeReport, error) {
				if c.problem != nil {
					return nil, c.problem
				}
				return &activities.ProbeReport{Identity: ada}, nil
			}})
			s.send(time.Hour, "1", UpdateTest, struct{}{})
			after := s.state(2 * time.Hour)
			s.play(living(), 3*time.Hour)
			if after.Look.Status != c.status || len(after.Transitions) != len(c.want) {
				t.Fatalf("%s %+v", after.Look.Status, after.Transitions)
			}
			for i, want := range c.want {
				if got := after.Transitions[i].What + ": " + after.Transitions[i].Reason; !strings.HasPrefix(got, want) || strings.HasSuffix(got, ": ") {
					t.Errorf("%q, want %q", got, want)
				}
			}
		})
	}
}
