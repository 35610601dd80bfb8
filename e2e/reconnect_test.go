package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"connectedapps/connection"
)

// reconnect asks for a link with the command line, and lets somebody authorize by it.
func reconnect(t *testing.T, name, user string, arguments ...string) page {
	t.Helper()
	var link struct{ URL string }
	written := must(t, append([]string{"reconnect", string(id(name)), "--no-wait", "--output", "json"}, arguments...)...)
	if err := json.Unmarshal([]byte(written), &link); err != nil {
		t.Fatalf("%v: %s", err, written)
	}
	return newPerson(t).connect(link.URL, user, "approve")
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
	if _, _, code := cli(t, "connect", string(id(name)), "--cancel"); code != 0 {
		t.Fatalf("cancelling the reconnect: exit %d", code)
	}
	eventually(t, "the reconnect is over", func() bool {
		described, err := s.client.Describe(within(t, time.Minute), id(name))
		return err == nil && described.Reconnect == nil
	})
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
