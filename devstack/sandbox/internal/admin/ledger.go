package admin

import (
	"net/http"
	"strconv"

	"connectedapps/devstack/sandbox/internal/ledger"
)

// readLedger answers an array of entries: ?since=SEQ&kind=&family=&limit=.
func (s *Server) readLedger(r *http.Request) (any, error) {
	values := r.URL.Query()
	query := ledger.Query{Kind: ledger.Kind(values.Get("kind")), Family: values.Get("family")}
	var err error
	if written := values.Get("since"); written != "" {
		if query.Since, err = strconv.ParseUint(written, 10, 64); err != nil {
			return nil, badRequest{err}
		}
	}
	if written := values.Get("limit"); written != "" {
		if query.Limit, err = strconv.Atoi(written); err != nil {
			return nil, badRequest{err}
		}
	}
	return s.ledger.Read(query), nil
}

func (s *Server) summarizeLedger(*http.Request) (any, error) { return s.ledger.Summarize(), nil }
