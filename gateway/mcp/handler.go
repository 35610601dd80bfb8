package mcp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/web"

	"github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// maxBody bounds a request: the largest arguments of actions are far below.
	maxBody = 1 << 20
	// sessionIdle is how long a session without requests is kept.
	sessionIdle = time.Hour
	// MetadataPath is where OAuth clients learn whose tokens are taken (RFC 9728 section 3.1).
	MetadataPath = "/.well-known/oauth-protected-resource"
	personKey    = "person"
)

// Handler serves [Path] and [MetadataPath]. It is safe for concurrent use.
type Handler struct {
	*core
	boxes boxes
	open  sessions
	// sessions serves clients before 2026-07-28, and single those since.
	sessions, single http.Handler
	// none stands for the server of a request that belongs to a session already.
	none *sdk.Server
}

// New makes a handler.
func New(o Options) *Handler {
	h := &Handler{core: newCore(o)}
	h.none = h.newServer()
	h.boxes.core = h.core
	serverOf := func(r *http.Request) *sdk.Server {
		server, _ := r.Context().Value(serverKey{}).(*sdk.Server)
		return server
	}
	// The Host is checked by the gateway, and behind a proxy it is not this machine's.
	h.sessions = bearer(sdk.NewStreamableHTTPHandler(serverOf, &sdk.StreamableHTTPOptions{DisableLocalhostProtection: true,
		SessionTimeout: sessionIdle, MaxRequestBodyBytes: maxBody, EventStore: &h.open}))
	h.single = bearer(sdk.NewStreamableHTTPHandler(serverOf, &sdk.StreamableHTTPOptions{DisableLocalhostProtection: true,
		Stateless: true, MaxRequestBodyBytes: maxBody, PropagateRequestCancellation: true}))
	return h
}

type serverKey struct{}

// bearer hands the SDK who sent a request, so that a session stays its caller's, and of
// the same token. That they are who they are has been checked before.
func bearer(next http.Handler) http.Handler {
	known := func(ctx context.Context, _ string, _ *http.Request) (*auth.TokenInfo, error) {
		person := access.Of(ctx)
		return &auth.TokenInfo{UserID: userOf(person), Extra: map[string]any{personKey: person}}, nil
	}
	return auth.RequireBearerToken(known, &auth.RequireBearerTokenOptions{AllowMissingExpiration: true})(next)
}

// userOf is whose a session is: of whoever has the same subject and toolkits, by a token
// made at the same time. One that was made anew under an old name, or narrower, does not
// inherit sessions.
func userOf(person access.Person) string {
	texts := []string{person.Subject, strconv.FormatBool(person.Agent()), person.Created.UTC().Format(time.RFC3339Nano)}
	for _, ref := range connection.SortToolkits(slices.Clone(person.Toolkits)) {
		texts = append(texts, ref.String())
	}
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// Stop ends what is waited for, and every session, so that the process can end. Actions
// go on; the same call with the same key gets the answer.
func (h *Handler) Stop() {
	h.core.Stop()
	h.boxes.close()
}

// Mount adds the paths to a site.
func (h *Handler) Mount(site *http.ServeMux) {
	site.Handle(Path, h)
	site.HandleFunc(MetadataPath, h.metadata)
	site.HandleFunc(MetadataPath+Path, h.metadata)
}

// metadata tells OAuth clients whose tokens are taken; without a provider there is none.
func (h *Handler) metadata(w http.ResponseWriter, r *http.Request) {
	if h.Issuer == "" {
		h.refuse(w, connection.Refused(connection.ErrTokenNotFound, "no OpenID provider is set up here", "use an access token: connected-apps access create --agent"), http.StatusNotFound)
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", "*") // it is for everybody, browsers' pages included
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		w.Header().Set("Access-Control-Allow-Methods", "GET, OPTIONS")
		w.Header().Set("Access-Control-Allow-Headers", "MCP-Protocol-Version")
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"resource": h.Site.Link(Path), "resource_name": "Connected Apps",
		"authorization_servers": []string{h.Issuer}, "bearer_methods_supported": []string{"header"}})
}

// ServeHTTP answers one request of either era.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if origin := r.Header.Get("Origin"); origin != "" && !strings.EqualFold(origin, h.Site.String()) {
		h.refuse(w, connection.Refused(connection.ErrNotAllowed, "pages of other sites may not use this", "call it from a program"), http.StatusForbidden)
		return
	}
	person, err := h.identify(r)
	if err != nil {
		h.unknown(w, r, err)
		return
	}
	if err := unhurried(w, r); err != nil {
		h.fail(w, r, err)
		return
	}
	ctx := access.With(r.Context(), person)
	server := h.none
	if r.Header.Get("Mcp-Session-Id") == "" && r.Method == http.MethodPost {
		b, err := h.boxOf(ctx, r, person)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		defer b.release()
		server = b.server
	}
	next := h.sessions
	if r.Header.Get("Mcp-Protocol-Version") >= sessionless {
		next = h.single
	} else if server != h.none {
		with, leave, err := h.open.reserve(ctx, person.Subject)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		defer leave()
		ctx = with
	}
	w.Header().Set("X-Accel-Buffering", "no") // proxies would keep events back
	next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, serverKey{}, server)))
}

// identify takes a token in the header and nothing else: a cookie would come along
// with requests that its owner knows nothing of.
func (h *Handler) identify(r *http.Request) (access.Person, error) {
	if len(r.Header.Values("Authorization")) == 0 {
		return access.Person{}, connection.Refused(connection.ErrNotSignedIn, "there is no access token", "send one as: Authorization: Bearer cat_…; an administrator makes one with: connected-apps access create --agent")
	}
	return h.Guard.Identify(r)
}

func (h *Handler) unknown(w http.ResponseWriter, r *http.Request, err error) {
	if connection.TypeOf(err) == connection.ErrNotSignedIn {
		challenge := "Bearer"
		if len(r.Header.Values("Authorization")) > 0 {
			challenge += ` error="invalid_token",`
		}
		if h.Issuer != "" {
			challenge += fmt.Sprintf(" resource_metadata=%q", h.Site.Link(MetadataPath+Path))
		}
		w.Header().Set("WWW-Authenticate", strings.TrimSuffix(challenge, ","))
	}
	h.fail(w, r, err)
}

// boxOf is the tools that a request asks for and its sender may use; they are held.
func (h *Handler) boxOf(ctx context.Context, r *http.Request, person access.Person) (*box, error) {
	v, err := parseView(r.URL.Query(), person)
	if err != nil {
		return nil, err
	}
	b, err := h.boxes.of(person.Subject, v)
	if err != nil {
		return nil, err
	}
	if err := b.look(ctx, h.pace.fresh); err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

// unhurried reads the request and lifts the server's deadlines, which are for pages: a
// call may wait for a person. Once the one for reading passes, net/http takes the
// client for gone.
func unhurried(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return connection.InvalidInput("body", "the request is larger than 1 MiB", "send less")
	case err != nil:
		return connection.InvalidInput("body", "the request could not be read", "send it again")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // not supported: then there is none
	_ = control.SetWriteDeadline(time.Time{})
	return nil
}

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := web.ProblemOf(r, h.Log, err)
	h.refuse(w, p, web.StatusOf(p.Type))
}

func (h *Handler) refuse(w http.ResponseWriter, p *connection.Problem, status int) {
	w.Header().Set("Content-Type", "application/json")
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": problem{Type: p.Type, Message: p.Message, Remedy: p.Remedy, Argument: p.Field, Retryable: p.Retryable}})
}
