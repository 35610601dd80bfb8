package e2e

import (
	"net/http"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/vault"
	"connectedapps/workflows"

	"github.com/hashicorp/vault/api"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
)

// elsewhere is the client of another environment, with that environment's own identity.
func elsewhere(t *testing.T, environment string) (*workflows.Client, *vault.Client) {
	t.Helper()
	catalogue, err := s.settings.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := s.settings.Vault(environment, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.settings.Client(environment, catalogue, secrets, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Temporal.Close)
	return c, secrets
}

// A workflow of one environment cannot use another's connection, whatever it says:
// the worker refuses before it reads or asks anything, and Vault would refuse the worker.
func TestAWorkflowCannotReachAnotherEnvironment(t *testing.T) {
	const name = "pinned"
	connectBy(t, name, "api-key")
	if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	ctx := within(t, 2*time.Minute)
	// Watches of other connections only read; a contact is made by nobody else meanwhile.
	in := activities.CallActionInput{Connection: id(name), Action: "create-contact", Arguments: []byte(`{"name": "from elsewhere"}`)}
	before, err := s.root.Logical().ReadWithContext(ctx, "connected-apps/development/secrets/metadata/connections/sandbox/"+name)
	if err != nil {
		t.Fatal(err)
	}
	for _, environment := range []string{"staging", "production"} {
		t.Run(environment, func(t *testing.T) {
			other, _ := elsewhere(t, environment)
			mark := s.mark(t)
			_, err := other.RunAction(ctx, in)
			problemOf(t, err, connection.ErrUnknownEnvironment)
			raw, err := other.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "walls/" + environment, TaskQueue: workflows.Queue}, workflows.TypeRunAction, in)
			if err != nil {
				t.Fatal(err)
			}
			problemOf(t, raw.Get(ctx, nil), connection.ErrUnknownEnvironment)
			// There is no such connection in that namespace, and no connect of it can be begun there.
			_, err = other.Test(ctx, id(name))
			problemOf(t, err, connection.ErrConnectionNotFound)
			_, err = other.Disconnect(ctx, id(name), "")
			problemOf(t, err, connection.ErrConnectionNotFound)
			open, _ := typed("api-key")
			_, err = other.Connect(ctx, workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id(name), Method: "api-key", Values: open}}, "")
			problemOf(t, err, connection.ErrUnknownEnvironment)
			// Its own of that name is another one.
			own := in
			own.Connection = connection.ID(environment + "/sandbox/" + name)
			_, err = other.RunAction(ctx, own)
			problemOf(t, err, connection.ErrConnectionNotFound)
			if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "api" && e.Method == http.MethodPost }); n != 0 {
				t.Errorf("%d requests left for the app", n)
			}
		})
	}
	if result, err := s.client.Test(ctx, id(name)); err != nil || !result.Passed {
		t.Errorf("the connection was harmed: %+v %v", result, err)
	}
	after, err := s.root.Logical().ReadWithContext(ctx, "connected-apps/development/secrets/metadata/connections/sandbox/"+name)
	if err != nil || after.Data["current_version"] != before.Data["current_version"] {
		t.Errorf("its document was written: %v, was %v", after.Data["current_version"], before.Data["current_version"])
	}
}

// The same wall a layer below: the identity that a worker really uses, at Vault itself.
func TestAWorkersIdentityEndsAtItsEnvironment(t *testing.T) {
	const name = "walled"
	connectBy(t, name, "api-key")
	for environment, want := range map[string]int{"development": http.StatusOK, "staging": http.StatusForbidden, "production": http.StatusForbidden} {
		config := api.DefaultConfig()
		config.Address = s.ready.Vault
		bare, err := api.NewClient(config)
		if err != nil {
			t.Fatal(err)
		}
		bare.SetToken(workerToken(t, environment))
		_, err = bare.Logical().ReadWithContext(t.Context(), "connected-apps/development/secrets/data/connections/sandbox/"+name)
		if refused := err != nil; refused != (want == http.StatusForbidden) {
			t.Errorf("worker of %s: %v", environment, err)
		}
	}
}

// workerToken logs in as the worker of an environment does.
func workerToken(t *testing.T, environment string) string {
	t.Helper()
	read := func(name string) string { return identityFile(t, "worker", environment, name) }
	found, err := s.root.Logical().WriteWithContext(t.Context(), "auth/approle/login", map[string]any{"role_id": read("role-id"), "secret_id": read("secret-id")})
	if err != nil {
		t.Fatal(err)
	}
	return found.Auth.ClientToken
}
