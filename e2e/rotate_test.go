package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// rotating is a client of its own at the sandbox, so that no other test loses its secret.
const rotating = "rotating"

// rotate gives the auth config a secret, and answers what the command says.
func rotate(t *testing.T, secret string) (string, string, int) {
	t.Helper()
	return cli(t, "auth-configs", "rotate", environment+"/sandbox/"+rotating, "--output", "json",
		"--secret-file", secretFile(t, map[string]string{"client_secret": secret}))
}

// ownClient makes a client at the sandbox, whose secret a test may change, and the auth config of its name.
func ownClient(t *testing.T, name string) {
	t.Helper()
	const secret = "the-first-secret"
	s.sandbox(t, http.MethodPost, "/admin/clients", map[string]any{"id": name, "secret": secret, "redirect_uris": []string{}}, nil)
	ref, err := s.secrets.Inbox().Leave(within(t, time.Minute), map[string]connection.Secret{"client_secret": connection.NewSecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.CreateAuthConfig(within(t, time.Minute), activities.StoreAuthConfigInput{App: "sandbox", Name: name, Method: "client-credentials",
		ClientID: name, Values: map[string]string{"base_url": s.ready.Sandbox}, Inbox: ref}); err != nil {
		t.Fatal(err)
	}
}

func tokenRequest(e entry) bool { return e.Kind == "token" }

// A secret that the app replaced is noticed once for all connections; a wrong one is
// refused and changes nothing; the right one heals them, and what is unused is deleted.
func TestAuthConfigRotates(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	ownClient(t, rotating)
	names := []string{"rotating-1", "rotating-2", "rotating-3"}
	for _, name := range names {
		if _, err := s.client.Connect(ctx, workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id(name),
			Method: "client-credentials", AuthConfig: rotating}}, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := s.client.AwaitConnect(ctx, id(name)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all of them are listed", func() bool {
		_, n, err := s.client.AuthConfigUsers(ctx, "sandbox", rotating, 0)
		return err == nil && n == len(names)
	})

	s.sandbox(t, http.MethodPost, "/admin/clients/"+rotating+"/secret", map[string]any{"secret": "the-second-secret"}, nil)
	mark := s.mark(t)
	for _, name := range names {
		_, err := s.client.Refresh(ctx, id(name))
		problemOf(t, err, connection.ErrClientMisconfigured)
	}
	if n := count(s.since(t, mark), tokenRequest); n != 1 {
		t.Errorf("%d requests were made with the refused secret", n)
	}
	describe := func() workflows.AuthConfigState {
		state, err := s.client.DescribeAuthConfig(ctx, "sandbox", rotating)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	eventually(t, "the auth config knows", func() bool { return describe().Status == connection.Error })
	if open := describe().Alerts.Open; len(open) != 1 || open[0].News.Kind != connection.AlertClientRefused {
		t.Errorf("alerts %+v", open)
	}

	if out, said, code := rotate(t, "a-wrong-secret"); code != 4 || !strings.Contains(said, "refuses the new secret") || strings.Contains(out+said, "a-wrong-secret") {
		t.Errorf("a wrong secret: exit %d, %s", code, said)
	}
	if state := describe(); state.Status != connection.Error || state.Rotation != "" {
		t.Errorf("after a wrong secret: %+v", state)
	}
	for _, name := range names { // they say so, and work on while their access is good
		eventually(t, name+" says so", func() bool { return status(t, name) == connection.Error })
		if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	if out, said, code := rotate(t, "the-second-secret"); code != 0 || !strings.Contains(out, `"proof": "connection `+string(id(""))) {
		t.Fatalf("the right secret: exit %d, %s %s", code, out, said)
	}
	if state := describe(); state.Status != connection.Active || len(state.Alerts.Open) != 0 || state.Rotated.IsZero() {
		t.Errorf("after the right one: %+v", state)
	}
	for _, name := range names {
		if healed, err := s.client.Refresh(ctx, id(name)); err != nil || healed.Status != connection.Active {
			t.Errorf("%s: %+v %v", name, healed, err)
		}
	}

	must(t, "auth-configs", "retire", environment+"/sandbox/"+rotating)
	if shown := must(t, "auth-configs", "show", environment+"/sandbox/"+rotating); !strings.Contains(shown, "3 connections") ||
		!strings.Contains(shown, "rotating-2 (Active)") || !strings.Contains(shown, "Retired: it takes no new connections") {
		t.Errorf("shown as\n%s", shown)
	}
	eventually(t, "the list says that it is retired", func() bool {
		for line := range strings.Lines(must(t, "auth-configs", "list", "--app", "sandbox")) {
			if fields := strings.Fields(line); len(fields) == 6 && fields[1] == rotating && fields[4] == workflows.StatusRetired && fields[5] == "3" {
				return true
			}
		}
		return false
	})
	_, err := s.client.Connect(ctx, workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id("rotating-4"),
		Method: "client-credentials", AuthConfig: rotating}}, "")
	problemOf(t, err, connection.ErrInvalidInput)

	if _, said, code := cli(t, "auth-configs", "delete", environment+"/sandbox/"+rotating); code != 7 || !strings.Contains(said, fmt.Sprintf("%d connections use", len(names))) {
		t.Errorf("deleted while used: exit %d, %s", code, said)
	}
	for _, name := range names {
		if _, err := s.client.Disconnect(ctx, id(name), ""); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "it can be deleted", func() bool { return s.client.DeleteAuthConfig(ctx, "sandbox", rotating) == nil })
	if found, err := s.root.Logical().Read("connected-apps/" + environment + "/secrets/data/auth-configs/sandbox/" + rotating); err != nil || found != nil {
		t.Errorf("it is still in Vault: %v, %v", found, err)
	}
}
