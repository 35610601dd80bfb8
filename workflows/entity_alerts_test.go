package workflows

import (
	"slices"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
)

// anything is what the test environment takes for any argument.
const anything = "mock.Anything"

// seen is a watch that finds the given looks one after the other, an hour apart, and then nothing new.
func seen(looks ...func(*activities.Look)) func(int, activities.WatchInput) (*activities.Look, error) {
	next, waited := 0, false
	return func(_ int, in activities.WatchInput) (*activities.Look, error) {
		if waited = !waited; waited || next == len(looks) {
			return nil, connection.LookAgain("nothing new", time.Hour)
		}
		look := in.Reported
		looks[next](&look)
		next++
		return &look, nil
	}
}

func broken(verdict connection.Verdict, lost ...string) func(*activities.Look) {
	return func(look *activities.Look) {
		look.Status, look.Verdict, look.Reason, look.Lost = connection.Error, verdict, "trouble", lost
	}
}

func well(look *activities.Look) {
	*look = activities.Look{Status: connection.Active, Verdict: connection.OK, Grant: look.Grant, Generation: look.Generation}
}

func ending(days int) func(*activities.Look) {
	return func(look *activities.Look) {
		look.Warned, look.Ending, look.Expires = days, "the refresh token", time.Unix(1e9, 0)
	}
}

func works(work *connection.WorkTrouble) func(*activities.Look) {
	return func(look *activities.Look) { look.Work = work }
}

// An alert opens when its trouble begins, says more when there is more to say, and is
// resolved when it is over: each once, whatever else is seen meanwhile.
func TestAlertsFollowWhatIsSeen(t *testing.T) {
	gone := func(look *activities.Look) { look.Status, look.Verdict = connection.Expired, connection.Revoked }
	timeouts := &connection.WorkTrouble{Verdict: connection.Transient, Reason: "time-outs", Count: 9}
	for name, c := range map[string]struct {
		looks      []func(*activities.Look)
		authConfig string
		want       []string
	}{
		"nothing":          {nil, "", nil},
		"an outage":        {[]func(*activities.Look){broken(connection.Transient), well}, "", []string{"+failing", "-failing: it has recovered"}},
		"outage, outage":   {[]func(*activities.Look){broken(connection.Transient), broken(connection.OutcomeUnknown), well}, "", []string{"+failing", "-failing: it has recovered"}},
		"again":            {[]func(*activities.Look){broken(connection.Transient), well, broken(connection.Transient)}, "", []string{"+failing", "-failing: it has recovered", "+failing", "-failing: it was disconnected"}},
		"revoked":          {[]func(*activities.Look){gone}, "", []string{"+expired", "-expired: it was disconnected"}},
		"outage, revoked":  {[]func(*activities.Look){broken(connection.Transient), gone}, "", []string{"+failing", "-failing: it has expired", "+expired", "-expired: it was disconnected"}},
		"scopes":           {[]func(*activities.Look){broken(connection.ScopeLost, "a"), broken(connection.ScopeLost, "a", "b"), well}, "", []string{"+scope-lost", "~scope-lost 0", "-scope-lost: it has recovered"}},
		"an own client":    {[]func(*activities.Look){broken(connection.ClientMisconfigured), well}, "", []string{"+client-refused", "-client-refused: it has recovered"}},
		"a shared client":  {[]func(*activities.Look){broken(connection.ClientMisconfigured), well}, "shared", nil},
		"an end":           {[]func(*activities.Look){ending(14), ending(3), ending(3), ending(1), well}, "", []string{"+expiring", "~expiring 3", "~expiring 1", "-expiring: it has recovered"}},
		"an end that came": {[]func(*activities.Look){ending(1), gone}, "", []string{"+expiring", "-expiring: it has expired", "+expired", "-expired: it was disconnected"}},
		"work":             {[]func(*activities.Look){works(timeouts), broken(connection.Transient), works(nil), well}, "", []string{"+failing", "-failing: it has recovered"}},
		"an end in an outage": {[]func(*activities.Look){ending(14), broken(connection.Transient), func(l *activities.Look) { well(l); ending(14)(l) }}, "",
			[]string{"+expiring", "+failing", "-failing: it has recovered", "-expiring: it was disconnected"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{watch: seen(c.looks...)}
			env := entityEnvironment(t, r)
			s := activeState()
			s.AuthConfig = c.authConfig
			disconnectAfter(env, 100*time.Hour)
			env.ExecuteWorkflow("entity", s)
			if err := env.GetWorkflowError(); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(r.heard, c.want) {
				t.Errorf("told %q, want %q", r.heard, c.want)
			}
		})
	}
}

// What actions keep meeting is an alert, opened once however many workers say so; it
// is over when the watch sees that one has succeeded, or a person's test passes.
func TestTroubleAtWorkIsAnAlert(t *testing.T) {
	at := time.Unix(1e9, 0)
	r := &recorder{}
	env := entityEnvironment(t, r)
	fail := func(grant string, verdict connection.Verdict, count int) {
		env.SignalWorkflow(SignalWorkFailed, WorkFailed{Grant: grant, Trouble: connection.WorkTrouble{Verdict: verdict, Reason: "no answer",
			Count: count, Since: at, Last: at.Add(time.Minute)}})
	}
	env.RegisterDelayedCallback(func() { fail("another", connection.Transient, 3) }, time.Hour)
	env.RegisterDelayedCallback(func() {
		if s := state(t, env); s.Look.Work != nil {
			t.Error("trouble of another grant was taken")
		}
		fail("g", connection.Transient, 3)
		fail("g", connection.Transient, 7)
	}, 2*time.Hour)
	env.RegisterDelayedCallback(func() {
		s := state(t, env)
		if s.Look.Work == nil || s.Look.Work.Count != 7 || s.Look.Status != connection.Active || len(s.Alerts.Open) != 1 || s.Alerts.Open[0].News.Count != 3 {
			t.Errorf("%+v %+v", s.Look.Work, s.Alerts)
		}
		if watched := r.watched[len(r.watched)-1]; watched.Reported.Work == nil {
			t.Error("the watch was not told what to look for")
		}
		env.UpdateWorkflow(UpdateTest, "1", &reply{}, struct{}{})
	}, 3*time.Hour)
	disconnectAfter(env, 50*time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if want := []string{"+failing", "-failing: it has recovered"}; !slices.Equal(r.heard, want) {
		t.Errorf("told %q, want %q", r.heard, want)
	}
}

// A watch knows of no trouble at work that came or went since it was started: its news
// of something else must neither end what it has not heard of nor bring back what is over.
func TestNewsOfAnotherKindLeavesTroubleAtWorkAlone(t *testing.T) {
	work := WorkFailed{Grant: "g", Trouble: connection.WorkTrouble{Verdict: connection.ScopeLost, Count: 1, Since: time.Unix(1e9, 0), Last: time.Unix(1e9, 0)}}
	scopes := func(in activities.WatchInput) *activities.Look {
		look := in.Reported
		look.Scopes = []string{"more"}
		return &look
	}
	again := connection.LookAgain("nothing new", 2*time.Hour)
	t.Run("came", func(t *testing.T) {
		r := &recorder{}
		env := entityEnvironment(t, r)
		r.watch = func(n int, in activities.WatchInput) (*activities.Look, error) {
			if n != 2 {
				return nil, again
			}
			env.SignalWorkflow(SignalWorkFailed, work)
			return scopes(in), nil
		}
		disconnectAfter(env, 20*time.Hour)
		env.ExecuteWorkflow("entity", activeState())
		if want := []string{"+scope-lost", "-scope-lost: it was disconnected"}; !slices.Equal(r.heard, want) {
			t.Errorf("told %q, want %q", r.heard, want)
		}
	})
	t.Run("went", func(t *testing.T) {
		r, looks := &recorder{}, 0
		env := entityEnvironment(t, r)
		r.watch = func(_ int, in activities.WatchInput) (*activities.Look, error) {
			if in.Reported.Work == nil {
				return nil, again
			}
			if looks++; looks != 2 {
				return nil, again
			}
			return scopes(in), nil
		}
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalWorkFailed, work) }, time.Hour)
		env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateTest, "1", &reply{}, struct{}{}) }, 2*time.Hour)
		disconnectAfter(env, 20*time.Hour)
		env.ExecuteWorkflow("entity", activeState())
		if want := []string{"+scope-lost", "-scope-lost: it has recovered"}; !slices.Equal(r.heard, want) {
			t.Errorf("told %q, want %q", r.heard, want)
		}
	})
}

// Open alerts are part of the state: another run resolves them, and raises none twice.
func TestAlertsSurviveAContinueAsNew(t *testing.T) {
	r := &recorder{watch: seen(broken(connection.Transient)), deaf: true}
	env := entityEnvironment(t, r)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalContinueAsNew, struct{}{}) }, 5*time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	carried := carriedFrom(t, env.GetWorkflowError())
	if carried == nil || len(carried.Alerts.Open) != 1 || carried.Alerts.Raised != 1 {
		t.Fatalf("%+v", carried)
	}
	again := &recorder{watch: seen(broken(connection.Transient), well)}
	env = entityEnvironment(t, again)
	var resolved string
	env.OnSignalExternalWorkflow("default-test-namespace", carried.Alerts.Open[0].WorkflowID, "", signalAlertResolved, anything).
		Return(func(_, _, _, _ string, arg any) error { resolved = arg.(AlertResolved).Resolution; return nil })
	disconnectAfter(env, 50*time.Hour)
	env.ExecuteWorkflow("entity", *carried)
	if len(again.heard) != 0 || resolved != "it has recovered" {
		t.Errorf("told %q; resolved %q", again.heard, resolved)
	}
}

func TestAPolicyIsCheckedAndGivenToTheWatch(t *testing.T) {
	r := &recorder{}
	env := entityEnvironment(t, r)
	demand, never, often := connection.OnDemand, connection.IdlePolicy("never"), time.Second
	answers := []*reply{{}, {}, {}, {}}
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateSetPolicy, "1", answers[0], SetPolicy{Idle: &never})
		env.UpdateWorkflow(UpdateSetPolicy, "2", answers[1], SetPolicy{ProbeEvery: &often})
	}, time.Minute)
	env.RegisterDelayedCallback(func() {
		if n := len(r.watched); n != 1 {
			t.Errorf("a refused policy restarted the watch: %d", n)
		}
		env.UpdateWorkflow(UpdateSetPolicy, "3", answers[2], SetPolicy{Idle: &demand})
	}, 2*time.Minute)
	every := 10 * time.Minute
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateSetPolicy, "4", answers[3], SetPolicy{ProbeEvery: &every}) }, 3*time.Minute)
	disconnectAfter(env, 4*time.Minute)
	env.ExecuteWorkflow("entity", activeState())
	for i, answer := range answers[:2] {
		if connection.TypeOf(answer.err) != connection.ErrInvalidInput {
			t.Errorf("%d: %+v", i, answer)
		}
	}
	want := connection.Policy{Idle: demand, ProbeEvery: every}
	if got, _ := answers[3].result.(connection.Policy); got != want || r.watched[len(r.watched)-1].Policy != want {
		t.Errorf("%+v %+v", got, r.watched)
	}
}

// A person who resolves a warning of two weeks is told of three days: not by the alert,
// which is gone, but by another.
func TestWhatIsNewAfterAPersonResolvedIsAnotherAlert(t *testing.T) {
	r := &recorder{watch: seen(ending(14), ending(14), ending(3)), deaf: true}
	env := entityEnvironment(t, r)
	disconnectAfter(env, 50*time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if want := []string{"+expiring", "+expiring"}; !slices.Equal(r.heard, want) {
		t.Errorf("told %q, want %q", r.heard, want)
	}
}

// Different troubles at once are different alerts.
func TestALostScopeBesideAnOutageIsTwoAlerts(t *testing.T) {
	scope := &connection.WorkTrouble{Verdict: connection.ScopeLost, Reason: "403", Count: 1}
	r := &recorder{watch: seen(broken(connection.Transient), works(scope))}
	env := entityEnvironment(t, r)
	disconnectAfter(env, 50*time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if want := []string{"+failing", "+scope-lost"}; len(r.heard) != 4 || !slices.Equal(r.heard[:2], want) {
		t.Errorf("told %q, want %q first", r.heard, want)
	}
}

// What a person's refresh finds out about the client is seen at once.
func TestARefreshTellsOfTheClient(t *testing.T) {
	refused := connection.Refused(connection.ErrClientMisconfigured, "invalid_client", "rotate it")
	refused.Verdict = connection.ClientMisconfigured
	r := &recorder{fail: map[string]error{"RefreshCredential": refused}}
	env := entityEnvironment(t, r)
	looks := 0
	env.RegisterDelayedCallback(func() {
		looks = r.count("WatchConnection")
		env.UpdateWorkflow(UpdateRefresh, "1", &reply{}, struct{}{})
	}, 30*time.Minute)
	env.RegisterDelayedCallback(func() {
		if r.count("WatchConnection") == looks {
			t.Error("nobody looked again")
		}
		env.SignalWorkflow(SignalContinueAsNew, struct{}{})
	}, 31*time.Minute)
	env.ExecuteWorkflow("entity", activeState())
	carried := carriedFrom(t, env.GetWorkflowError())
	if carried == nil {
		t.FailNow()
	}
	carried.Look.Status, carried.Look.Verdict, carried.Look.Reason = connection.Error, connection.ClientMisconfigured, "invalid_client"
	env = entityEnvironment(t, &recorder{})
	healed := &reply{}
	env.RegisterDelayedCallback(func() { env.UpdateWorkflow(UpdateRefresh, "2", healed, struct{}{}) }, time.Minute)
	disconnectAfter(env, time.Hour)
	env.ExecuteWorkflow("entity", *carried)
	if result, _ := healed.result.(RefreshResult); result.Status != connection.Active {
		t.Errorf("%+v", healed)
	}
}

// While the app has not taken a revocation the list of connections says so.
func TestADisconnectThatTakesLongIsListed(t *testing.T) {
	r := &recorder{fail: map[string]error{"RevokeGrant": connection.ProviderUnavailable("away", 503)}}
	env := entityEnvironment(t, r)
	var during State
	env.RegisterDelayedCallback(func() { during = state(t, env) }, time.Hour+time.Minute)
	env.RegisterDelayedCallback(func() { delete(r.fail, "RevokeGrant") }, time.Hour+2*time.Minute)
	disconnectAfter(env, time.Hour)
	env.ExecuteWorkflow("entity", activeState())
	if during.Look.Status != connection.Leaving || env.GetWorkflowError() != nil {
		t.Errorf("%+v %v", during.Look, env.GetWorkflowError())
	}
}
