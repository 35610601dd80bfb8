package e2e

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	enumspb "go.temporal.io/api/enums/v1"
)

// typed are the inputs that a person types in, by method: the open and the secret ones.
func typed(method string) (map[string]string, map[string]connection.Secret) {
	open, secret := map[string]string{"base_url": s.ready.Sandbox}, map[string]connection.Secret{}
	give := func(input, credential string) { secret[input] = connection.NewSecret(s.credentials[credential]) }
	switch method {
	case "api-key", "api-key-query":
		give("api_key", "api_key")
	case "bearer":
		give("token", "personal_token")
	case "headers":
		open["sandbox_id"] = s.credentials["header_id"]
		give("sandbox_secret", "header_secret")
	case "basic", "digest":
		open["username"] = s.credentials["basic_username"]
		give("password", "basic_password")
	}
	return open, secret
}

// authConfig makes sure that there is one of that name for that method.
func authConfig(t *testing.T, name, method string) {
	t.Helper()
	ctx := within(t, time.Minute)
	if _, err := s.client.DescribeAuthConfig(ctx, "sandbox", name); err == nil {
		return
	}
	ref, err := s.secrets.Inbox().Leave(ctx, map[string]connection.Secret{"client_secret": connection.NewSecret(s.credentials["client_secret"])})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.CreateAuthConfig(ctx, activities.StoreAuthConfigInput{App: "sandbox", Name: name, Method: method,
		ClientID: s.credentials["client_id"], Values: map[string]string{"base_url": s.ready.Sandbox}, Inbox: ref}); err != nil {
		t.Fatal(err)
	}
}

// connectBy connects the sandbox by a method, as its kind of user would.
func connectBy(t *testing.T, name, method string) workflows.ConnectResult {
	t.Helper()
	ctx := within(t, 2*time.Minute)
	in := workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id(name), Method: method}}
	switch method {
	case "oauth":
		authConfig(t, "oauth", method)
		in.AuthConfig = "oauth"
		link, err := s.client.RequestLink(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		result := newPerson(t).connect(link.URL, "ada", "approve")
		if result.status != http.StatusOK || !strings.Contains(result.text, "ada@example.test") {
			t.Fatalf("the result page does not say whose account it is: %d %s", result.status, result.text)
		}
	case "client-credentials":
		authConfig(t, "cc", method)
		in.AuthConfig = "cc"
		if _, err := s.client.Connect(ctx, in, ""); err != nil {
			t.Fatal(err)
		}
	default:
		var secret map[string]connection.Secret
		in.Values, secret = typed(method)
		ref, err := s.secrets.Inbox().Leave(ctx, secret)
		if err != nil {
			t.Fatal(err)
		}
		progress, err := s.client.Connect(ctx, in, ref)
		if err != nil {
			t.Fatal(err)
		}
		if progress.Problem != nil {
			t.Fatal(progress.Problem)
		}
	}
	result, err := s.client.AwaitConnect(ctx, id(name))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func run(t *testing.T, name, action string, arguments any) (*activities.CallActionResult, error) {
	t.Helper()
	text, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	return s.client.RunAction(within(t, 2*time.Minute), activities.CallActionInput{Connection: id(name), Action: action, Arguments: text})
}

// gone fails the test if anything of a connection is left.
func gone(t *testing.T, name string) {
	t.Helper()
	for _, path := range []string{"connections/sandbox/" + name, "candidates/sandbox/" + name, "attempts/sandbox/" + name, "outputs/sandbox/" + name} {
		for _, read := range []func(string) (any, error){
			func(p string) (any, error) {
				found, err := s.root.Logical().Read(p)
				if found == nil {
					return nil, err
				}
				return found.Data, err
			},
			func(p string) (any, error) {
				found, err := s.root.Logical().List(p)
				if found == nil {
					return nil, err
				}
				return found.Data, err
			},
		} {
			if found, err := read("connected-apps/" + environment + "/secrets/metadata/" + path); err != nil || found != nil {
				t.Errorf("left in Vault at %s: %v %v", path, found, err)
			}
		}
	}
	described, err := s.client.Temporal.DescribeWorkflowExecution(within(t, time.Minute), workflows.ConnectionWorkflowID(id(name)), "")
	if err == nil && described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		t.Errorf("the workflow of %s is still open", name)
	}
}

func TestEveryMethodFromConnectToDisconnect(t *testing.T) {
	for _, method := range []string{"oauth", "client-credentials", "api-key", "api-key-query", "bearer", "headers", "basic"} {
		t.Run(method, func(t *testing.T) {
			name := "life-" + method
			mark := s.mark(t)
			result := connectBy(t, name, method)
			if result.Status != connection.Active || !result.Identity.Known() || len(result.Toolkit.Actions) < 5 {
				t.Fatalf("%+v", result)
			}
			tested, err := s.client.Test(within(t, time.Minute), id(name))
			if err != nil || !tested.Passed {
				t.Fatalf("%+v %v", tested, err)
			}
			listed, err := run(t, name, "list-contacts", map[string]any{"limit": 3})
			if err != nil || listed.Status != http.StatusOK {
				t.Fatal(err)
			}
			var contacts []any
			if err := json.Unmarshal(listed.Data, &contacts); err != nil {
				var wrapped struct{ Items []any }
				if err := json.Unmarshal(listed.Data, &wrapped); err != nil {
					t.Fatal(err)
				}
				contacts = wrapped.Items
			}
			if method != "client-credentials" && (len(contacts) != 3 || listed.NextCursor == "") {
				t.Fatalf("%s", listed.Data)
			}
			key, err := run(t, name, "create-key", map[string]any{"name": "made by a test"})
			if err != nil || len(key.Secrets) != 1 || strings.Contains(string(key.Data), "key_") {
				t.Fatalf("%+v %v", key, err)
			}
			rows, _, err := s.client.List(within(t, time.Minute), workflows.Filter{App: "sandbox", Status: connection.Active}, 100, nil)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, row := range rows {
				found = found || row.ID == id(name) && row.Environment == environment && row.Account != "" && len(row.Toolkits) == 1
			}
			if !found {
				t.Errorf("not listed as it is: %+v", rows)
			}
			described, err := s.client.Describe(within(t, time.Minute), id(name))
			if err != nil || described.Facts.LastUsed.IsZero() {
				t.Errorf("%+v %v", described, err)
			}
			ended, err := s.client.Disconnect(within(t, time.Minute), id(name), "the test is over")
			if err != nil {
				t.Fatal(err)
			}
			want := activities.RevocationNotOffered
			if method == "oauth" || method == "client-credentials" {
				want = activities.RevocationDone
			}
			if ended.Revocation != want {
				t.Errorf("revocation: %q, want %q", ended.Revocation, want)
			}
			eventually(t, "the workflow closes", func() bool {
				_, err := s.client.Describe(within(t, time.Minute), id(name))
				return errors.Is(err, &connection.Problem{Type: connection.ErrConnectionNotFound})
			})
			gone(t, name)
			if want == activities.RevocationDone && count(s.since(t, mark), func(e entry) bool { return e.Kind == "revoke" && e.Outcome == "ok" }) != 1 {
				t.Errorf("the ledger holds no revocation: %+v", s.since(t, mark))
			}
			_, err = run(t, name, "whoami", map[string]any{})
			problemOf(t, err, connection.ErrConnectionNotFound)
		})
	}
}
