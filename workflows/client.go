package workflows

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// Client is the typed facade of one environment's workflows. It checks what it
// is given before anything is started, and answers every failure as a
// [connection.Problem]. It is safe for concurrent use.
type Client struct {
	// Temporal is connected to the environment's namespace.
	Temporal    client.Client
	Environment string
	// NamespaceName is that namespace; "" means that it is called like the environment.
	NamespaceName string
	// Catalogue is what requests are checked against before they start anything.
	Catalogue *connectors.Catalogue
	// Facts reads when a connection was last used, tested and refreshed. Optional.
	Facts Facts
}

// Facts reads the soft facts of a connection; package vault implements it.
type Facts interface {
	Facts(ctx context.Context, id connection.ID) (connection.Facts, error)
}

// RequestLink starts a connect, unless the very same one is open, and answers the
// link where a person authorizes it.
func (c *Client) RequestLink(ctx context.Context, in ConnectInput) (Link, error) {
	var link Link
	err := c.connect(ctx, &in, UpdateRequestLink, func() any { return RequestLink{Fingerprint: in.Fingerprint} }, &link)
	return link, err
}

// RequestDevice starts a connect, unless the very same one is open, and answers the
// code that a person types in on another device. A code that is still good is
// answered again; once it has expired, a new one is.
func (c *Client) RequestDevice(ctx context.Context, in ConnectInput) (DevicePrompt, error) {
	var prompt DevicePrompt
	err := c.connect(ctx, &in, UpdateRequestDevice, func() any { return RequestDevice{Fingerprint: in.Fingerprint} }, &prompt)
	return prompt, err
}

// Connect starts a connect, unless the very same one is open, with secrets that
// wait in the inbox ("" for methods that have none). It answers when they have
// been tested, whether they passed or not, or when the login has come to a question.
func (c *Client) Connect(ctx context.Context, in ConnectInput, inbox connection.InboxRef) (Progress, error) {
	var progress Progress
	err := c.connect(ctx, &in, UpdateProvideCredential,
		func() any { return ProvideCredential{Inbox: inbox, Fingerprint: in.Fingerprint} }, &progress)
	return progress, err
}

// connect sends an update with the start of a connect. A reconnect has been started by
// its Connection, and the connect of a session by that session: they are only told. message is asked for once the input has its fingerprint.
func (c *Client) connect(ctx context.Context, in *ConnectInput, name string, message func() any, out any) error {
	if in.Mode == ModeReplace || in.Mode == ModeSession {
		err := c.update(ctx, ConnectWorkflowID(in.Connection), name, message(), out)
		if connection.TypeOf(err) == connection.ErrConnectionNotFound {
			return sessionClosed(in.Connection)
		}
		return err
	}
	start, err := c.startConnect(in)
	if err != nil {
		return err
	}
	return c.updateWithStart(ctx, ConnectWorkflowID(in.Connection), start, name, message(), out)
}

// CheckConnect reports what is wrong with a connect without starting it, and what it would do.
func (c *Client) CheckConnect(in ConnectInput) (*activities.ConnectPlan, error) {
	if env := in.Connection.Environment(); env != c.Environment {
		return nil, connection.Refused(connection.ErrUnknownEnvironment, fmt.Sprintf("this is %s, not %s", c.Environment, env),
			"use the client of that environment")
	}
	return activities.Plan(c.Catalogue, in.ConnectRequest)
}

func (c *Client) startConnect(in *ConnectInput) (client.WithStartWorkflowOperation, error) {
	plan, err := c.CheckConnect(*in)
	if err != nil {
		return nil, err
	}
	in.Fingerprint = ""
	in.Fingerprint = fingerprint(*in)
	return c.Temporal.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: ConnectWorkflowID(in.Connection), TaskQueue: Queue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            fmt.Sprintf("connect %s as %s", plan.AppName, in.Connection),
		TypedSearchAttributes:    in.attributes(),
	}, TypeConnectApp, *in), nil
}

// fingerprint stands for everything that is fixed when a connect or a reconnect starts.
func fingerprint[T ConnectInput | ReconnectInput](in T) string {
	text, _ := json.Marshal(in) // strings, lists and a map of strings: it cannot fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// BeginAuthorization answers the provider's URL, without state, for an attempt
// that has not begun. Only the hash of the state travels. Asked again with the
// same state it gets the same answer, so that a lost one costs no link.
func (c *Client) BeginAuthorization(ctx context.Context, id connection.ID, in BeginAuthorization) (activities.BeginAuthorizationResult, error) {
	var out activities.BeginAuthorizationResult
	err := c.updateOnce(ctx, ConnectWorkflowID(id), "begin/"+in.Attempt+"/"+in.StateSHA256, UpdateBeginAuthorization, in, &out)
	return out, err
}

// AuthorizationReceived tells the connect that a callback's answer waits in the inbox.
func (c *Client) AuthorizationReceived(ctx context.Context, id connection.ID, in AuthorizationReceived) error {
	return problem(c.Temporal.SignalWorkflow(ctx, ConnectWorkflowID(id), "", SignalAuthorization, in), sessionClosed(id))
}

// ProvideCredential hands over corrected secrets to an open connect; it answers after the test.
func (c *Client) ProvideCredential(ctx context.Context, id connection.ID, in ProvideCredential) (Progress, error) {
	var progress Progress
	return progress, c.update(ctx, ConnectWorkflowID(id), UpdateProvideCredential, in, &progress)
}

// AnswerStep answers the open question of a connect's login. It answers at the next
// question, or after the test.
func (c *Client) AnswerStep(ctx context.Context, id connection.ID, in AnswerStep) (Progress, error) {
	var progress Progress
	err := c.update(ctx, ConnectWorkflowID(id), UpdateAnswerStep, in, &progress)
	return progress, err
}

// ChooseAccount answers which of several accounts a connect is to be of. It answers
// at the next question, or after the test.
func (c *Client) ChooseAccount(ctx context.Context, id connection.ID, in ChooseAccount) (Progress, error) {
	var progress Progress
	err := c.update(ctx, ConnectWorkflowID(id), UpdateChooseAccount, in, &progress)
	return progress, err
}

// TestConnect runs the test of an open connect again.
func (c *Client) TestConnect(ctx context.Context, id connection.ID) (Progress, error) {
	var progress Progress
	err := c.update(ctx, ConnectWorkflowID(id), UpdateTest, struct{}{}, &progress)
	return progress, err
}

// Approve ends the review of a connect and answers when the connection is active.
func (c *Client) Approve(ctx context.Context, id connection.ID, in Approve) (Progress, error) {
	var progress Progress
	err := c.update(ctx, ConnectWorkflowID(id), UpdateApprove, in, &progress)
	return progress, err
}

// CancelConnect ends an open connect and undoes what it did.
func (c *Client) CancelConnect(ctx context.Context, id connection.ID, in Reason) error {
	return c.update(ctx, ConnectWorkflowID(id), UpdateCancel, in, nil)
}

// Progress asks a connect how far it has come; it works after the connect is over too.
func (c *Client) Progress(ctx context.Context, id connection.ID) (Progress, error) {
	var progress Progress
	value, err := c.Temporal.QueryWorkflow(ctx, ConnectWorkflowID(id), "", QueryProgress)
	if err == nil {
		err = value.Get(&progress)
	}
	return progress, problem(err, sessionClosed(id))
}

// Requested answers what a connect was asked to make: with it whoever lost the
// link or the terminal can ask for another link, or provide the credential.
func (c *Client) Requested(ctx context.Context, id connection.ID) (ConnectInput, error) {
	var in ConnectInput
	value, err := c.Temporal.QueryWorkflow(ctx, ConnectWorkflowID(id), "", QueryRequest)
	if err == nil {
		err = value.Get(&in)
	}
	return in, problem(err, sessionClosed(id))
}

// AwaitConnect answers when a connect is over: its result, or why it failed.
func (c *Client) AwaitConnect(ctx context.Context, id connection.ID) (ConnectResult, error) {
	var result ConnectResult
	err := c.Temporal.GetWorkflow(ctx, ConnectWorkflowID(id), "").Get(ctx, &result)
	return result, problem(err, sessionClosed(id))
}

func (c *Client) update(ctx context.Context, workflowID, name string, in, out any) error {
	return c.updateOnce(ctx, workflowID, c.nextID(ctx, workflowID, name), name, in, out)
}

// updateOnce sends an update under an ID: a second one with the same ID is the first one.
func (c *Client) updateOnce(ctx context.Context, workflowID, updateID, name string, in, out any) error {
	handle, err := c.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflowID, UpdateName: name, UpdateID: updateID, Args: []any{in},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, out)
	}
	return problem(err, absent(workflowID))
}

// updateWithStart sends an update with the start of the workflow, whose ID that is.
func (c *Client) updateWithStart(ctx context.Context, workflowID string, start client.WithStartWorkflowOperation, name string, in, out any) error {
	handle, err := c.Temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{UpdateName: name, UpdateID: c.nextID(ctx, workflowID, name), Args: []any{in},
			WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err == nil {
		err = handle.Get(ctx, out)
	}
	return problem(err, connection.Internal("connect"))
}

// problem says an error of Temporal in our words; missing is what it means that there is no such workflow.
func problem(err error, missing *connection.Problem) error {
	if err == nil {
		return nil
	}
	if known, ok := connection.AsProblem(err); ok {
		return known
	}
	var notFound *serviceerror.NotFound
	var namespace *serviceerror.NamespaceNotFound
	var unavailable *serviceerror.Unavailable
	switch {
	case errors.As(err, &namespace):
		return connection.Refused(connection.ErrUnknownEnvironment, "Temporal has no namespace "+namespace.Namespace,
			"create it, or set CONNECTED_APPS_NAMESPACE_<ENVIRONMENT>")
	case errors.As(err, &notFound):
		return missing
	case errors.As(err, &unavailable):
		return connection.TemporalUnavailable("Temporal cannot be reached")
	case errors.Is(err, context.DeadlineExceeded):
		return connection.TemporalUnavailable("there was no answer in time; is a worker of this environment running?")
	case errors.Is(err, context.Canceled):
		return err
	}
	return connection.TemporalUnavailable("Temporal answered: " + connection.Bound(err.Error(), 200))
}

func sessionClosed(id connection.ID) *connection.Problem {
	return connection.Refused(connection.ErrSessionClosed, fmt.Sprintf("no connect of %s is under way", id), "start a new one")
}

func absent(workflowID string) *connection.Problem {
	return connection.Refused(connection.ErrConnectionNotFound, fmt.Sprintf("there is no open %s", workflowID),
		"list what there is with: connected-apps connections list")
}
