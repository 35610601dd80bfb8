package oauth

import (
	"net/http"
	"strconv"

	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/settings"
)

// fail books the entry and then withholds the answer as the failure says.
func (s *Server) fail(w http.ResponseWriter, entry ledger.Entry, failure settings.Failure) {
	if failure.Drop {
		entry.Status = 0
		if s.book(w, entry) {
			panic(http.ErrAbortHandler) // net/http's way to close a connection without an answer
		}
		return
	}
	entry.Status = failure.Status
	if !s.book(w, entry) {
		return
	}
	if failure.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(failure.RetryAfter.Std().Seconds())))
	}
	http.Error(w, "The sandbox was told to fail this request.", failure.Status)
}
