package api

import (
	"context"
	"encoding/json"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fakeState is what the fake answers.
type fakeState struct {
	exists   bool
	method   string
	rows     []workflows.Row
	progress workflows.Progress
	run      func(context.Context) (*activities.CallActionResult, error)
	sinks    []workflows.SinkState
	config   workflows.AuthConfigState
}

func newState() fakeState {
	return fakeState{exists: true, method: "key",
		progress: workflows.Progress{Connection: "development/atlas/main", Phase: workflows.PhaseTestFailed, Plan: plans["key"]},
		sinks:    []workflows.SinkState{{Name: "ops", Kind: connection.SinkWebhook, Host: "https://ops.example"}},
		config:   workflows.AuthConfigState{Environment: "development", App: "atlas", Name: "acme", Method: "oauth", ClientID: "c", Status: connection.Active}}
}

func (f *fake) CheckConnect(in workflows.ConnectInput) (*activities.ConnectPlan, error) {
	catalogue, err := testCatalogue()
	if err != nil {
		return nil, err
	}
	return activities.Plan(catalogue, in.ConnectRequest)
}

func (f *fake) RequestLink(_ context.Context, in workflows.ConnectInput) (workflows.Link, error) {
	return workflows.Link{Attempt: "abc", URL: site + "/connect/development/atlas/main/abc", Expires: testTime}, f.called("RequestLink", in)
}

func (f *fake) RequestDevice(_ context.Context, in workflows.ConnectInput) (workflows.DevicePrompt, error) {
	return workflows.DevicePrompt{UserCode: "WDJB-MJHT", VerificationURI: "https://id.atlas.example/device", Expires: testTime}, f.called("RequestDevice", in)
}

func (f *fake) Connect(_ context.Context, in workflows.ConnectInput, inbox connection.InboxRef) (workflows.Progress, error) {
	return f.progress, f.called("Connect", []any{in, inbox})
}

func (f *fake) Requested(_ context.Context, id connection.ID) (workflows.ConnectInput, error) {
	return workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id, Method: "oauth"}, Fingerprint: "f"}, f.called("Requested", id)
}

func (f *fake) Progress(_ context.Context, id connection.ID) (workflows.Progress, error) {
	err := f.called("Progress", id)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.progress, err
}

func (f *fake) ProvideCredential(_ context.Context, _ connection.ID, in workflows.ProvideCredential) (workflows.Progress, error) {
	return f.progress, f.called("ProvideCredential", in)
}

func (f *fake) AnswerStep(_ context.Context, _ connection.ID, in workflows.AnswerStep) (workflows.Progress, error) {
	return f.progress, f.called("AnswerStep", in)
}

func (f *fake) ChooseAccount(_ context.Context, _ connection.ID, in workflows.ChooseAccount) (workflows.Progress, error) {
	return f.progress, f.called("ChooseAccount", in)
}

func (f *fake) TestConnect(_ context.Context, id connection.ID) (workflows.Progress, error) {
	return f.progress, f.called("TestConnect", id)
}

func (f *fake) Approve(_ context.Context, _ connection.ID, in workflows.Approve) (workflows.Progress, error) {
	return f.progress, f.called("Approve", in)
}

func (f *fake) CancelConnect(_ context.Context, _ connection.ID, in workflows.Reason) error {
	return f.called("CancelConnect", in)
}

func (f *fake) List(_ context.Context, filter workflows.Filter, n int, page []byte) ([]workflows.Row, []byte, error) {
	if err := f.called("List", filter); err != nil {
		return nil, nil, err
	}
	start := 0
	if len(page) > 0 {
		start = int(page[0])
	}
	end := min(start+n, len(f.rows))
	var next []byte
	if end < len(f.rows) {
		next = []byte{byte(end)}
	}
	return f.rows[start:end], next, nil
}

func (f *fake) Describe(_ context.Context, id connection.ID) (workflows.Description, error) {
	if err := f.called("Describe", id); err != nil {
		return workflows.Description{}, err
	}
	if !f.exists {
		return workflows.Description{}, connection.NotFound(id)
	}
	return workflows.Description{State: workflows.State{ID: id, DisplayName: "Main", Method: f.method, Kind: connection.APIKey,
		Look: activities.Look{Status: connection.Active}, Toolkits: []connection.Toolkit{{Name: "default", Actions: []string{"list-maps", "gone"}}},
		Policy: connection.Policy{ProbeEvery: time.Hour}}}, nil
}

func (f *fake) Test(_ context.Context, id connection.ID) (workflows.TestResult, error) {
	return workflows.TestResult{Passed: true, Status: connection.Active, Report: &activities.ProbeReport{Tested: "GET /me"}}, f.called("Test", id)
}

func (f *fake) Refresh(_ context.Context, id connection.ID) (workflows.RefreshResult, error) {
	return workflows.RefreshResult{Generation: 2, Status: connection.Active}, f.called("Refresh", id)
}

func (f *fake) Reconnect(_ context.Context, id connection.ID, in workflows.ReconnectInput) (workflows.Reconnecting, error) {
	method := in.Method
	if method == "" {
		method = f.method
	}
	return workflows.Reconnecting{Connect: workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id}, Mode: workflows.ModeReplace,
		Fingerprint: "f"}, Plan: plans[method]}, f.called("Reconnect", in)
}

func (f *fake) UpdateCredentials(_ context.Context, _ connection.ID, in workflows.NewCredentials) (workflows.Progress, error) {
	return f.progress, f.called("UpdateCredentials", in)
}

func (f *fake) PutToolkit(_ context.Context, _ connection.ID, in workflows.PutToolkit) (connection.Toolkit, error) {
	return connection.Toolkit(in), f.called("PutToolkit", in)
}

func (f *fake) DeleteToolkit(_ context.Context, _ connection.ID, name string) error {
	return f.called("DeleteToolkit", name)
}

func (f *fake) Rename(_ context.Context, _ connection.ID, name string) error {
	return f.called("Rename", name)
}

func (f *fake) SetPolicy(_ context.Context, _ connection.ID, in workflows.SetPolicy) (connection.Policy, error) {
	return connection.Policy{}, f.called("SetPolicy", in)
}

func (f *fake) Pause(_ context.Context, _ connection.ID, reason string) error {
	return f.called("Pause", reason)
}

func (f *fake) Resume(_ context.Context, _ connection.ID, reason string) error {
	return f.called("Resume", reason)
}

func (f *fake) Disconnect(_ context.Context, _ connection.ID, reason string) (workflows.DisconnectResult, error) {
	return workflows.DisconnectResult{Revocation: "revoked"}, f.called("Disconnect", reason)
}

func (f *fake) RunAction(ctx context.Context, in activities.CallActionInput) (*activities.CallActionResult, error) {
	if err := f.called("RunAction", in); err != nil {
		return nil, err
	}
	if f.run != nil {
		return f.run(ctx)
	}
	return &activities.CallActionResult{Data: json.RawMessage(`[{"id":9007199254740993}]`), Status: 200, NextCursor: "n"}, nil
}

func (f *fake) ActionProgress(_ context.Context, _ connection.ID, key string) (workflows.ActionProgress, error) {
	return workflows.ActionProgress{Attempt: 2, Reason: "it waits"}, f.called("ActionProgress", key)
}

func (f *fake) CreateAuthConfig(_ context.Context, in activities.StoreAuthConfigInput) (workflows.AuthConfigState, error) {
	return f.config, f.called("CreateAuthConfig", in)
}

func (f *fake) DescribeAuthConfig(_ context.Context, _, name string) (workflows.AuthConfigState, error) {
	return f.config, f.called("DescribeAuthConfig", name)
}

func (f *fake) ListAuthConfigs(_ context.Context, app string, _ int, _ []byte) ([]workflows.AuthConfigRow, []byte, error) {
	return []workflows.AuthConfigRow{{Environment: "development", App: "atlas", Name: "acme"}}, nil, f.called("ListAuthConfigs", app)
}

func (f *fake) CountAuthConfigUsers(_ context.Context, rows []workflows.AuthConfigRow) error {
	for i := range rows {
		n := 3
		rows[i].UsedBy = &n
	}
	return f.called("CountAuthConfigUsers", nil)
}

func (f *fake) AuthConfigUsers(context.Context, string, string, int) ([]workflows.AuthConfigUser, int, error) {
	return []workflows.AuthConfigUser{{Connection: "development/atlas/main", Status: connection.Active}}, 1, f.called("AuthConfigUsers", nil)
}

func (f *fake) RotateAuthConfig(_ context.Context, _, _ string, in workflows.Rotate) (workflows.RotateResult, error) {
	return workflows.RotateResult{Changed: []string{"client_secret"}, Proof: "client-credentials", Rotated: testTime}, f.called("RotateAuthConfig", in)
}

func (f *fake) RetireAuthConfig(_ context.Context, _, _ string, in workflows.Retire) (workflows.AuthConfigState, error) {
	return f.config, f.called("RetireAuthConfig", in)
}

func (f *fake) DeleteAuthConfig(_ context.Context, _, name string) error {
	return f.called("DeleteAuthConfig", name)
}

func (f *fake) ListAlerts(_ context.Context, filter workflows.AlertFilter, _ int, _ []byte) ([]workflows.AlertRow, []byte, error) {
	return []workflows.AlertRow{{ID: "alert/development/atlas/main/expired-1", Kind: connection.AlertExpired}}, nil, f.called("ListAlerts", filter)
}

func (f *fake) DescribeAlert(_ context.Context, id string) (workflows.AlertState, error) {
	return workflows.AlertState{ID: id}, f.called("DescribeAlert", id)
}

func (f *fake) ResolveAlert(_ context.Context, id, reason string) (workflows.AlertState, error) {
	return workflows.AlertState{ID: id, Resolution: reason}, f.called("ResolveAlert", id)
}

func (f *fake) Sinks(context.Context) ([]workflows.SinkState, error) {
	return f.sinks, f.called("Sinks", nil)
}

func (f *fake) CreateSink(_ context.Context, in workflows.CreateSink) (workflows.SinkState, error) {
	return workflows.SinkState{Name: in.Name, Kind: in.Kind}, f.called("CreateSink", in)
}

func (f *fake) RotateSink(_ context.Context, in workflows.RotateSink) (workflows.SinkState, error) {
	return f.sinks[0], f.called("RotateSink", in)
}

func (f *fake) DeleteSink(_ context.Context, name string) error { return f.called("DeleteSink", name) }

func (f *fake) TestSink(_ context.Context, name string) (workflows.SinkTest, error) {
	return workflows.SinkTest{}, f.called("TestSink", name)
}

func (f *fake) CreateConnectSession(_ context.Context, in workflows.ConnectSessionInput) (workflows.ConnectSessionState, error) {
	return workflows.ConnectSessionState{ConnectSessionInput: in, State: workflows.SessionOpen, Expires: testTime}, f.called("CreateConnectSession", in)
}

func (f *fake) ConnectSession(_ context.Context, session string) (workflows.ConnectSessionState, error) {
	return workflows.ConnectSessionState{ConnectSessionInput: workflows.ConnectSessionInput{Session: session, TokenSHA256: hashOf([]byte("token"))},
		BrowserSHA256: hashOf([]byte("browser")), State: workflows.SessionClaimed}, f.called("ConnectSession", session)
}

func (f *fake) CancelConnectSession(_ context.Context, session string, in workflows.Reason) (workflows.ConnectSessionState, error) {
	return workflows.ConnectSessionState{ConnectSessionInput: workflows.ConnectSessionInput{Session: session, TokenSHA256: hashOf([]byte("token"))},
		BrowserSHA256: hashOf([]byte("browser")), State: workflows.SessionCancelled}, f.called("CancelConnectSession", in.Reason)
}
