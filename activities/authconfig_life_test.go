package activities

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

func TestARotatedSecretIsNotBlamedForTheOldOne(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.secret = "new"
	a := w.process()
	if _, err := a.spender.registrations.read(background, "sandbox", testConfig); err != nil { // the old one, for a minute
		t.Fatal(err)
	}
	other := w.process()
	w.stage(other, testConfig, "client_secret", "new")
	if err := other.CommitRotation(background, w.end(testConfig)); err != nil {
		t.Fatal(err)
	}
	_, err := w.renew(a)
	demand(t, err, connection.ErrProviderUnavailable)
	if held := w.config(testConfig); held.Mark != nil || len(w.told.clients) != 0 {
		t.Fatalf("mark %v, told %q", held.Mark, w.told.clients)
	}
	if stored, err := w.renew(a); err != nil || stored.Generation != 2 {
		t.Errorf("with the new secret: %v", err)
	}
}

func TestFiftyConnectionsOfARefusedClientAskOnce(t *testing.T) {
	w := newWorld(t, "strict")
	w.provider.secret = "new"
	a := w.process()
	refs := make([]connection.CredentialRef, 50)
	for i := range refs {
		refs[i] = w.member(fmt.Sprintf("member-%d", i))
	}
	for _, ref := range refs {
		_, err := a.spender.Renew(background, ref, "no longer accepted")
		demand(t, err, connection.ErrClientMisconfigured)
	}
	if len(w.provider.ledger()) != 1 || len(w.told.clients) != 1 || len(w.told.signals()) != 0 || w.config(testConfig).Mark == nil {
		t.Fatalf("%d requests, told %q, signals %q", len(w.provider.ledger()), w.told.clients, w.told.signals())
	}
	w.stage(a, testConfig, "client_secret", "new")
	if err := a.CommitRotation(background, w.end(testConfig)); err != nil || w.config(testConfig).Mark != nil {
		t.Fatal("the rotation left the mark", err)
	}
	for _, ref := range refs {
		if stored, err := a.spender.Renew(background, ref, "no longer accepted"); err != nil || stored.Generation != 2 {
			t.Fatalf("%s: %v", ref.Connection, err)
		}
	}
}

// member is one more connection of the same client.
func (w *world) member(name string) connection.CredentialRef {
	access, refresh := w.provider.issue(strings.ReplaceAll(name, "-", "_"))
	ref := connection.CredentialRef{Connection: connection.ID("development/sandbox/" + name), Grant: name, Generation: 1}
	d := w.vault.peek(w.ref).Document
	d.Grant = name
	d.Credential.Tokens = map[string]connection.Token{connection.DefaultToken: {
		Access: connection.NewSecret(access), Refresh: connection.NewSecret(refresh)}}
	if _, err := w.vault.compareAndSet(ref, d, 0); err != nil {
		w.t.Error(err)
	}
	return ref
}

func TestARetiredAuthConfigTakesNoNewConnection(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	for range 2 {
		if err := a.RetireAuthConfig(background, RetireAuthConfigInput{App: "sandbox", Name: testConfig, Retired: true}); err != nil {
			t.Fatal(err)
		}
	}
	request := func(id connection.ID) ConnectRequest {
		return ConnectRequest{Connection: id, Method: "oauth", AuthConfig: testConfig}
	}
	_, err := a.validateConnect(background, request("development/sandbox/new"))
	demand(t, err, connection.ErrInvalidInput)
	if !strings.Contains(err.Error(), "retire development/sandbox/shared --undo") {
		t.Errorf("told %v", err)
	}
	if _, err := a.validateConnect(background, request(testID)); err != nil {
		t.Errorf("a connection that has it cannot be reconnected: %v", err)
	}
	if stored, err := w.renew(a); err != nil || stored.Generation != 2 {
		t.Errorf("a connection that has it: %v", err)
	}
}

func TestUsersAreCountedTwice(t *testing.T) {
	w := newWorld(t, "none")
	a := w.process()
	time.AfterFunc(settleUsers/2, func() {
		w.told.mu.Lock()
		defer w.told.mu.Unlock()
		w.told.users = []connection.ID{testID}
	})
	report, err := a.CountAuthConfigUsers(background, CountAuthConfigUsersInput{App: "sandbox", Name: testConfig})
	if err != nil || report.Count != 1 || len(report.Connections) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestTheEndOfASecretIsWarnedOf(t *testing.T) {
	w := newWorld(t, "none")
	a := w.process()
	a.WarnDays = []int{14, 3, 1}
	end := w.vault.peekNow().Add(20 * 24 * time.Hour)
	in := WatchAuthConfigInput{App: "sandbox", Name: testConfig, Expires: end}
	for _, want := range []int{14, 3, 1} {
		_, err := a.WatchAuthConfig(background, in)
		demand(t, err, connection.ErrLookAgain)
		if p, _ := connection.AsProblem(err); p.RetryAfter > lookMax || p.RetryAfter <= 0 {
			t.Errorf("looks again in %s", p.RetryAfter)
		}
		w.vault.advance(end.Add(-time.Duration(want) * 24 * time.Hour).Add(time.Minute).Sub(w.vault.peekNow()))
		report, err := a.WatchAuthConfig(background, in)
		if err != nil || report.Warned != want {
			t.Fatalf("%d days ahead: %+v, %v", want, report, err)
		}
		in.Warned = report.Warned
	}
	w.vault.advance(30 * 24 * time.Hour)
	_, err := a.WatchAuthConfig(background, in)
	demand(t, err, connection.ErrLookAgain)
}
