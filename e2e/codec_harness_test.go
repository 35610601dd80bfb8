package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/vault"
	"connectedapps/workflows"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// grantIn connects the sandbox by OAuth in an environment, and answers the grant's token family.
func grantIn(t *testing.T, c *workflows.Client, secrets *vault.Client, id connection.ID) string {
	t.Helper()
	ctx := within(t, 2*time.Minute)
	if _, err := c.DescribeAuthConfig(ctx, "sandbox", "oauth"); err != nil {
		ref, err := secrets.Inbox().Leave(ctx, map[string]connection.Secret{"client_secret": connection.NewSecret(s.credentials["client_secret"])})
		if err == nil {
			_, err = c.CreateAuthConfig(ctx, activities.StoreAuthConfigInput{App: "sandbox", Name: "oauth", Method: "oauth",
				ClientID: s.credentials["client_id"], Values: map[string]string{"base_url": s.ready.Sandbox}, Inbox: ref})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	leaves(t, c, id)
	start := s.mark(t)
	link, err := c.RequestLink(ctx, workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id, Method: "oauth", AuthConfig: "oauth"}})
	if err != nil {
		t.Fatal(err)
	}
	if result := newPerson(t).connect(link.URL, "ada", "approve"); result.status != http.StatusOK {
		t.Fatalf("%d %s", result.status, result.text)
	}
	if _, err := c.AwaitConnect(ctx, id); err != nil {
		t.Fatal(err)
	}
	return familySince(t, start)
}

// leaves disconnects at the end of the test what it has connected in an environment.
func leaves(t *testing.T, c *workflows.Client, id connection.ID) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := c.Disconnect(ctx, id, "the test is over"); err != nil && connection.TypeOf(err) != connection.ErrConnectionNotFound {
			t.Errorf("disconnecting %s: %v", id, err)
		}
	})
}

// runIn runs an action, with arguments that are written as JSON.
func runIn(t *testing.T, c *workflows.Client, id connection.ID, action string, arguments any) (*activities.CallActionResult, error) {
	t.Helper()
	text, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	return c.RunAction(within(t, 2*time.Minute), activities.CallActionInput{Connection: id, Action: action, Arguments: text})
}

// kept is everything that Temporal keeps of an environment, as it keeps it: histories
// and descriptions of all workflows, and of all standalone activities.
func kept(t *testing.T, c *workflows.Client) []proto.Message {
	t.Helper()
	ctx := within(t, 2*time.Minute)
	var all []proto.Message
	list, err := c.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, list)
	for _, execution := range list.GetExecutions() {
		id, run := execution.GetExecution().GetWorkflowId(), execution.GetExecution().GetRunId()
		described, err := c.Temporal.DescribeWorkflowExecution(ctx, id, run)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, described)
		events := c.Temporal.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, event)
		}
	}
	_, described := standalone(t, c)
	return append(all, described...)
}

// each calls back for every payload and every failure of a message, with where it
// stands, but for search attributes.
func each(message protoreflect.Message, where string, payload func(string, *commonpb.Payload), failure func(string, *failurepb.Failure)) {
	switch known := message.Interface().(type) {
	case *commonpb.SearchAttributes:
		return
	case *commonpb.Payload:
		payload(where, known)
		return
	case *failurepb.Failure:
		failure(where, known)
	}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		at := where + "." + string(field.Name())
		switch {
		case field.IsMap() && field.MapValue().Message() != nil:
			value.Map().Range(func(key protoreflect.MapKey, inner protoreflect.Value) bool {
				each(inner.Message(), at+"."+key.String(), payload, failure)
				return true
			})
		case field.IsList() && field.Message() != nil:
			for i := range value.List().Len() {
				each(value.List().Get(i).Message(), at, payload, failure)
			}
		case !field.IsList() && !field.IsMap() && field.Message() != nil:
			each(value.Message(), at, payload, failure)
		}
		return true
	})
}

// inClear answers what of all that is kept is not sealed: payloads, and failures that
// one of our processes wrote.
func inClear(all []proto.Message) (payloads, failures []string, seen int) {
	for _, message := range all {
		each(message.ProtoReflect(), string(message.ProtoReflect().Descriptor().Name()), func(where string, p *commonpb.Payload) {
			seen++
			if strings.HasSuffix(where, "activity_task_canceled_event_attributes.details.payloads") && string(p.GetData()) == `"ACTIVITY_ID_NOT_STARTED"` {
				return // the server's own word
			}
			if encoding := string(p.GetMetadata()["encoding"]); encoding != vault.EncodingSealed {
				payloads = append(payloads, where+" is "+encoding+": "+string(p.GetData()))
			}
		}, func(where string, f *failurepb.Failure) {
			// What the server writes itself, such as a time-out, says nothing of anybody.
			if f.GetSource() == "GoSDK" && (f.GetMessage() != "Encoded failure" || f.GetStackTrace() != "" || f.GetEncodedAttributes() == nil) {
				failures = append(failures, where+": "+f.GetMessage())
			}
		})
	}
	return payloads, failures, seen
}

// database is what stands in the server's files.
func database(t *testing.T) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.dir, "temporal.db*"))
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	var all strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
