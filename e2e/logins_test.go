package e2e

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"connectedapps/vault"
)

// Vault's tokens of worker and gateway last for seconds, are renewed, come to their end
// and are replaced, while actions run, tokens are refreshed and pages are opened: no call
// fails, and Vault has refused nobody. CONNECTED_APPS_SOAK sets how long that goes on.
func TestVaultsTokensEndUnderLoad(t *testing.T) {
	const life = 10 * time.Second
	length := soakFor(t)
	connectBy(t, "logins", "oauth")
	tokensLast(t, life, 2*life)
	t.Cleanup(func() {
		tokensLast(t, time.Hour, 24*time.Hour)
		s.killWorker(t)
		s.killGateway(t)
	})
	s.killWorker(t) // what it holds lasts for an hour
	s.killGateway(t)
	visitor := signedIn(t)
	if _, err := run(t, "logins", "whoami", map[string]any{}); err != nil {
		t.Fatal(err)
	}

	mark := audited(t)
	var load sync.WaitGroup
	var mu sync.Mutex
	calls := map[string]int{}
	end := time.Now().Add(length)
	keep := func(what string, pause time.Duration, call func() error) {
		load.Go(func() {
			for ; time.Now().Before(end); time.Sleep(pause) {
				if err := call(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				mu.Lock()
				calls[what]++
				mu.Unlock()
			}
		})
	}
	for range 2 {
		keep("action", 100*time.Millisecond, func() error {
			_, err := run(t, "logins", "whoami", map[string]any{})
			return err
		})
	}
	keep("refresh", time.Second, func() error {
		_, err := s.client.Refresh(within(t, time.Minute), id("logins"))
		return err
	})
	keep("page", 200*time.Millisecond, func() error {
		response, err := visitor.Get(s.ready.Gateway + "/connections")
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			t.Errorf("page: %s", response.Status)
		}
		return nil
	})
	load.Wait()
	logins, renewals, refused := auditedSince(t, mark)
	if least := int(length / (2 * life)); logins < least || renewals < least {
		t.Errorf("%d logins and %d renewals in %s with tokens of %s: the test proves nothing", logins, renewals, length, life)
	}
	if len(refused) > 0 {
		t.Errorf("Vault refused %d requests, the first: %s", len(refused), refused[0])
	}
	t.Logf("%v calls, %d logins, %d renewals", calls, logins, renewals)

	// The control: a token that is taken away is refused, is seen to be, and is replaced at once.
	mark = audited(t)
	revokeLogins(t)
	if _, err := run(t, "logins", "whoami", map[string]any{}); err != nil {
		t.Errorf("after its token was revoked: %v", err)
	}
	if _, _, refused := auditedSince(t, mark); len(refused) == 0 {
		if _, err := s.client.Refresh(within(t, time.Minute), id("logins")); err != nil {
			t.Errorf("after its token was revoked: %v", err)
		}
		if _, _, refused := auditedSince(t, mark); len(refused) == 0 {
			t.Error("a revoked token was refused, and the audit log does not say so")
		}
	}
}

// tokensLast sets how long the logins of worker and gateway last from now on.
func tokensLast(t *testing.T, life, most time.Duration) {
	t.Helper()
	for _, who := range []string{vault.Worker, vault.Gateway} {
		path := "auth/approle/role/" + vault.Layout{Environment: environment}.Role(who)
		if _, err := s.root.Logical().Write(path, map[string]any{"token_ttl": life.String(), "token_max_ttl": most.String()}); err != nil {
			t.Error(err)
		}
	}
}

// killGateway ends the gateway, which the launcher starts again, and waits for it.
func (st *stack) killGateway(t *testing.T) {
	t.Helper()
	old := st.child(t, "connected-apps", "")
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	eventually(t, "another gateway answers", func() bool {
		if st.child(t, "connected-apps", "") == old {
			return false
		}
		response, err := http.Get(st.ready.Gateway + "/healthz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// revokeLogins takes every token of the worker of this environment away.
func revokeLogins(t *testing.T) {
	t.Helper()
	found, err := s.root.Logical().List("auth/token/accessors")
	if err != nil {
		t.Fatal(err)
	}
	role, revoked := vault.Layout{Environment: environment}.Role(vault.Worker), 0
	for _, accessor := range found.Data["keys"].([]any) {
		looked, err := s.root.Auth().Token().LookupAccessor(accessor.(string))
		if err != nil { // it has ended meanwhile
			continue
		}
		if meta, _ := looked.Data["meta"].(map[string]any); meta["role_name"] == role {
			if err := s.root.Auth().Token().RevokeAccessor(accessor.(string)); err != nil {
				t.Error(err)
			}
			revoked++
		}
	}
	if revoked == 0 {
		t.Error("the worker has no token that could be revoked")
	}
}

func auditLog() string { return filepath.Join(s.dir, "vault", "audit.log") }

// audited is how much Vault's audit log holds now, in bytes.
func audited(t *testing.T) int64 {
	t.Helper()
	info, err := os.Stat(auditLog())
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// auditedSince reads from there on how many logged in, how many renewed, and what was refused.
func auditedSince(t *testing.T, from int64) (logins, renewals int, refused []string) {
	t.Helper()
	file, err := os.Open(auditLog())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(from, 0); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var line struct {
			Type, Error string
			Request     struct{ Path, Operation string }
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Type != "response" {
			continue // a line that is being written, or the request of an answer that follows
		}
		switch {
		case strings.Contains(line.Error, "permission denied"):
			refused = append(refused, line.Request.Operation+" "+line.Request.Path+": "+line.Error)
		case line.Error != "":
		case line.Request.Path == "auth/approle/login":
			logins++
		case line.Request.Path == "auth/token/renew-self":
			renewals++
		}
	}
	return logins, renewals, refused
}
