package e2e

import (
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
)

// phases are the places at which a connect can be ended; each leaves it there, and
// says whether the app has made a grant by then that can be revoked.
var phases = map[string]struct {
	reach   func(t *testing.T, name string)
	granted bool
}{
	"link asked":    {reach: func(t *testing.T, name string) { ask(t, name, false) }},
	"at the app":    {reach: func(t *testing.T, name string) { p := newPerson(t); p.submit(p.visit(ask(t, name, false).URL), nil) }},
	"test failed":   {granted: true, reach: failing},
	"review open":   {granted: true, reach: reviewed},
	"key refused":   {reach: func(t *testing.T, name string) { typedIn(t, name, "wrong", false) }},
	"key in review": {reach: func(t *testing.T, name string) { typedIn(t, name, s.credentials["api_key"], true) }},
}

// ends are the ways to end it from outside.
var ends = map[string]func(t *testing.T, name string){
	"cancelled": func(t *testing.T, name string) {
		if err := s.client.CancelConnect(within(t, time.Minute), id(name), workflows.Reason{}); err != nil {
			t.Fatal(err)
		}
	},
	"terminated": func(t *testing.T, name string) {
		if err := s.client.Temporal.TerminateWorkflow(within(t, time.Minute), workflows.ConnectWorkflowID(id(name)), "", "by a test"); err != nil {
			t.Fatal(err)
		}
	},
	"its connection cancelled": func(t *testing.T, name string) { // what a disconnect is to a connection that is not one yet
		if _, err := s.client.Disconnect(within(t, time.Minute), id(name), ""); connection.TypeOf(err) != connection.ErrConnectionPending {
			t.Errorf("a disconnect of what is being connected: %v", err)
		}
		if err := s.client.Temporal.CancelWorkflow(within(t, time.Minute), workflows.ConnectionWorkflowID(id(name)), ""); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the connection closes", func() bool {
			open, err := s.client.ConnectionOpen(within(t, time.Minute), id(name))
			return err == nil && !open
		})
		if err := s.client.CancelConnect(within(t, time.Minute), id(name), workflows.Reason{}); err != nil {
			t.Fatal(err)
		}
	},
}

func ask(t *testing.T, name string, review bool) workflows.Link {
	t.Helper()
	authConfig(t, "oauth", "oauth")
	link, err := s.client.RequestLink(within(t, time.Minute), workflows.ConnectInput{Review: review,
		ConnectRequest: activities.ConnectRequest{Connection: id(name), Method: "oauth", AuthConfig: "oauth"}})
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func arrives(t *testing.T, name string, phase workflows.Phase) {
	t.Helper()
	eventually(t, string(phase), func() bool {
		progress, err := s.client.Progress(within(t, time.Minute), id(name))
		return err == nil && progress.Phase == phase
	})
}

func reviewed(t *testing.T, name string) {
	newPerson(t).connect(ask(t, name, true).URL, "ada", "approve")
	arrives(t, name, workflows.PhaseReview)
}

// failing obtains a grant whose test fails: the candidate is stored.
func failing(t *testing.T, name string) {
	link := ask(t, name, false)
	s.sandboxSettings(t, map[string]any{"organisations": map[string]int{"ada": 2}}) // and the method names none
	newPerson(t).connect(link.URL, "ada", "approve")
	arrives(t, name, workflows.PhaseTestFailed)
}

func typedIn(t *testing.T, name, key string, review bool) {
	t.Helper()
	ctx := within(t, time.Minute)
	ref, err := s.secrets.Inbox().Leave(ctx, map[string]connection.Secret{"api_key": connection.NewSecret(key)})
	if err != nil {
		t.Fatal(err)
	}
	in := workflows.ConnectInput{Review: review, ConnectRequest: activities.ConnectRequest{Connection: id(name), Method: "api-key",
		Values: map[string]string{"base_url": s.ready.Sandbox}}}
	if _, err := s.client.Connect(ctx, in, ref); err != nil {
		t.Fatal(err)
	}
	if review {
		arrives(t, name, workflows.PhaseReview)
	} else {
		arrives(t, name, workflows.PhaseTestFailed)
	}
}

// Wherever a connect is ended, and however: nothing of it is left in Vault or Temporal,
// and the grant, if there was one, is revoked at the app, once. A connect that dies
// without a word is noticed within a minute; all are waited for together.
func TestAConnectEndedAnywhereLeavesNothing(t *testing.T) {
	type ended struct{ name, family string }
	var all []ended
	for at, phase := range phases {
		for how, end := range ends {
			t.Run(at+"/"+how, func(t *testing.T) {
				one := ended{name: "ended-" + connection.Slugify(at+" "+how)}
				mark := s.mark(t)
				phase.reach(t, one.name)
				if phase.granted {
					one.family = familySince(t, mark)
				}
				end(t, one.name)
				all = append(all, one)
			})
		}
	}
	for _, one := range all {
		eventually(t, "the reservation of "+one.name+" is given up", func() bool {
			connectOpen, err := s.client.SessionOpen(within(t, time.Minute), id(one.name), "")
			open, otherErr := s.client.ConnectionOpen(within(t, time.Minute), id(one.name))
			return err == nil && otherErr == nil && !open && !connectOpen
		})
		gone(t, one.name)
		if n := count(s.since(t, 0), func(e entry) bool { return revoked(e) && e.Family == one.family }); one.family != "" && n != 1 {
			t.Errorf("%s: %d revocations at the app", one.name, n)
		}
	}
}

// A Connection that is terminated while a reconnect is open can undo nothing. The
// reconnect is cancelled with it and undoes itself, and the sweep names what is left.
func TestATerminatedConnectionIsNamedByTheSweep(t *testing.T) {
	const name = "terminated"
	connectBy(t, name, "api-key")
	wrong := secretFile(t, map[string]string{"api_key": "not a key"})
	if _, _, code := cli(t, "reconnect", string(id(name)), "--secret-file", wrong); code == 0 {
		t.Fatal("a wrong key was taken")
	}
	ctx := within(t, 2*time.Minute)
	if described, err := s.client.Describe(ctx, id(name)); err != nil || described.Reconnect == nil {
		t.Fatalf("no reconnect is open: %+v %v", described.State, err)
	}
	if err := s.client.Temporal.TerminateWorkflow(ctx, workflows.ConnectionWorkflowID(id(name)), "", "by a test"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reconnect has undone itself", func() bool {
		open, err := s.client.SessionOpen(ctx, id(name), "")
		found, listErr := s.root.Logical().List("connected-apps/" + environment + "/secrets/metadata/candidates/sandbox/" + name)
		return err == nil && listErr == nil && !open && found == nil
	})
	eventually(t, "the list has followed", func() bool {
		open := false
		err := s.client.EachOpenConnection(ctx, func(other connection.ID) { open = open || other == id(name) })
		return err == nil && !open
	})
	swept, err := s.client.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "sweep/" + name, TaskQueue: workflows.Queue}, workflows.TypeSweepVault)
	if err != nil {
		t.Fatal(err)
	}
	var report activities.SweepReport
	if err := swept.Get(ctx, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Orphans) != 1 || report.Orphans[0] != id(name) {
		t.Errorf("%+v", report)
	}
	// A person decides: it is destroyed by hand here, so that other tests find Vault clean.
	if _, err := s.root.Logical().Delete("connected-apps/" + environment + "/secrets/metadata/connections/sandbox/" + name); err != nil {
		t.Fatal(err)
	}
	_, err = run(t, name, "whoami", map[string]any{})
	if kind := connection.TypeOf(err); kind != connection.ErrConnectionNotFound {
		t.Errorf("%v", err)
	}
}
