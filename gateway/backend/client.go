package backend

import (
	"context"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// Client is what the gateway asks of the workflows of one environment;
// [workflows.Client] is it, and says what each method does. Every error is a
// [connection.Problem], or that of a context that ended.
type Client interface {
	Connects
	ConnectSessions
	Connections
	AuthConfigs
	Alerts
}

// Connects are connects that are under way, reconnects among them.
type Connects interface {
	CheckConnect(in workflows.ConnectInput) (*activities.ConnectPlan, error)
	RequestLink(ctx context.Context, in workflows.ConnectInput) (workflows.Link, error)
	RequestDevice(ctx context.Context, in workflows.ConnectInput) (workflows.DevicePrompt, error)
	Connect(ctx context.Context, in workflows.ConnectInput, inbox connection.InboxRef) (workflows.Progress, error)
	Requested(ctx context.Context, id connection.ID) (workflows.ConnectInput, error)
	Progress(ctx context.Context, id connection.ID) (workflows.Progress, error)
	BeginAuthorization(ctx context.Context, id connection.ID, in workflows.BeginAuthorization) (activities.BeginAuthorizationResult, error)
	AuthorizationReceived(ctx context.Context, id connection.ID, in workflows.AuthorizationReceived) error
	ProvideCredential(ctx context.Context, id connection.ID, in workflows.ProvideCredential) (workflows.Progress, error)
	AnswerStep(ctx context.Context, id connection.ID, in workflows.AnswerStep) (workflows.Progress, error)
	ChooseAccount(ctx context.Context, id connection.ID, in workflows.ChooseAccount) (workflows.Progress, error)
	TestConnect(ctx context.Context, id connection.ID) (workflows.Progress, error)
	Approve(ctx context.Context, id connection.ID, in workflows.Approve) (workflows.Progress, error)
	CancelConnect(ctx context.Context, id connection.ID, in workflows.Reason) error
}

// ConnectSessions are links with which one person, who need not sign in, makes one connection.
type ConnectSessions interface {
	CreateConnectSession(ctx context.Context, in workflows.ConnectSessionInput) (workflows.ConnectSessionState, error)
	ConnectSession(ctx context.Context, session string) (workflows.ConnectSessionState, error)
	ClaimConnectSession(ctx context.Context, session string, in workflows.ClaimSession) (workflows.ConnectSessionState, error)
	StartConnectSession(ctx context.Context, session string, in workflows.StartSession) (workflows.Reconnecting, error)
	CancelConnectSession(ctx context.Context, session string, in workflows.Reason) (workflows.ConnectSessionState, error)
}

// Connections are what has been connected.
type Connections interface {
	List(ctx context.Context, filter workflows.Filter, pageSize int, page []byte) ([]workflows.Row, []byte, error)
	Exact(ctx context.Context, rows []workflows.Row) error
	Describe(ctx context.Context, id connection.ID) (workflows.Description, error)
	Test(ctx context.Context, id connection.ID) (workflows.TestResult, error)
	Refresh(ctx context.Context, id connection.ID) (workflows.RefreshResult, error)
	Reconnect(ctx context.Context, id connection.ID, in workflows.ReconnectInput) (workflows.Reconnecting, error)
	UpdateCredentials(ctx context.Context, id connection.ID, in workflows.NewCredentials) (workflows.Progress, error)
	PutToolkit(ctx context.Context, id connection.ID, in workflows.PutToolkit) (connection.Toolkit, error)
	DeleteToolkit(ctx context.Context, id connection.ID, name string) error
	Rename(ctx context.Context, id connection.ID, name string) error
	SetPolicy(ctx context.Context, id connection.ID, in workflows.SetPolicy) (connection.Policy, error)
	Pause(ctx context.Context, id connection.ID, reason string) error
	Resume(ctx context.Context, id connection.ID, reason string) error
	Disconnect(ctx context.Context, id connection.ID, reason string) (workflows.DisconnectResult, error)
	DisconnectAll(ctx context.Context, ids []connection.ID, reason string, each func(workflows.Disconnected)) error
	RunAction(ctx context.Context, in activities.CallActionInput) (*activities.CallActionResult, error)
	ActionProgress(ctx context.Context, id connection.ID, key string) (workflows.ActionProgress, error)
	ActionRun(ctx context.Context, id connection.ID, key string) (workflows.ActionRun, error)
	CancelAction(ctx context.Context, id connection.ID, key, reason string) error
}

// AuthConfigs are client registrations and shared credentials.
type AuthConfigs interface {
	CreateAuthConfig(ctx context.Context, in activities.StoreAuthConfigInput) (workflows.AuthConfigState, error)
	DescribeAuthConfig(ctx context.Context, app, name string) (workflows.AuthConfigState, error)
	ListAuthConfigs(ctx context.Context, app string, pageSize int, page []byte) ([]workflows.AuthConfigRow, []byte, error)
	CountAuthConfigUsers(ctx context.Context, rows []workflows.AuthConfigRow) error
	AuthConfigUsers(ctx context.Context, app, name string, n int) ([]workflows.AuthConfigUser, int, error)
	RotateAuthConfig(ctx context.Context, app, name string, in workflows.Rotate) (workflows.RotateResult, error)
	RetireAuthConfig(ctx context.Context, app, name string, in workflows.Retire) (workflows.AuthConfigState, error)
	DeleteAuthConfig(ctx context.Context, app, name string) error
}

// Alerts are what people should know of, and where they are told.
type Alerts interface {
	ListAlerts(ctx context.Context, filter workflows.AlertFilter, pageSize int, page []byte) ([]workflows.AlertRow, []byte, error)
	DescribeAlert(ctx context.Context, id string) (workflows.AlertState, error)
	ResolveAlert(ctx context.Context, id, reason string) (workflows.AlertState, error)
	Sinks(ctx context.Context) ([]workflows.SinkState, error)
	CreateSink(ctx context.Context, in workflows.CreateSink) (workflows.SinkState, error)
	RotateSink(ctx context.Context, in workflows.RotateSink) (workflows.SinkState, error)
	DeleteSink(ctx context.Context, name string) error
	TestSink(ctx context.Context, name string) (workflows.SinkTest, error)
}

var _ Client = (*workflows.Client)(nil)
