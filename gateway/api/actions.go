package api

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

// Run asks for one use of an action.
type Run struct {
	Toolkit          string `json:"toolkit,omitempty" maxLength:"63" doc:"The toolkit that offers the action; default when left out."`
	Arguments        Object `json:"arguments,omitzero" doc:"The arguments, as the action's JSON Schema says; {} when left out."`
	Projection       string `json:"projection,omitempty" maxLength:"2000" example:"[].name" doc:"A JMESPath expression that picks what comes back."`
	Cursor           string `json:"cursor,omitempty" maxLength:"8192" doc:"next_cursor of an earlier result, for the page after it."`
	MaxBytes         int    `json:"max_bytes,omitempty" minimum:"0" maximum:"1048576" doc:"Bounds the result in bytes; 256 KiB when left out."`
	WaitForReconnect bool   `json:"wait_for_reconnect,omitempty" doc:"Wait, for days if need be, while a person must reconnect, instead of failing with ReconnectRequired."`
	Owner            string `json:"owner,omitempty" maxLength:"200" doc:"Whose work it is: a burst of one owner's does not hold up another's. The connection's own share when left out."`
}

// RunState is how an action stands, or its result.
type RunState struct {
	Key      string       `json:"key" doc:"The key of this run: the Idempotency-Key, or one that was made. The same request with it as Idempotency-Key gets the result."`
	Done     bool         `json:"done" doc:"The result is there."`
	Result   *RunResult   `json:"result,omitempty" doc:"What the app answered."`
	Progress *RunProgress `json:"progress,omitempty" doc:"How far it has come, while there is no result."`
}

// RunResult is what the app answered.
type RunResult struct {
	Data       Any               `json:"data" doc:"The result: the app's JSON, a string for text, null for an empty answer. Where it holds secrets there is null."`
	AppStatus  int               `json:"app_status" doc:"The app's HTTP status."`
	NextCursor string            `json:"next_cursor,omitempty" doc:"Asks for the next page; left out at the end."`
	Truncated  bool              `json:"truncated,omitempty" doc:"It was larger than max_bytes: a list keeps its first items, anything else is null."`
	Secrets    map[string]string `json:"secrets,omitempty" doc:"Where in Vault the secrets of the answer were put, by their place in it."`
}

// RunProgress is how far an action has come.
type RunProgress struct {
	Attempt int       `json:"attempt" doc:"The attempt that runs or, while none does, comes next; counted from 1."`
	Reason  string    `json:"reason,omitempty" doc:"Why the last attempt was not the end."`
	Next    time.Time `json:"next,omitzero" doc:"When the next attempt is due; left out while one runs."`
}

// ActionPath is embedded by the input of every operation on one action.
type ActionPath struct {
	ConnectionPath
	Action string `path:"action" maxLength:"63" example:"list-issues" doc:"The action's ID."`
}

type (
	runInput struct {
		ActionPath
		Keyed
		Body *Run
	}
	runsInput struct {
		ActionPath
		RunKey string `path:"key" maxLength:"128" doc:"The key of the run."`
	}
	runAnswer struct {
		Status int
		Body   RunState
	}
	runProgressAnswer struct{ Body RunProgress }
)

// standingTime bounds the question how an action stands: the answer is a courtesy.
const standingTime = 2 * time.Second

func (a *api) registerActions() {
	register(a, operation{id: "run-action", method: http.MethodPost, path: onePath + "/actions/{action}", tag: "Actions", role: access.Operator,
		summary: "Run an action", status: http.StatusOK, maxBody: maxArguments, others: map[int]string{http.StatusAccepted: "It runs; ask again with its key."},
		description: "Runs an action of a toolkit and answers its result. Where that takes longer than 20 seconds it goes on, and the answer is 202 with " +
			"its key: send the same request with that key as Idempotency-Key to get the result. The key is also what the app is sent, where it " +
			"takes one; the same key with another request is refused, and another operator who sends the same request with it gets the same result."}, a.runAction)
	register(a, operation{id: "show-run", method: http.MethodGet, path: onePath + "/actions/{action}/runs/{key}", tag: "Actions", role: access.Viewer,
		summary:     "Show how an action stands",
		description: "Answers which attempt an action has come to and why the last one was not the end. The result is the answer of the run itself."}, a.showRun)
}

func (a *api) runAction(ctx context.Context, in *runInput) (*runAnswer, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	body := Run{}
	if in.Body != nil {
		body = *in.Body
	}
	key := in.Key
	if key == "" { // one of our own, to ask again by
		key = rand.Text()
	}
	result, err := at(ctx).Client.RunAction(ctx, activities.CallActionInput{Connection: id, Toolkit: body.Toolkit, Action: in.Action,
		Arguments: body.Arguments.RawMessage, IdempotencyKey: key, Projection: body.Projection, Cursor: body.Cursor, MaxBytes: body.MaxBytes,
		WaitForReconnect: body.WaitForReconnect, Owner: body.Owner})
	switch {
	case err == nil:
		return &runAnswer{http.StatusOK, RunState{Key: key, Done: true, Result: &RunResult{Any{result.Data}, result.Status, result.NextCursor,
			result.Truncated, result.Secrets}}}, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && connection.TypeOf(err) != connection.ErrInvalidInput:
		return a.standing(ctx, id, key, err)
	}
	return nil, err
}

// standing is the answer of an action that takes longer; one that cannot be seen is no answer.
func (a *api) standing(ctx context.Context, id connection.ID, key string, late error) (*runAnswer, error) {
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), standingTime)
	defer cancel()
	progress, err := at(ctx).Client.ActionProgress(asking, id, key)
	if err != nil {
		return nil, late
	}
	told := RunProgress(progress)
	return &runAnswer{http.StatusAccepted, RunState{Key: key, Progress: &told}}, nil
}

func (a *api) showRun(ctx context.Context, in *runsInput) (*runProgressAnswer, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	var progress workflows.ActionProgress
	if progress, err = at(ctx).Client.ActionProgress(ctx, id, in.RunKey); connection.TypeOf(err) == connection.ErrInternal {
		return nil, withStatus(connection.InvalidInput("key", "no action has run under this key, or it is forgotten", "run it"), http.StatusNotFound)
	}
	return &runProgressAnswer{RunProgress(progress)}, err
}
