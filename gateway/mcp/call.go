package mcp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/zap"
)

const (
	// MetaKey is where in a call's _meta its idempotency key is, and in the result's.
	MetaKey = "connected-apps/idempotency-key"
	// maxGivenKey bounds a key that a caller chooses.
	maxGivenKey = 128
	// maxResult bounds the answer of one call, in bytes: what a model can read at once.
	maxResult = 64 << 10
	// aside bounds what is asked or told while a call waits.
	aside = 5 * time.Second
	// ownToken begins the subjects of our own access tokens, which can be revoked.
	ownToken = "token:"
)

// caller is who a call comes from. Local is the person at the command line, whose own
// identity in Temporal and Vault decides.
type caller struct {
	access.Person
	local bool
}

func callerOf(r *sdk.CallToolRequest) caller {
	if r.Extra != nil && r.Extra.TokenInfo != nil {
		if person, ok := r.Extra.TokenInfo.Extra[personKey].(access.Person); ok {
			return caller{Person: person}
		}
	}
	return caller{}
}

// run carries a call of a tool out. What is wrong with it is told in its result, where
// the model reads it.
func (b *box) run(ctx context.Context, r *sdk.CallToolRequest, t *tool, arguments json.RawMessage) (result *sdk.CallToolResult, err error) {
	defer b.survive(func(p *connection.Problem) { result, err = problemResult(p), nil })
	who := callerOf(r)
	if b.local {
		who = caller{Person: access.Person{Subject: "local"}, local: true}
	}
	if !who.local { // judged by the token of this very request, not by that which began the session
		if err := who.CheckToolkit(t.ref); err != nil {
			return b.failed(err), nil
		}
	}
	if err := b.running.enter(who.Subject); err != nil {
		return b.failed(err), nil
	}
	defer b.running.leave(who.Subject)
	given, err := givenKey(r)
	if err != nil {
		return b.failed(err), nil
	}
	theirs, ours, err := t.arguments(arguments)
	if err != nil {
		return b.failed(err), nil
	}
	e, err := b.Environments.Of(t.ref.Connection)
	if err != nil {
		return b.failed(err), nil
	}
	asked := askedBefore(r)
	in := activities.CallActionInput{Connection: t.ref.Connection, Toolkit: t.ref.Toolkit, Action: t.action.ID, Arguments: theirs,
		IdempotencyKey: keyOf(who.Subject, given), Projection: ours.projection, Cursor: ours.cursor, MaxBytes: maxResult,
		WaitForReconnect: ours.wait || asked == accepted, Owner: who.Subject}
	answer, err := b.await(ctx, r, e, who, in)
	switch {
	case err == nil:
		b.reconnected(r, given, asked)
		return answerResult(answer, given), nil
	case connection.TypeOf(err) == connection.ErrReconnectRequired && asked == notAsked && takesURLs(r):
		return b.ask(in.Connection, given), nil
	case connection.TypeOf(err) == connection.ErrReconnectRequired:
		return b.reconnectResult(in.Connection, err), nil
	case errors.Is(err, errStopping):
		return problemResult(stoppingProblem(given)), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return b.failed(err), nil
}

// survive answers a defect that panicked: calls run in goroutines of their own, where
// that would end the process. Its text stays here, since it may quote what came in.
func (b *box) survive(answer func(*connection.Problem)) {
	if recover() != nil {
		b.Log.Error("a call panicked", zap.ByteString("stack", debug.Stack()))
		answer(connection.Internal("the gateway"))
	}
}

var errStopping = errors.New("this process ends")

// await runs the action, says how it stands while it takes long, and cancels it where
// the caller cancels the call. One whose session ends leaves the action alone, as one
// whose gateway ends does: the same call with the same key gets the answer.
func (b *box) await(ctx context.Context, r *sdk.CallToolRequest, e backend.Environment, who caller, in activities.CallActionInput) (*activities.CallActionResult, error) {
	waiting, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	last := b.waiters.enter(in)
	defer last()
	done := make(chan ended, 1)
	go func() {
		defer b.survive(func(p *connection.Problem) { done <- ended{nil, p} })
		result, err := e.Client.RunAction(waiting, in)
		done <- ended{result, err}
	}()
	timer := time.NewTimer(b.pace.first)
	defer timer.Stop()
	for told := 1; ; told++ {
		select {
		case end := <-done:
			return end.result, end.err
		case <-b.stopping:
			return nil, errStopping
		case <-ctx.Done():
			if cancelled(ctx, r) && last() {
				b.cancel(ctx, e, in, "the agent cancelled its call", done)
			}
			return nil, ctx.Err()
		case <-timer.C:
			if err := b.stillMay(ctx, r, who, in); err != nil {
				if last() {
					b.cancel(ctx, e, in, "its agent may not do this any more", done)
				}
				return nil, err
			}
			b.tell(ctx, r, e, in, told)
			timer.Reset(b.pace.again)
		}
	}
}

// ended is how an action ended.
type ended struct {
	result *activities.CallActionResult
	err    error
}

// cancelled reports whether it was the caller who ended the call. Since the end of
// sessions that is done by closing its request. In a session there is a notification, on
// which the SDK cancels without a cause; where the session ends it gives one.
func cancelled(ctx context.Context, r *sdk.CallToolRequest) bool {
	if r.Extra != nil && r.Extra.Header.Get("Mcp-Protocol-Version") >= sessionless {
		return true
	}
	return context.Cause(ctx) == context.Canceled //nolint:errorlint // a wrapped one has another reason
}

// stillMay judges a caller again while its call waits, by the token it came with. A
// provider's token is judged once: all that can be learned later is that it has run out,
// which the sender of a new one need not suffer for. Who cannot be asked changes nothing.
func (b *box) stillMay(ctx context.Context, r *sdk.CallToolRequest, who caller, in activities.CallActionInput) error {
	if who.local || b.Guard == nil || r.Extra == nil || !strings.HasPrefix(who.Subject, ownToken) {
		return nil
	}
	asking, done := context.WithTimeout(ctx, aside)
	defer done()
	person, err := b.Guard.Identify((&http.Request{Method: http.MethodPost, URL: &url.URL{Path: Path}, Header: r.Extra.Header}).WithContext(asking))
	switch {
	case connection.TypeOf(err) == connection.ErrNotSignedIn:
		return err
	case err != nil:
		return nil
	}
	return person.CheckToolkit(connection.ToolkitRef{Connection: in.Connection, Toolkit: in.Toolkit})
}

// cancel reaches the action even where the caller has gone. One that is only being
// started is not there to be cancelled yet: that is tried again, until it has ended.
func (b *box) cancel(ctx context.Context, e backend.Environment, in activities.CallActionInput, why string, done <-chan ended) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), aside)
	defer stop()
	for {
		select {
		case <-b.stopping: // it is the process that ends, not the caller's wish
			return
		default:
		}
		err := e.Client.CancelAction(ctx, in.Connection, in.IdempotencyKey, why)
		if err == nil {
			return
		}
		select {
		case <-done:
			return
		case <-b.stopping:
			return
		case <-time.After(b.pace.retry):
		case <-ctx.Done():
			b.Log.Warn("an action was not cancelled", zap.String("connection", in.Connection.String()), zap.String("action", in.Action), zap.Error(err))
			return
		}
	}
}

// waiters counts the calls that wait for the same action, since those with one key share
// it: it is cancelled with the last of them. Those at other gateways are not known of. The
// zero value is ready.
type waiters struct {
	mu  sync.Mutex
	all map[string]int
}

// enter answers how to leave, which reports whether nobody waits any more; leaving again does nothing.
func (w *waiters) enter(in activities.CallActionInput) (leave func() (last bool)) {
	key := in.Connection.String() + "\x00" + in.IdempotencyKey // the key is of one caller's
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[string]int{}
	}
	w.all[key]++
	left := false
	return func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if left {
			return false
		}
		left = true
		if w.all[key]--; w.all[key] > 0 {
			return false
		}
		delete(w.all, key)
		return true
	}
}

// tell sends a progress notification to a caller that asked for them.
func (b *box) tell(ctx context.Context, r *sdk.CallToolRequest, e backend.Environment, in activities.CallActionInput, told int) {
	token := r.Params.GetProgressToken()
	if token == nil || r.Session == nil {
		return
	}
	asking, done := context.WithTimeout(ctx, aside)
	defer done()
	message := "the action runs"
	if progress, err := e.Client.ActionProgress(asking, in.Connection, in.IdempotencyKey); err == nil && progress.Reason != "" {
		message = connection.Bound(progress.Reason, 300)
	}
	// A caller that cannot be told is noticed by its connection, not here.
	_ = r.Session.NotifyProgress(asking, &sdk.ProgressNotificationParams{ProgressToken: token, Message: message, Progress: float64(told)})
}

// givenKey is the key that a call brings, the one it was asked under, or a new one.
func givenKey(r *sdk.CallToolRequest) (string, error) {
	key, ok := r.Params.Meta[MetaKey]
	if !ok {
		if state := r.Params.RequestState; state != "" && len(state) <= maxGivenKey {
			return state, nil
		}
		return rand.Text(), nil
	}
	text, isText := key.(string)
	if !isText || text == "" || len(text) > maxGivenKey {
		return "", connection.InvalidInput(MetaKey, "it is not a text of 1 to 128 bytes", "send one, or leave it out")
	}
	return text, nil
}

// keyOf keeps the keys of callers apart: nobody gets an answer by another's key.
func keyOf(subject, given string) string {
	sum := sha256.Sum256([]byte(subject + "\x00" + given))
	return "mcp-" + hex.EncodeToString(sum[:16])
}

func stoppingProblem(key string) *connection.Problem {
	return connection.Refused(connection.ErrTemporalUnavailable, "the gateway is being restarted; the action goes on",
		"call again with the same arguments and with "+key+" under "+MetaKey+" in _meta, to get its answer")
}
