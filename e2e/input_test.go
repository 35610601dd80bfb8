package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
)

func startOptions(name string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: "test/" + name + "/" + uuid.NewString(), TaskQueue: workflows.Queue}
}

// What is wrong with a connect is said before anything is started.
func TestBadInputIsRefusedBeforeAnythingStarts(t *testing.T) {
	values := map[string]string{"base_url": s.ready.Sandbox}
	good := activities.ConnectRequest{Connection: id("bad"), Method: "api-key", Values: values}
	cases := []struct {
		name, kind, field string
		change            func(*activities.ConnectRequest)
	}{
		{"unknown app", connection.ErrUnknownApp, "", func(r *activities.ConnectRequest) { r.Connection = "development/sandbux/bad" }},
		{"unknown environment", connection.ErrUnknownEnvironment, "", func(r *activities.ConnectRequest) { r.Connection = "nowhere/sandbox/bad" }},
		{"no ID", connection.ErrUnknownEnvironment, "", func(r *activities.ConnectRequest) { r.Connection = "bad" }},
		{"upper case", connection.ErrInvalidInput, "name", func(r *activities.ConnectRequest) { r.Connection = "development/sandbox/BAD" }},
		{"method", connection.ErrAuthKindNotOffered, "", func(r *activities.ConnectRequest) { r.Method = "carrier-pigeon" }},
		{"malformed value", connection.ErrInvalidInput, "base_url", func(r *activities.ConnectRequest) { r.Values = map[string]string{"base_url": "no url"} }},
		{"unknown value", connection.ErrInvalidInput, "colour", func(r *activities.ConnectRequest) { r.Values = map[string]string{"colour": "red"} }},
		{"no auth config", connection.ErrInvalidInput, "auth_config", func(r *activities.ConnectRequest) { r.Method = "oauth" }},
		{"access", connection.ErrInvalidInput, "access", func(r *activities.ConnectRequest) { r.Access = "all" }},
		{"action", connection.ErrUnknownAction, "", func(r *activities.ConnectRequest) { r.Actions = []string{"list-kontacts"} }},
		{"toolkit", connection.ErrInvalidInput, "toolkit", func(r *activities.ConnectRequest) { r.Toolkit = "No Slug" }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			request := good
			c.change(&request)
			_, err := s.client.Connect(within(t, time.Minute), workflows.ConnectInput{ConnectRequest: request}, "")
			problem := problemOf(t, err, c.kind)
			if c.field != "" && problem.Field != c.field {
				t.Errorf("names field %q, not %q", problem.Field, c.field)
			}
			if open, _ := s.client.SessionOpen(within(t, time.Minute), request.Connection, ""); open {
				t.Error("a connect was started")
			}
		})
	}
}

// A raw client that sends nonsense gets the same typed error from the workflow,
// and nothing is reserved or stored.
func TestARawClientGetsTheSameErrors(t *testing.T) {
	ctx := within(t, time.Minute)
	for _, request := range []activities.ConnectRequest{
		{Connection: "development/sandbux/raw"},
		{Connection: "production/sandbox/raw", Method: "api-key", Values: map[string]string{"base_url": s.ready.Sandbox}},
		{Connection: id("raw"), Method: "oauth", AuthConfig: "absent"},
	} {
		options := client.StartWorkflowOptions{ID: workflows.ConnectWorkflowID(request.Connection), TaskQueue: workflows.Queue}
		started, err := s.client.Temporal.ExecuteWorkflow(ctx, options, workflows.TypeConnectApp, workflows.ConnectInput{ConnectRequest: request})
		if err != nil {
			t.Fatal(err)
		}
		problem, ok := connection.AsProblem(started.Get(ctx, nil))
		if !ok || problem.Type == connection.ErrInternal {
			t.Errorf("%s: %+v", request.Connection, problem)
		}
		if open, _ := s.client.ConnectionOpen(ctx, request.Connection); open {
			t.Errorf("%s was reserved", request.Connection)
		}
	}
}

func TestAnIDThatIsTakenIsSaid(t *testing.T) {
	connectBy(t, "taken", "api-key")
	in := workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id("taken"), Method: "bearer",
		Values: map[string]string{"base_url": s.ready.Sandbox}}}
	_, err := s.client.Connect(within(t, time.Minute), in, "")
	problemOf(t, err, connection.ErrConnectionIDTaken)
	if result, err := s.client.Test(within(t, time.Minute), id("taken")); err != nil || !result.Passed {
		t.Errorf("the connection that has the ID was harmed: %+v %v", result, err)
	}
}

// Another request for the ID of an open connect never gets its link.
func TestAnotherConnectOfTheSameIDGetsNoLink(t *testing.T) {
	authConfig(t, "oauth", "oauth")
	ctx := within(t, time.Minute)
	in := workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id("shared"), Method: "oauth", AuthConfig: "oauth"}}
	if _, err := s.client.RequestLink(ctx, in); err != nil {
		t.Fatal(err)
	}
	in.Access = "read"
	_, err := s.client.RequestLink(ctx, in)
	problemOf(t, err, connection.ErrConnectionIDTaken)
	if err := s.client.CancelConnect(ctx, id("shared"), workflows.Reason{}); err != nil {
		t.Fatal(err)
	}
	_, err = s.client.AwaitConnect(ctx, id("shared"))
	problemOf(t, err, connection.ErrSessionClosed)
	eventually(t, "the reservation is given up", func() bool { open, _ := s.client.ConnectionOpen(ctx, id("shared")); return !open })
	gone(t, "shared")
}

func TestArgumentsAreCheckedAgainstTheSchema(t *testing.T) {
	connectBy(t, "arguments", "api-key")
	mark := s.mark(t)
	_, err := run(t, "arguments", "list-contacts", map[string]any{"limit": "many"})
	problem := problemOf(t, err, connection.ErrInvalidArguments)
	if !strings.Contains(fmt.Sprint(problem.Field, problem.Message), "limit") {
		t.Errorf("does not say where: %+v", problem)
	}
	_, err = run(t, "arguments", "list-kontacts", map[string]any{})
	problemOf(t, err, connection.ErrUnknownAction)
	if _, err := s.client.PutToolkit(within(t, time.Minute), id("arguments"), workflows.PutToolkit{Name: "narrow", Actions: []string{"whoami"}}); err != nil {
		t.Fatal(err)
	}
	_, err = s.client.RunAction(within(t, time.Minute), activities.CallActionInput{Connection: id("arguments"), Toolkit: "narrow", Action: "list-contacts"})
	problemOf(t, err, connection.ErrActionNotInToolkit)
	if n := count(s.since(t, mark), func(e entry) bool { return e.Kind == "api" && e.Path == contacts }); n != 0 {
		t.Errorf("%d requests left for the app", n)
	}
}

// A connect with wrong secrets stays open; the right ones then pass.
func TestAWrongCredentialIsCorrectedAndTestedAgain(t *testing.T) {
	ctx := within(t, time.Minute)
	open, right := typed("api-key")
	in := workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id("corrected"), Method: "api-key", Values: open}}
	wrong, err := s.secrets.Inbox().Leave(ctx, map[string]connection.Secret{"api_key": connection.NewSecret("wrong")})
	if err != nil {
		t.Fatal(err)
	}
	progress, err := s.client.Connect(ctx, in, wrong)
	if err != nil {
		t.Fatal(err)
	}
	if progress.Problem == nil || progress.Problem.Type != connection.ErrTestFailed || progress.Phase != workflows.PhaseTestFailed {
		t.Fatalf("%+v %s", progress.Problem, progress.Phase)
	}
	better, err := s.secrets.Inbox().Leave(ctx, right)
	if err != nil {
		t.Fatal(err)
	}
	if progress, err = s.client.ProvideCredential(ctx, id("corrected"), workflows.ProvideCredential{Inbox: better}); err != nil || progress.Problem != nil {
		t.Fatalf("%+v %v", progress.Problem, err)
	}
	if _, err := s.client.AwaitConnect(ctx, id("corrected")); err != nil {
		t.Fatal(err)
	}
	if found, _ := s.root.Logical().List("connected-apps/development/secrets/metadata/candidates/sandbox/corrected"); found != nil {
		t.Errorf("the wrong candidate is still in Vault: %v", found.Data)
	}
}
