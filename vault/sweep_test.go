package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// keeper answers for metadata of entries by path and when they were made; what is destroyed is gone.
func keeper(made map[string]time.Time, now time.Time) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now.Format(http.TimeFormat))
		_, path, found := strings.Cut(r.URL.Path+"/", "/metadata/") // the client takes the last slash off
		path = strings.TrimSuffix(path, "/")
		at, there := made[path]
		switch {
		case found && (r.Method == "LIST" || r.URL.Query().Get("list") == "true"):
			below := map[string]bool{}
			for entry := range made {
				if rest, inside := strings.CutPrefix(entry, strings.TrimPrefix(path+"/", "/")); inside {
					name, _, deeper := strings.Cut(rest, "/")
					below[name+map[bool]string{true: "/"}[deeper]] = true
				}
			}
			keys := []string{}
			for name := range below {
				keys = append(keys, name)
			}
			text, _ := json.Marshal(keys)
			says(http.StatusOK, fmt.Sprintf(`{"data":{"keys":%s}}`, text))(w, r)
		case found && there && r.Method == http.MethodDelete:
			delete(made, path)
			w.WriteHeader(http.StatusNoContent)
		case found && there:
			says(http.StatusOK, fmt.Sprintf(`{"data":{"created_time":%q,"current_version":1}}`, at.Format(time.RFC3339Nano)))(w, r)
		default:
			says(http.StatusNotFound, `{"errors":[]}`)(w, r)
		}
	}
}

// What nobody collected in time goes with its metadata, so that no version of it can be brought back; by Vault's clock,
// whatever the worker's says. What is younger stays.
func TestSweepsRemoveForGood(t *testing.T) {
	now := time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		sweep      func(context.Context, *Client) (int, error)
		life       time.Duration
		old, young string
	}{
		"inbox": {func(ctx context.Context, c *Client) (int, error) { return c.Inbox().Sweep(ctx) }, inboxLife, "old", "young"},
		"attempts": {func(ctx context.Context, c *Client) (int, error) { return c.Attempts().Sweep(ctx) }, attemptLife,
			attempts + "sandbox/acme/old", attempts + "sandbox/acme/young"},
	} {
		t.Run(name, func(t *testing.T) {
			made := map[string]time.Time{test.old: now.Add(-test.life), test.young: now.Add(-test.life + time.Minute)}
			s := newServer(t, keeper(made, now))
			for range 2 { // the second time there is nothing to do
				if _, err := test.sweep(context.Background(), s.withToken(t)); err != nil {
					t.Fatal(err)
				}
			}
			if _, left := made[test.old]; left {
				t.Error("what is too old is left")
			}
			if _, left := made[test.young]; !left {
				t.Error("what is young was removed")
			}
			removed := slices.DeleteFunc(slices.Clone(s.asked), func(asked string) bool { return strings.HasPrefix(asked, "GET") })
			if len(removed) != 1 || !strings.HasPrefix(removed[0], "DELETE ") || !strings.HasSuffix(removed[0], "/metadata/"+test.old) {
				t.Errorf("asked for %q", removed)
			}
		})
	}
}
