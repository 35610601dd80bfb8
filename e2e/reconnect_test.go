package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// reconnect asks for a link with the command line, and lets somebody authorize by it.
func reconnect(t *testing.T, name, user string, arguments ...string) page {
	t.Helper()
	var link struct{ URL string }
	begin(t, append([]string{"reconnect", string(id(name))}, arguments...), &link)
	return newPerson(t).connect(link.URL, user, "approve")
}

// withdraw ends the open reconnect, and waits until it is over.
func withdraw(t *testing.T, name string) {
	t.Helper()
	if _, stderr, code := cli(t, "connect", string(id(name)), "--cancel"); code != 0 {
		t.Fatalf("cancelling the reconnect: %d %s", code, stderr)
	}
	eventually(t, "the reconnect is over", func() bool {
		described, err := s.client.Describe(within(t, time.Minute), id(name))
		return err == nil && described.Reconnect == nil
	})
}

func status(t *testing.T, name string) connection.Status {
	t.Helper()
	described, err := s.client.Describe(within(t, time.Minute), id(name))
	if err != nil {
		t.Fatal(err)
	}
	return described.Look.Status
}

// A dead connection is repaired in place: the same ID, the same toolkits, another
// grant. Somebody else's account changes nothing.
func TestADeadConnectionIsReconnected(t *testing.T) {
	const name = "reconnected"
	start := s.mark(t)
	connectBy(t, name, "oauth")
	if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	first, err := s.client.Describe(within(t, time.Minute), id(name))
	if err != nil {
		t.Fatal(err)
	}
	s.sandbox(t, http.MethodPost, "/admin/revoke-grant", map[string]any{"family": familySince(t, start)}, nil)
	_, err = run(t, name, "whoami", map[string]any{})
	problemOf(t, err, connection.ErrReconnectRequired)
	eventually(t, "it is said to be expired", func() bool { return status(t, name) == connection.Expired })

	if other := reconnect(t, name, "grace"); other.status/100 == 2 && status(t, name) == connection.Active {
		t.Fatal("somebody else's account was taken")
	}
	withdraw(t, name)
	if got := status(t, name); got != connection.Expired {
		t.Fatalf("a cancelled reconnect left it %s", got)
	}

	if done := reconnect(t, name, "ada"); done.status != http.StatusOK {
		t.Fatalf("%d %s", done.status, done.text)
	}
	eventually(t, "it is active again", func() bool { return status(t, name) == connection.Active })
	if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
		t.Error(err)
	}
	second, err := s.client.Describe(within(t, time.Minute), id(name))
	if err != nil {
		t.Fatal(err)
	}
	if second.RunID != first.RunID || second.Look.Grant == first.Look.Grant || len(second.Toolkits) != len(first.Toolkits) || second.Look.Identity != first.Look.Identity {
		t.Errorf("was %+v, is %+v", first.State, second.State)
	}
}

// A living connection is reconnected without a gap, and the old grant is ended at
// the app once the new one is in place.
func TestALivingConnectionIsReconnectedAndItsOldGrantEnded(t *testing.T) {
	const name = "renewed-by-hand"
	start := s.mark(t)
	connectBy(t, name, "oauth")
	old := familySince(t, start)
	mark := s.mark(t)
	if done := reconnect(t, name, "ada"); done.status != http.StatusOK {
		t.Fatalf("%d %s", done.status, done.text)
	}
	eventually(t, "the old grant is ended", func() bool {
		return count(s.since(t, mark), func(e entry) bool { return revoked(e) && e.Family == old }) > 0
	})
	if count(s.since(t, mark), func(e entry) bool { return revoked(e) && e.Family != old }) > 0 {
		t.Error("another grant than the old one was ended")
	}
	if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
		t.Error(err)
	}
}

// A typed-in key is replaced in place. One that the app refuses changes nothing.
func TestAKeyIsReplaced(t *testing.T) {
	const name = "another-key"
	connectBy(t, name, "api-key")
	wrong := secretFile(t, map[string]string{"api_key": "not a key"})
	if _, _, code := cli(t, "reconnect", string(id(name)), "--secret-file", wrong); code == 0 {
		t.Fatal("a wrong key was taken")
	}
	if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
		t.Fatalf("after a wrong key: %v", err)
	}
	before, err := s.client.Describe(within(t, time.Minute), id(name))
	if err != nil {
		t.Fatal(err)
	}
	must(t, "reconnect", string(id(name)), "--secret-file", secretFile(t, map[string]string{"api_key": s.credentials["api_key"]}))
	after, err := s.client.Describe(within(t, time.Minute), id(name))
	if err != nil || after.Look.Grant == before.Look.Grant || after.Look.Status != connection.Active {
		t.Errorf("%+v %v", after.Look, err)
	}
	if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
		t.Error(err)
	}
}

// Another organisation of the same account is as much a surprise as another account.
func TestAnotherOrganisationIsRefusedUnlessAllowed(t *testing.T) {
	const name = "of-one-organisation"
	s.sandboxSettings(t, map[string]any{"organisations": map[string]int{"grace": 2}})
	ofTwoOrganisations(t, name, "oauth-org", false)
	eventually(t, "it is active", func() bool { return status(t, name) == connection.Active })
	before, err := s.client.Describe(within(t, time.Minute), id(name))
	if err != nil || before.Look.Identity.Tenant != "grace-2" {
		t.Fatalf("%+v %v", before.Look, err)
	}
	offered(t, []string{"reconnect", string(id(name))})
	_, stderr, code := cli(t, "connect", string(id(name)), "--resume", "--choose", "grace-1")
	if code == 0 || !strings.Contains(stderr, "it is of organisation") {
		t.Fatalf("%d %s", code, stderr)
	}
	var after workflows.Description
	eventually(t, "without a terminal that was the end of it", func() bool {
		after, err = s.client.Describe(within(t, time.Minute), id(name))
		return err == nil && after.Reconnect == nil
	})
	if after.Look.Grant != before.Look.Grant || after.Look.Identity != before.Look.Identity {
		t.Fatalf("was %+v, is %+v %v", before.Look, after.Look, err)
	}
	if got := organisation(t, name); got != "grace-2" {
		t.Fatalf("it is of %q", got)
	}
	offered(t, []string{"reconnect", string(id(name)), "--allow-other-account"})
	must(t, "connect", string(id(name)), "--resume", "--choose", "grace-1")
	eventually(t, "it is of the other organisation", func() bool {
		after, err = s.client.Describe(within(t, time.Minute), id(name))
		return err == nil && after.Look.Identity.Tenant == "grace-1" && after.Look.Identity.Account == before.Look.Identity.Account
	})
	if got := organisation(t, name); got != "grace-1" {
		t.Errorf("it is of %q", got)
	}
}

// From a key to signing in, and back: the connection stays what it is, and so does its account.
func TestAReconnectByAnotherMethod(t *testing.T) {
	const name = "another-way"
	connectBy(t, name, "api-key")
	authConfig(t, "kind-oauth", "oauth")
	byOAuth := []string{"--method", "oauth", "--auth-config", "kind-oauth"}
	if other := reconnect(t, name, "grace", byOAuth...); !strings.Contains(other.text, "account") {
		t.Fatalf("%d %s", other.status, other.text)
	}
	kindCase{auth: "api_key_header"}.use(t, name)
	withdraw(t, name)
	if done := reconnect(t, name, "ada", byOAuth...); done.status != http.StatusOK {
		t.Fatalf("%d %s", done.status, done.text)
	}
	method := func() string {
		described, err := s.client.Describe(within(t, time.Minute), id(name))
		if err != nil || described.Reconnect != nil {
			return ""
		}
		return described.Method + " by " + described.AuthConfig
	}
	eventually(t, "it signs in", func() bool { return method() == "oauth by kind-oauth" })
	kindCase{auth: "oauth"}.use(t, name)
	mark := s.mark(t)
	must(t, "reconnect", string(id(name)), "--method", "api-key", "--secret-file", secretFile(t, map[string]string{"api_key": s.credentials["api_key"]}))
	eventually(t, "it has a key again", func() bool { return method() == "api-key by " })
	eventually(t, "the old grant is ended", func() bool { return count(s.since(t, mark), revoked) > 0 })
	kindCase{auth: "api_key_header"}.use(t, name)
}
