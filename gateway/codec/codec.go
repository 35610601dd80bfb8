package codec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"

	commonpb "go.temporal.io/api/common/v1"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protojson"
)

// Prefix is where everything lies that this package serves.
const Prefix = "/codec/"

// maxBody bounds a request. Temporal takes messages of 4 MiB, which base64 makes longer.
const maxBody = 8 << 20

// namespaceHeader is what Temporal's programs send.
const namespaceHeader = "X-Namespace"

// Options are for [New]. Site, Environments and Authenticator are required.
type Options struct {
	Site          web.Site
	Environments  backend.Set
	Authenticator access.Authenticator
	// TemporalUI is the one other origin whose pages may ask; "" is none.
	TemporalUI string
	// Log is silent when nil.
	Log *zap.Logger
}

// Handler is the endpoint. It is safe for concurrent use and keeps nothing.
type Handler struct {
	Options
	mux *http.ServeMux
}

// New makes the endpoint, to be mounted at [Prefix].
func New(options Options) *Handler {
	h := &Handler{Options: options, mux: http.NewServeMux()}
	if h.Log == nil {
		h.Log = zap.NewNop()
	}
	for path, does := range map[string]operation{"decode": opened, "encode": sealed} {
		for _, pattern := range []string{Prefix + path, Prefix + "{namespace}/" + path} {
			h.mux.HandleFunc("POST "+pattern, func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, does) })
			h.mux.HandleFunc("OPTIONS "+pattern, h.preflight)
		}
	}
	return h
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.allowOrigin(w, r)
	h.mux.ServeHTTP(w, r)
}

// operation does something to all payloads of a request.
type operation func(ctx context.Context, payloads backend.Payloads, all []*commonpb.Payload) ([]*commonpb.Payload, error)

// opened opens all or none; one that does not open is named by its place.
func opened(ctx context.Context, payloads backend.Payloads, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(all))
	for i, payload := range all {
		var err error
		if out[i], err = payloads.Open(ctx, payload); err != nil {
			if problem, ok := connection.AsProblem(err); ok {
				told := *problem
				told.Field = fmt.Sprintf("payloads[%d]", i)
				return nil, &told
			}
			return nil, err
		}
	}
	return out, nil
}

func sealed(ctx context.Context, payloads backend.Payloads, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return payloads.Seal(ctx, all)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, does operation) {
	person, err := h.Authenticator.Identify(r)
	if err == nil {
		err = h.fromKnownPages(r, person)
	}
	if err == nil {
		err = person.CheckBeyondTools()
	}
	var environment backend.Environment
	if err == nil {
		environment, err = h.environment(r)
	}
	if err == nil {
		err = person.Check(environment.Name, access.Operator)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	all, err := payloadsOf(w, r)
	if err == nil {
		all, err = does(r.Context(), environment.Payloads, all)
	}
	var body []byte
	if err == nil {
		body, err = protojson.Marshal(&commonpb.Payloads{Payloads: all})
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.Log.Info("payloads were handed out", zap.String("subject", person.Subject), zap.String("environment", environment.Name),
		zap.String("route", r.Pattern), zap.Int("payloads", len(all)))
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // the asker went away: nobody is left to tell
}

// payloadsOf reads the request. What is wrong with it is said without quoting it.
func payloadsOf(w http.ResponseWriter, r *http.Request) ([]*commonpb.Payload, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, connection.InvalidInput("body", "it is larger than 8 MiB", "send fewer payloads at a time")
	}
	var all commonpb.Payloads
	if err == nil {
		err = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(text, &all)
	}
	if err != nil {
		return nil, connection.InvalidInput("body", "it is no list of payloads", `send {"payloads": […]} as Temporal's codec protocol says`)
	}
	return all.GetPayloads(), nil
}

// environment is that of the namespace which the address or the header names; they must agree.
func (h *Handler) environment(r *http.Request) (backend.Environment, error) {
	namespace, header := r.PathValue("namespace"), r.Header.Get(namespaceHeader)
	if namespace == "" {
		namespace = header
	}
	if namespace == "" {
		return backend.Environment{}, connection.InvalidInput(namespaceHeader, "no namespace is named", "send the header, or use the address "+Prefix+"<namespace>/decode")
	}
	if header != "" && header != namespace {
		return backend.Environment{}, connection.InvalidInput(namespaceHeader, "the header names another namespace than the address", "let them agree, or leave one out")
	}
	for _, e := range h.Environments.All() {
		if e.Namespace == namespace && e.Payloads != nil {
			return e, nil
		}
	}
	return backend.Environment{}, connection.Refused(connection.ErrUnknownEnvironment, "no environment has the namespace "+connection.Bound(namespace, 100),
		"choose the namespace of one of: "+fmt.Sprint(h.Environments.Names()))
}
