package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"

	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/settings"
)

// handlerFunc serves somebody who has signed in and may do this. What it returns as an error has not been
// answered yet.
type handlerFunc func(w http.ResponseWriter, r *http.Request, caller principal) error

// maxBodyBytes bounds what is read of a request.
const maxBodyBytes = 1 << 20

// endpoint wraps a handler: trouble as set, sign-in, scope, errors, and one ledger entry per request,
// written before the answer's first byte so that whoever has the answer finds the entry.
func (s *Server) endpoint(scope string, handler handlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		current := s.live.Current()
		if s.clock.Sleep(r.Context(), current.APIDelay.Std()) != nil {
			return
		}
		// Signatures cover the body, and a key may stand in it.
		body, unread := io.ReadAll(r.Body)
		presented := credentialOf(r, body)
		recorder := &recorder{ResponseWriter: w, server: s, entry: ledger.Entry{
			Kind: ledger.KindAPI, Method: r.Method, Path: r.URL.Path,
			Auth: string(presented.kind), Credential: ledger.Fingerprint(presented.secret),
			IdempotencyKey: r.Header.Get("Idempotency-Key"),
		}}
		if failure, failing := s.live.TakeAPIFailure(r.Method, r.URL.Path, false); failing {
			recorder.entry.Outcome = "failed"
			recorder.fail(failure)
			return
		}
		var err error
		switch {
		case current.Down:
			err = errDown
		case unread != nil:
			err = invalid("the body could not be read: %v", unread)
		default:
			err = s.serve(recorder, r, scope, body, presented, handler)
		}
		if err != nil {
			writeError(recorder, err)
		}
	})
}

func (s *Server) serve(w *recorder, r *http.Request, scope string, body []byte, presented presentedCredential, handler handlerFunc) error {
	caller, err := s.identify(r, body, presented)
	w.entry.Family, w.entry.PresentedGeneration, w.entry.Detail = caller.family, caller.generation, caller.dead
	if err != nil {
		return err
	}
	if presented.kind == AuthAPIKeyBody {
		body = withoutKey(body)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.entry.Account, w.entry.Client = caller.account.ID, caller.client
	if scope != "" && !slices.Contains(caller.scopes, scope) {
		return insufficientScope(scope)
	}
	if caller.organisation, err = s.organisationOf(r, caller); err != nil {
		return err
	}
	return handler(w, r, caller)
}

// recorder books the request the moment its status is known.
type recorder struct {
	http.ResponseWriter
	server *Server
	entry  ledger.Entry
	booked bool
	// withheld is set once the answer is replaced by a failure.
	withheld bool
}

func (w *recorder) WriteHeader(status int) {
	if !w.booked && status < http.StatusBadRequest {
		if failure, failing := w.server.live.TakeAPIFailure(w.entry.Method, w.entry.Path, true); failing {
			w.entry.Lost = true
			w.fail(failure)
			return
		}
	}
	w.acknowledge(status)
}

// fail books the request and answers it as the failure says, whatever has been done.
func (w *recorder) fail(failure settings.Failure) {
	if failure.Drop {
		w.acknowledge(0)
		panic(http.ErrAbortHandler) // net/http's way to close a connection without an answer
	}
	clear(w.Header())
	if failure.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(failure.RetryAfter.Std().Seconds())))
	}
	w.Header().Set("Content-Type", "application/json")
	w.acknowledge(failure.Status)
	_, _ = w.ResponseWriter.Write(failedAnswer) // the client has gone if this fails
	w.withheld = true
}

var failedAnswer = []byte(`{"error":{"code":"internal","message":"The sandbox was told to fail this request."}}` + "\n")

// acknowledge books the request and sends the status; 0 sends none.
func (w *recorder) acknowledge(status int) {
	if !w.booked {
		w.booked = true
		w.entry.Time, w.entry.Status = w.server.clock.Now(), status
		if w.entry.Outcome == "" {
			w.entry.Outcome = ledger.OutcomeOK
		}
		if err := w.server.ledger.Append(w.entry); err != nil {
			status = http.StatusInternalServerError // what is not in the ledger must not be acknowledged
		}
	}
	if status != 0 {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *recorder) Write(body []byte) (int, error) {
	if !w.booked {
		w.WriteHeader(http.StatusOK)
	}
	if w.withheld {
		return len(body), nil
	}
	return w.ResponseWriter.Write(body)
}

func writeJSON(w http.ResponseWriter, status int, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(raw, '\n')) // the client has gone if this fails
	return nil
}
