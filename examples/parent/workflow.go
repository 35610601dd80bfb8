package main

import (
	"encoding/json"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"
)

// The public contract of Connected Apps that this program uses: two names and
// the JSON below. It imports none of its packages, as a platform in any language would not.
const (
	runAction = "RunAction"
	queue     = "connected-apps"
)

// actionInput is what RunAction takes; the fields that are not used here are left out.
type actionInput struct {
	Connection string `json:"connection"`
	// Toolkit of the connection; absent means "default".
	Toolkit   string         `json:"toolkit,omitempty"`
	Action    string         `json:"action"`
	Arguments map[string]any `json:"arguments,omitempty"`
	// IdempotencyKey makes a repetition harmless where the app supports it.
	IdempotencyKey string `json:"idempotency_key,omitempty"`
	// WaitForReconnect parks the action while the connection is Expired, instead of failing.
	WaitForReconnect bool `json:"wait_for_reconnect,omitempty"`
}

// actionResult is what RunAction answers.
type actionResult struct {
	Data       json.RawMessage `json:"data"`
	Status     int             `json:"status"`
	NextCursor string          `json:"next_cursor,omitempty"`
}

// DigestInput names the connection whose contacts are summed up.
type DigestInput struct {
	Connection string `json:"connection"`
	Toolkit    string `json:"toolkit,omitempty"`
}

// Digest is the result of ContactsDigest.
type Digest struct {
	Names []string `json:"names"`
	// More says that there are contacts beyond these.
	More    bool    `json:"more"`
	Created contact `json:"created"`
}

type contact struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ContactsDigest reads a page of contacts and leaves a contact that says so. Its
// two actions are child workflows: each shows in the Web UI with its own history,
// retries what waiting cures, and never sees a credential.
func ContactsDigest(ctx workflow.Context, in DigestInput) (*Digest, error) {
	var page []contact
	listed, err := act(ctx, actionInput{Connection: in.Connection, Toolkit: in.Toolkit, Action: "list-contacts",
		Arguments: map[string]any{"limit": 5}, WaitForReconnect: true}, &page)
	if err != nil {
		return nil, err
	}
	digest := &Digest{More: listed.NextCursor != ""}
	for _, c := range page {
		digest.Names = append(digest.Names, c.Name)
	}
	_, err = act(ctx, actionInput{Connection: in.Connection, Toolkit: in.Toolkit, Action: "create-contact",
		Arguments:        map[string]any{"name": fmt.Sprintf("Digest of %d contacts", len(page))},
		IdempotencyKey:   workflow.GetInfo(ctx).WorkflowExecution.ID,
		WaitForReconnect: true}, &digest.Created)
	return digest, err
}

// act runs one action as a child workflow and decodes what the app answered. A
// failure is an ApplicationError whose Type is public contract too, such as
// ReconnectRequired, ActionNotInToolkit or InvalidArguments.
func act(ctx workflow.Context, in actionInput, data any) (*actionResult, error) {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:        workflow.GetInfo(ctx).WorkflowExecution.ID + "/" + in.Action,
		TaskQueue:         queue,
		ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
		StaticSummary:     in.Action + " on " + in.Connection,
	})
	var result actionResult
	if err := workflow.ExecuteChildWorkflow(ctx, runAction, in).Get(ctx, &result); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(result.Data, data); err != nil {
		return nil, fmt.Errorf("%s answered something else than expected: %w", in.Action, err)
	}
	return &result, nil
}
