package codec

import (
	"encoding/json"
	"net/http"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/web"
)

// fromUI reports whether a page of Temporal's Web UI sent the request. Browsers let no
// page choose its Origin.
func (h *Handler) fromUI(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	return h.TemporalUI != "" && len(origins) == 1 && origins[0] == h.TemporalUI
}

// allowOrigin lets the Web UI's pages, and no others, read the answer and send cookies.
func (h *Handler) allowOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Origin")
	if h.fromUI(r) {
		w.Header().Set("Access-Control-Allow-Origin", h.TemporalUI)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
}

// preflight answers what browsers ask before a page of another origin may post.
func (h *Handler) preflight(w http.ResponseWriter, r *http.Request) {
	if h.fromUI(r) {
		w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type, X-Namespace, Authorization, Authorization-Extras")
		w.Header().Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
}

// fromKnownPages keeps other sites from using a browser's session, which the browser may
// send along by itself. A program's token is sent by nobody but the program.
func (h *Handler) fromKnownPages(r *http.Request, person access.Person) error {
	if person.FormToken == "" || h.fromUI(r) || h.Site.SameOrigin(r) {
		return nil
	}
	return connection.Refused(connection.ErrNotAllowed, "a session in a browser is for the pages of this site and of Temporal's Web UI",
		"set CONNECTED_APPS_TEMPORAL_UI to the origin of the Web UI, or use an access token")
}

// problem is an error as RFC 9457 writes it, with the members that the API's problems have.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Error  string `json:"error"`
	Field  string `json:"field,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	told := web.ProblemOf(r, h.Log, err)
	status := web.StatusOf(told.Type)
	if told.Type == connection.ErrPayloadUnreadable {
		status = http.StatusBadRequest // it is the request that brought it
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem{Type: "urn:connected-apps:error:" + told.Type, Title: web.TitleOf(told.Type), Status: status,
		Detail: told.Message, Error: told.Type, Field: told.Field, Remedy: told.Remedy})
}
