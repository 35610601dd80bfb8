package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

func identityFile(t *testing.T, who, environment, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "identities", who, environment, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// Vault is sealed, and then crashes again and again, while tokens live for seconds:
// no token is spent that could not be stored, nobody is said to be expired, and
// work that was begun meanwhile ends well once Vault is back, without a restart of anything else.
func TestAnOutageOfVaultExpiresNobody(t *testing.T) {
	const name = "outage"
	start := s.mark(t)
	s.sandboxSettings(t, map[string]any{"access_ttl": "8s"})
	connectBy(t, name, "oauth")
	family := familySince(t, start)
	asked := func(e entry) bool { return e.Kind == "token" && e.Family == family && e.GrantType == "refresh_token" }
	eventually(t, "tokens are refreshed by themselves", func() bool { return count(s.since(t, start), asked) > 0 })
	var during workflows.State
	if err := s.root.Sys().SealWithContext(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	t.Cleanup(func() { // a sealed one never comes back by itself
		if health, err := s.root.Sys().Health(); err == nil && health.Sealed {
			_ = syscall.Kill(s.child(t, "devstack-vault", ""), syscall.SIGKILL)
		}
	})
	time.Sleep(2 * time.Second) // a refresh that was in flight ends
	mark := s.mark(t)
	worked := make(chan error, 1)
	go func() { _, err := run(t, name, "whoami", map[string]any{}); worked <- err }()
	time.Sleep(14 * time.Second) // two lives of a token, with a Vault that answers that it is sealed
	for ; time.Since(began) < 30*time.Second; time.Sleep(100 * time.Millisecond) {
		_ = syscall.Kill(s.child(t, "devstack-vault", ""), syscall.SIGKILL) // then with one that refuses connections
		if n := count(s.since(t, mark), asked); n != 0 {
			t.Fatalf("%d tokens were spent while Vault could not take the answer", n)
		}
	}
	if value, err := s.client.Temporal.QueryWorkflow(within(t, time.Minute), workflows.ConnectionWorkflowID(id(name)), "", workflows.QueryDescribe); err != nil {
		t.Error(err)
	} else if err := value.Get(&during); err != nil || during.Look.Status != connection.Active {
		t.Errorf("during the outage: %+v %v", during.Look, err)
	}
	eventually(t, "Vault is back", func() bool {
		health, err := s.root.Sys().HealthWithContext(within(t, time.Second))
		return err == nil && !health.Sealed && !health.Standby
	})
	t.Logf("away for %s", time.Since(began).Round(time.Second))
	if err := <-worked; err != nil {
		t.Errorf("work that was begun meanwhile: %v", err)
	}
	if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
		t.Error(err)
	}
	eventually(t, "tokens are refreshed again", func() bool { return count(s.since(t, mark), asked) > 1 })
	described, err := s.client.Describe(within(t, time.Minute), id(name))
	if err != nil || described.Look.Status != connection.Active {
		t.Errorf("%+v %v", described.Look, err)
	}
	for _, change := range described.Transitions {
		if change.What == string(connection.Expired) {
			t.Errorf("%+v", change)
		}
	}
	for _, e := range s.since(t, start) {
		if asked(e) && (e.Outcome != "ok" || e.Status != http.StatusOK) {
			t.Errorf("a refresh was refused: %+v", e)
		}
	}
}
