package workflows

import (
	"context"
	"strings"
	"testing"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"

	enumspb "go.temporal.io/api/enums/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
)

// desk is a Temporal with one session and one entity of sinks, and writes down what it is sent.
type desk struct {
	client.Client
	state      ConnectSessionState // what describe answers
	fault      error               // of every query
	terminated bool
	taken      bool
	update     error
	sinks      []SinkState

	started []ConnectSessionInput
	options client.StartWorkflowOptions
	sent    []client.UpdateWorkflowOptions
}

type spoken struct {
	converter.EncodedValue
	of any
}

func (s spoken) Get(out any) error {
	payload, err := converter.GetDefaultDataConverter().ToPayload(s.of)
	if err != nil {
		return err
	}
	return converter.GetDefaultDataConverter().FromPayload(payload, out)
}

func (d *desk) ExecuteWorkflow(_ context.Context, options client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	if d.taken {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("taken", "", "")
	}
	in, _ := args[0].(ConnectSessionInput)
	d.options, d.started, d.state.ConnectSessionInput = options, append(d.started, in), in
	return nil, nil
}

func (d *desk) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	return spoken{of: AlertSinksState{Sinks: d.sinks}}, nil
}

func (d *desk) QueryWorkflowWithOptions(_ context.Context, in *client.QueryWorkflowWithOptionsRequest) (*client.QueryWorkflowWithOptionsResponse, error) {
	answer := &client.QueryWorkflowWithOptionsResponse{QueryResult: spoken{of: d.state}}
	if d.terminated && in.QueryRejectCondition == enumspb.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY {
		answer.QueryRejected = &querypb.QueryRejected{Status: enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED}
	}
	return answer, d.fault
}

func (d *desk) UpdateWorkflow(_ context.Context, options client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	d.sent = append(d.sent, options)
	return nil, d.update
}

func sessionClient(t *testing.T, d *desk) *Client {
	t.Helper()
	catalogue, err := connectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	return &Client{Temporal: d, Environment: "development", Catalogue: catalogue}
}

func wanted() ConnectSessionInput {
	return ConnectSessionInput{Environment: "development", Session: "s1", App: "sandbox", TokenSHA256: tokenHash,
		ConnectRequest: activities.ConnectRequest{Connection: testID}}
}

func TestCreatingASessionChecksItFirst(t *testing.T) {
	sinks := []SinkState{{Name: "platform", Kind: connection.SinkWebhook}, {Name: "chat", Kind: connection.SinkSlack}, {Name: "gone", Disabled: "it answered 410 Gone"}}
	for name, test := range map[string]struct {
		ask   func(*ConnectSessionInput)
		taken bool
		kind  string
	}{
		"as it is":            {func(*ConnectSessionInput) {}, false, ""},
		"by a kind":           {func(in *ConnectSessionInput) { in.Method, in.Notify = "oauth2-code", "platform" }, false, ""},
		"with a chat":         {func(in *ConnectSessionInput) { in.Notify = "chat" }, false, ""},
		"taken":               {func(*ConnectSessionInput) {}, true, connection.ErrConnectionIDTaken},
		"another environment": {func(in *ConnectSessionInput) { in.Environment = "production" }, false, connection.ErrUnknownEnvironment},
		"no session":          {func(in *ConnectSessionInput) { in.Session = "S 1" }, false, connection.ErrInvalidInput},
		"the token itself":    {func(in *ConnectSessionInput) { in.TokenSHA256 = "CANARY" }, false, connection.ErrInvalidInput},
		"no such app": {func(in *ConnectSessionInput) { in.App, in.Connection = "nothing", "development/nothing/test" }, false,
			connection.ErrUnknownApp},
		"no such method": {func(in *ConnectSessionInput) { in.Method = "smoke-signals" }, false, connection.ErrAuthKindNotOffered},
		"a secret":       {func(in *ConnectSessionInput) { in.Values = map[string]string{"api_key": "CANARY"} }, false, connection.ErrInvalidInput},
		"no such sink":   {func(in *ConnectSessionInput) { in.Notify = "nobody" }, false, connection.ErrSinkNotFound},
		"a sink in vain": {func(in *ConnectSessionInput) { in.Notify = "gone" }, false, connection.ErrInvalidInput},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{sinks: sinks, taken: test.taken}
			in := wanted()
			test.ask(&in)
			state, err := sessionClient(t, d).CreateConnectSession(context.Background(), in)
			if connection.TypeOf(err) != test.kind || (len(d.started) == 1) != (test.kind == "") {
				t.Fatalf("%+v %v, started %v", state, err, d.started)
			}
			if err != nil {
				if strings.Contains(err.Error(), "CANARY") {
					t.Error(err)
				}
				return
			}
			if d.options.ID != "connect-session/development/s1" || d.options.WorkflowIDReusePolicy != enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE ||
				!d.options.WorkflowExecutionErrorWhenAlreadyStarted || state.Session != "s1" || d.options.StaticSummary == "" {
				t.Errorf("%+v, %+v", d.options, state)
			}
			if in.Method != "" && d.started[0].Method != "oauth" {
				t.Errorf("kept as %q", d.started[0].Method)
			}
		})
	}
}

// A choice that cannot be is not sent: what is sent is written down.
func TestAChoiceIsCheckedBeforeItIsSent(t *testing.T) {
	d := &desk{state: ConnectSessionState{ConnectSessionInput: wanted(), State: SessionClaimed}, update: serviceerror.NewUnavailable("sent")}
	c := sessionClient(t, d)
	for _, in := range []StartSession{
		{Method: "smoke-signals"}, {Method: "oauth"}, {Method: "api-key", Values: map[string]string{"api_key": "CANARY"}},
		{Method: "api-key", Actions: []string{"fly"}},
		{Method: "api-key", AuthConfig: "shared"}, {Method: "client-credentials", AuthConfig: "service"},
	} {
		if _, err := c.StartConnectSession(context.Background(), "s1", in); err == nil || len(d.sent) != 0 || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%+v: %v, sent %v", in, err, d.sent)
		}
	}
	_, err := c.StartConnectSession(context.Background(), "s1", StartSession{Method: "api-key"})
	if connection.TypeOf(err) != connection.ErrTemporalUnavailable || len(d.sent) != 1 || d.sent[0].UpdateName != UpdateStart {
		t.Errorf("%v, sent %v", err, d.sent)
	}
}

func TestASessionThatIsOverSaysHow(t *testing.T) {
	missing := serviceerror.NewNotFound("workflow execution already completed")
	for name, test := range map[string]struct {
		desk desk
		kind string
		says string
	}{
		"connected":  {desk{state: ConnectSessionState{State: SessionConnected}}, connection.ErrSessionClosed, "is finished"},
		"failed":     {desk{state: ConnectSessionState{State: SessionFailed, Problem: connection.Internal("x")}}, connection.ErrSessionClosed, "internal error in x"},
		"cancelled":  {desk{state: ConnectSessionState{State: SessionCancelled}}, connection.ErrSessionClosed, "was cancelled"},
		"expired":    {desk{state: ConnectSessionState{State: SessionExpired}}, connection.ErrSessionClosed, "has expired"},
		"terminated": {desk{state: ConnectSessionState{State: SessionOpen}, terminated: true}, connection.ErrSessionClosed, "from outside"},
		"unknown":    {desk{fault: missing}, connection.ErrConnectSessionNotFound, "there is no connect session s1"},
	} {
		t.Run(name, func(t *testing.T) {
			d := test.desk
			d.update = missing
			c := sessionClient(t, &d)
			told := func(err error) {
				t.Helper()
				if connection.TypeOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%v, want %s: %s", err, test.kind, test.says)
				}
			}
			_, err := c.ClaimConnectSession(context.Background(), "s1", ClaimSession{TokenSHA256: tokenHash, BrowserSHA256: browserHash})
			told(err)
			_, err = c.StartConnectSession(context.Background(), "s1", StartSession{BrowserSHA256: browserHash})
			told(err)
			state, err := c.CancelConnectSession(context.Background(), "s1", Reason{})
			if d.state.State == SessionCancelled {
				if err != nil || state.State != SessionCancelled {
					t.Errorf("cancelled twice: %+v %v", state, err)
				}
			} else {
				told(err)
			}
			state, err = c.ConnectSession(context.Background(), "s1")
			if d.fault != nil || d.terminated {
				told(err)
			} else if err != nil || state.State != d.state.State {
				t.Errorf("%+v %v", state, err)
			}
		})
	}
}

// Who cancels what is being cancelled is told how it stands.
func TestASessionIsCancelledTwice(t *testing.T) {
	d := &desk{state: ConnectSessionState{State: SessionConnecting}, update: beingCancelled().Temporal()}
	state, err := sessionClient(t, d).CancelConnectSession(context.Background(), "s1", Reason{})
	if err != nil || state.State != SessionConnecting {
		t.Errorf("%+v %v", state, err)
	}
	d.state.State = SessionConnected
	if _, err := sessionClient(t, d).CancelConnectSession(context.Background(), "s1", Reason{}); connection.TypeOf(err) != connection.ErrSessionClosed {
		t.Error(err)
	}
}

// The connect of a session is told what a person does, and never started again.
func TestAClientNeverStartsASessionsConnect(t *testing.T) {
	d := &desk{update: serviceerror.NewNotFound("no such workflow")}
	in := request()
	in.Mode = ModeSession
	_, err := sessionClient(t, d).RequestLink(context.Background(), in) // an update-with-start would panic
	if connection.TypeOf(err) != connection.ErrSessionClosed || len(d.sent) != 1 || d.sent[0].WorkflowID != ConnectWorkflowID(testID) {
		t.Errorf("%v, sent %v", err, d.sent)
	}
}
