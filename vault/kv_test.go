package vault

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

const stored = `{"data":{"data":{"grant":"g","generation":3,"credential":{"method":"oauth"},"gate":{"status":"Active","grant":"g"}},
	"metadata":{"version":7,"created_time":"2026-11-22T11:59:00.5Z","custom_metadata":{"last_used":"2026-11-22T11:00:00Z","last_ok":"nonsense"}}}}`

func dated(date, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if w.Header()["Date"] = nil; date != "" {
			w.Header().Set("Date", date)
		}
		says(http.StatusOK, body)(w, r)
	}
}

const date = "Sun, 22 Nov 2026 12:00:00 GMT"

func TestReadingADocument(t *testing.T) {
	found, err := newServer(t, dated(date, stored)).withToken(t).Documents().Read(context.Background(), testRef)
	if err != nil {
		t.Fatal(err)
	}
	if found.Version != 7 || found.Grant != "g" || found.Generation != 3 || found.Gate.Status != connection.Active {
		t.Errorf("%+v", found)
	}
	if age := found.Age(); age < 59*time.Second || age > 61*time.Second {
		t.Errorf("%s old by Vault's clock, want a minute", age)
	}
	if found.Facts.LastUsed.Hour() != 11 || !found.Facts.LastOK.IsZero() {
		t.Errorf("facts %+v", found.Facts)
	}
}

func TestWhatVaultAnswersMeans(t *testing.T) {
	const unavailable = connection.ErrVaultUnavailable
	tests := map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		read   any // an error, or the type of a problem
		write  any
	}{
		"nothing there":           {says(404, `{"errors":[]}`), connection.ErrAbsent, connection.ErrAbsent},
		"a deleted version":       {says(404, `{"data":{"data":null,"metadata":{"version":2,"deletion_time":"2026-01-01T00:00:00Z"}}}`), connection.ErrAbsent, connection.ErrAbsent},
		"no such mount":           {says(404, `{"errors":["no handler for route \"connected-apps/development/secrets/data/x\". route entry not found."]}`), unavailable, unavailable},
		"a proxy's page":          {says(404, `<html>not found</html>`), unavailable, unavailable},
		"a lost compare-and-set":  {says(400, `{"errors":["check-and-set parameter did not match the current version"]}`), connection.ErrVersionConflict, connection.ErrVersionConflict},
		"another 400":             {says(400, `{"errors":["secret-text"]}`), unavailable, unavailable},
		"sealed":                  {says(503, `{"errors":["Vault is sealed"]}`), unavailable, unavailable},
		"forbidden":               {says(403, `{"errors":["permission denied: secret-text"]}`), unavailable, unavailable},
		"broken":                  {says(500, `{"errors":["internal error: secret-text"]}`), unavailable, unavailable},
		"slow down":               {says(429, `{"errors":["quota"]}`), unavailable, unavailable},
		"garbage":                 {dated(date, `<html>secret-text`), unavailable, unavailable},
		"an answer of nobody's":   {dated(date, `{}`), unavailable, unavailable},
		"cut short":               {dated(date, stored[:60]), unavailable, unavailable},
		"no date":                 {dated("", stored), unavailable, unavailable},
		"a date of another form":  {dated("2026-11-22", stored), unavailable, unavailable},
		"dropped":                 {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, unavailable, unavailable},
		"a document that is none": {dated(date, strings.Replace(stored, `"generation":3`, `"generation":"secret-text"`, 1)), connection.ErrInternal, unavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			documents := newServer(t, test.answer).withToken(t).Documents()
			_, err := documents.Read(context.Background(), testRef)
			means(t, "read", err, test.read)
			_, err = documents.Write(context.Background(), testRef, connection.Document{}, 1)
			means(t, "write", err, test.write)
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		s := newServer(t, nil)
		s.Close()
		_, err := s.withToken(t).Documents().Read(context.Background(), testRef)
		means(t, "read", err, unavailable)
	})
}

func means(t *testing.T, what string, err error, want any) {
	t.Helper()
	if bare, ok := want.(error); ok {
		if err != bare { //nolint:errorlint // the bare value is the contract
			t.Errorf("%s: %v, want %v", what, err, bare)
		}
		return
	}
	problem, ok := connection.AsProblem(err)
	if !ok || problem.Type != want || !problem.Retryable || strings.Contains(problem.Error(), "secret-text") {
		t.Errorf("%s: %v, want a retried %v that quotes nothing", what, err, want)
	}
}

func TestWritingIsACompareAndSet(t *testing.T) {
	s := newServer(t, says(http.StatusOK, `{"data":{"version":8}}`))
	version, err := s.withToken(t).Documents().Write(context.Background(), testRef, connection.Document{}, 7)
	if err != nil || version != 8 {
		t.Fatalf("version %d, %v", version, err)
	}
	options, _ := s.bodies[0]["options"].(map[string]any)
	if options["cas"] != 7.0 || s.asked[0] != "PUT /v1/connected-apps/development/secrets/data/connections/sandbox/acme" {
		t.Errorf("%s with %v", s.asked[0], options)
	}
}

func TestDestroyingTakesTheMetadataToo(t *testing.T) {
	for _, answer := range []func(http.ResponseWriter, *http.Request){says(http.StatusNoContent, ""), says(404, `{"errors":[]}`)} {
		s := newServer(t, answer)
		if err := s.withToken(t).Documents().Destroy(context.Background(), testRef); err != nil {
			t.Fatal(err)
		}
		if s.asked[0] != "DELETE /v1/connected-apps/development/secrets/metadata/connections/sandbox/acme" {
			t.Error(s.asked[0])
		}
	}
}

func TestNotesMakeNoVersion(t *testing.T) {
	s := newServer(t, says(http.StatusNoContent, ""))
	err := s.withToken(t).Documents().Note(context.Background(), testRef, map[connection.Fact]time.Time{
		connection.FactLastOK: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), connection.FactFailingSince: {}})
	if err != nil {
		t.Fatal(err)
	}
	custom, _ := s.bodies[0]["custom_metadata"].(map[string]any)
	if gone, ok := custom["failing_since"]; !ok || gone != nil || custom["last_ok"] != "2026-11-22T12:00:00Z" ||
		s.asked[0] != "PATCH /v1/connected-apps/development/secrets/metadata/connections/sandbox/acme" {
		t.Errorf("%s with %v", s.asked[0], custom)
	}
}

func TestInboxReferencesCannotLeaveTheInbox(t *testing.T) {
	s := newServer(t, dated(date, stored))
	for _, ref := range []connection.InboxRef{"", "../secrets/data/x", "a/b", "A", "a?b", "a%2fb"} {
		if _, err := s.withToken(t).Inbox().Read(context.Background(), ref); connection.TypeOf(err) != connection.ErrInvalidInput {
			t.Errorf("%q: %v", ref, err)
		}
		if err := s.withToken(t).Inbox().Clear(context.Background(), ref); err != nil {
			t.Errorf("%q: %v", ref, err)
		}
	}
	if len(s.asked) != 0 {
		t.Errorf("asked %q", s.asked)
	}
}
