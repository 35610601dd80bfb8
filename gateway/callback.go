package gateway

import (
	"context"
	"net/http"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/console"
	"connectedapps/workflows"

	"go.uber.org/zap"
)

const (
	// callbackTime bounds the whole callback: a code lives for a minute or less.
	callbackTime = 15 * time.Second
	// askTime is how long the callback asks whether the attempt still waits. Without
	// an answer it goes on: a worker that restarts must not cost the person their code.
	askTime = 3 * time.Second
	// signalTries and signalPause keep trying while Temporal elects or restarts.
	signalTries = 5
	signalPause = 500 * time.Millisecond
)

// callback receives the provider's answer. In this order: the query must be one
// answer, this browser must have begun exactly that authorization, and its attempt
// must still wait for it. Only then is the answer left in the inbox and the
// connect told, and the code leaves the address bar by a redirect.
func (g *Gateway) callback(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		g.fail(w, r, badCallback("it must be fetched with GET"), http.StatusMethodNotAllowed)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callbackTime)
	defer cancel()
	received, err := parseCallback(r.URL.RawQuery)
	if err != nil {
		g.fail(w, r, err, 0)
		return
	}
	environment, begun, err := g.recall(r.WithContext(ctx), received.State)
	if err != nil {
		g.fail(w, r, err, 0)
		return
	}
	want := g.wanted(begun)
	if err := received.complete(want.code); err != nil {
		g.fail(w, r, err, 0)
		return
	}
	l := link{environment: environment, id: begun.Connection, attempt: begun.Attempt}
	if err := g.stillWaiting(ctx, l, begun); err != nil {
		http.SetCookie(w, g.forget(begun.StateSHA256))
		g.fail(w, r, err, 0)
		return
	}
	if err := g.deliver(ctx, l, begun, received, want); err != nil {
		g.fail(w, r, err, 0) // the cookie stays, so that reloading tries again
		return
	}
	http.SetCookie(w, g.forget(begun.StateSHA256))
	next := linkPath(l.id, l.attempt, "/result")
	if begun.Guest != "" {
		next = console.GuestPath(environment.Name, begun.Guest)
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// stillWaiting reports, as an error, an attempt that has had its answer or is too
// old. The workflow checks the same again; this keeps what it would refuse out of Vault.
func (g *Gateway) stillWaiting(ctx context.Context, l link, begun session) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	progress, attempt, err := g.look(ctx, l)
	switch {
	case connection.TypeOf(err) == connection.ErrTemporalUnavailable:
		g.log.Info("a callback goes on without asking its connect", zap.String("connection", l.id.String()))
		return nil
	case err != nil:
		return err
	case progress.Phase.Over():
		return connection.Refused(connection.ErrSessionClosed, "the connect that this answer belongs to has ended", "ask for a new link if it is still wanted")
	case attempt.State == workflows.AttemptExpired || !g.now().Before(attempt.Expires):
		return connection.Refused(connection.ErrLinkInvalid, "the authorization took more than ten minutes", "ask for a new link")
	case attempt.State != workflows.AttemptBegun || !begun.matches(attempt.StateSHA256):
		return connection.Refused(connection.ErrLinkInvalid, "this answer has been received already", "ask for a new link if the account is not connected")
	}
	return nil
}

// deliver leaves the answer in the inbox and then tells the connect where.
func (g *Gateway) deliver(ctx context.Context, l link, begun session, received answer, want wanted) error {
	inbox, err := l.environment.Inbox.Leave(ctx, received.secrets(want))
	if err != nil {
		return err
	}
	message := workflows.AuthorizationReceived{Attempt: l.attempt, StateSHA256: begun.StateSHA256, Inbox: inbox, Issuer: received.Issuer}
	for try := 1; ; try++ {
		err = l.environment.Client.AuthorizationReceived(ctx, l.id, message)
		if err == nil || connection.TypeOf(err) != connection.ErrTemporalUnavailable || try == signalTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(signalPause):
		}
	}
}

// wanted is what the connector wants of the callback; the code alone for an app
// that the gateway has no definition of.
func (g *Gateway) wanted(begun session) wanted {
	app, err := g.catalogue.App(begun.Connection.App())
	if err != nil {
		g.log.Warn("the gateway has no definition of an app that it receives a callback of", zap.String("app", begun.Connection.App()))
		return wanted{code: "code"}
	}
	method, err := app.Method(begun.Method)
	if err != nil {
		return wanted{code: "code"}
	}
	return wantedOf(method)
}
