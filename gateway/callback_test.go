package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/console"
	"connectedapps/workflows"
)

func TestCallbackDelivers(t *testing.T) {
	b := newBench(t, "https://connect.example")
	state, cookie := b.begin()
	response := b.do("GET", "/oauth/callback?code=the-code&iss=https%3A%2F%2Fid&realmId=r7&other=x&state="+state, with(cookie))
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != testLink+"/result" {
		t.Fatalf("got %d to %q: %s", response.StatusCode, response.Header.Get("Location"), body(t, response))
	}
	if len(b.left) != 1 || len(b.signals) != 1 {
		t.Fatalf("%d inbox entries and %d signals, want one each", len(b.left), len(b.signals))
	}
	left := b.left[0]
	if left["code"].Reveal() != "the-code" || left["realmId"].Reveal() != "r7" || len(left) != 2 {
		t.Errorf("the inbox holds %d fields: code and declared parameters are wanted", len(left))
	}
	want := workflows.AuthorizationReceived{Attempt: testAttempt, StateSHA256: hashState(state), Inbox: "entry-1", Issuer: "https://id"}
	if b.signals[0] != want {
		t.Errorf("signalled %+v, want %+v", b.signals[0], want)
	}
	if cookies := response.Cookies(); len(cookies) != 1 || cookies[0].MaxAge >= 0 || cookies[0].Name != cookie.Name {
		t.Errorf("the cookie is not cleared: %v", cookies)
	}
}

// A guest of a connect session comes back to its page, whatever else their browser keeps.
func TestCallbackLeadsAGuestBack(t *testing.T) {
	b := newBench(t, "https://connect.example")
	w := httptest.NewRecorder()
	b.gateway.authorize(w, httptest.NewRequest("POST", b.url+"/", http.NoBody), console.Attempt{Connection: testID, ID: testAttempt, Session: "abc"})
	_, target, _ := strings.Cut(w.Header().Get("Refresh"), "url=")
	u, err := url.Parse(target)
	if err != nil || len(w.Result().Cookies()) != 1 {
		t.Fatalf("%d %q %v", w.Code, target, err)
	}
	kept := w.Result().Cookies()
	for i := range 20 {
		kept = append([]*http.Cookie{{Name: fmt.Sprintf("__Host-connect-session-s-%d", i), Value: "development.x"}}, kept...)
	}
	response := b.do("GET", "/oauth/callback?code=c&realmId=r7&state="+u.Query().Get("state"), with(kept...))
	if at := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || at != "/connect-session/development/abc" || len(b.signals) != 1 {
		t.Errorf("%d to %q: %s", response.StatusCode, at, body(t, response))
	}
}

func TestCallbackDeliversErrorWithoutItsText(t *testing.T) {
	b := newBench(t, "https://connect.example")
	state, cookie := b.begin()
	response := b.do("GET", "/oauth/callback?error=access_denied&error_description=%3Cscript%3E&realmId=r7&state="+state, with(cookie))
	if response.StatusCode != http.StatusSeeOther || len(b.left) != 1 || len(b.signals) != 1 {
		t.Fatalf("got %d, %d entries, %d signals", response.StatusCode, len(b.left), len(b.signals))
	}
	if b.left[0]["error"].Reveal() != "access_denied" || len(b.left[0]) != 1 {
		t.Errorf("the inbox must hold the error code and nothing else, has %d fields", len(b.left[0]))
	}
}

// TestCallbackRefuses shows for every refusal that nothing was written and
// nothing signalled; and, as its control, that the same bench then delivers the genuine answer.
func TestCallbackRefuses(t *testing.T) {
	cases := map[string]struct {
		query  func(state string) string
		cookie func(*http.Cookie) []*http.Cookie
		change func(*bench)
		method string
		status int
	}{
		"no cookie":            {cookie: func(*http.Cookie) []*http.Cookie { return nil }, status: http.StatusForbidden},
		"another state":        {query: func(string) string { return "code=c&state=" + newState() }, status: http.StatusForbidden},
		"state missing":        {query: func(string) string { return "code=c" }, status: http.StatusBadRequest},
		"state cut":            {query: func(s string) string { return "code=c&state=" + s[:42] }, status: http.StatusForbidden},
		"state one letter off": {query: func(s string) string { return "code=c&state=" + oneOff(s) }, status: http.StatusForbidden},
		"cookie of another state under this name": {cookie: func(c *http.Cookie) []*http.Cookie {
			other := newBench(t, "https://connect.example")
			_, foreign := other.begin()
			return []*http.Cookie{{Name: c.Name, Value: foreign.Value}}
		}, status: http.StatusForbidden},
		"cookie tampered with": {cookie: func(c *http.Cookie) []*http.Cookie {
			return []*http.Cookie{{Name: c.Name, Value: c.Value[:len(c.Value)-8]}}
		}, status: http.StatusForbidden},
		"cookie of another purpose": {cookie: func(c *http.Cookie) []*http.Cookie {
			sealed, _ := (&fake{}).Seal(t.Context(), `{}`, "something-else/development")
			return []*http.Cookie{{Name: c.Name, Value: "development." + sealed}}
		}, status: http.StatusForbidden},
		"cookie of an environment not served": {cookie: func(c *http.Cookie) []*http.Cookie {
			return []*http.Cookie{{Name: c.Name, Value: "production" + strings.TrimPrefix(c.Value, "development")}}
		}, status: http.StatusForbidden},
		"cookie without the prefix": {cookie: func(c *http.Cookie) []*http.Cookie {
			return []*http.Cookie{{Name: strings.TrimPrefix(c.Name, "__Host-"), Value: c.Value}}
		}, status: http.StatusForbidden},
		"code twice":            {query: func(s string) string { return "code=c&code=d&state=" + s }, status: http.StatusBadRequest},
		"state twice":           {query: func(s string) string { return "code=c&state=" + s + "&state=" + s }, status: http.StatusBadRequest},
		"iss twice":             {query: func(s string) string { return "code=c&iss=a&iss=b&state=" + s }, status: http.StatusBadRequest},
		"code and error":        {query: func(s string) string { return "code=c&error=access_denied&state=" + s }, status: http.StatusBadRequest},
		"neither":               {query: func(s string) string { return "state=" + s }, status: http.StatusBadRequest},
		"empty code":            {query: func(s string) string { return "code=&state=" + s }, status: http.StatusBadRequest},
		"code too long":         {query: func(s string) string { return "code=" + strings.Repeat("c", maxCode+1) + "&state=" + s }, status: http.StatusBadRequest},
		"query too long":        {query: func(s string) string { return "code=c&state=" + s + strings.Repeat("&", maxQuery) }, status: http.StatusBadRequest},
		"broken escape":         {query: func(s string) string { return "code=%zz&state=" + s }, status: http.StatusBadRequest},
		"line break":            {query: func(s string) string { return "code=a%0d%0ab&state=" + s }, status: http.StatusBadRequest},
		"many parameters":       {query: func(s string) string { return "code=c&state=" + s + manyParameters() }, status: http.StatusBadRequest},
		"posted":                {method: http.MethodPost, status: http.StatusMethodNotAllowed},
		"head":                  {method: http.MethodHead, status: http.StatusMethodNotAllowed},
		"attempt too old":       {change: func(b *bench) { b.gateway.now = func() time.Time { return time.Now().Add(11 * time.Minute) } }, status: http.StatusGone},
		"connect over":          {change: func(b *bench) { b.progress.Phase = workflows.PhaseCancelled }, status: http.StatusGone},
		"answered already":      {change: func(b *bench) { b.progress.Attempts[0].State = workflows.AttemptExchanging }, status: http.StatusGone},
		"begun again elsewhere": {change: func(b *bench) { b.progress.Attempts[0].StateSHA256 = hashState("other") }, status: http.StatusGone},
		"unknown connect":       {change: func(b *bench) { b.progressErr = connection.Refused(connection.ErrSessionClosed, "over", "") }, status: http.StatusGone},
		"vault away":            {change: func(b *bench) { b.openErr = connection.VaultUnavailable("sealed") }, status: http.StatusServiceUnavailable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "https://connect.example")
			state, cookie := b.begin()
			query, cookies, method := "code=c&state="+state, []*http.Cookie{cookie}, http.MethodGet
			if c.query != nil {
				query = c.query(state)
			}
			if c.cookie != nil {
				cookies = c.cookie(cookie)
			}
			if c.method != "" {
				method = c.method
			}
			before := b.progress
			before.Attempts = append([]workflows.AttemptState(nil), b.progress.Attempts...)
			if c.change != nil {
				c.change(b)
			}
			response := b.do(method, "/oauth/callback?"+query, with(cookies...))
			if response.StatusCode != c.status {
				t.Errorf("got %d, want %d", response.StatusCode, c.status)
			}
			if b.effects() != 0 {
				t.Errorf("a refusal wrote %d inbox entries and sent %d signals", len(b.left), len(b.signals))
			}
			b.progress, b.progressErr, b.openErr, b.gateway.now = before, nil, nil, time.Now
			if b.do("GET", "/oauth/callback?code=c&state="+state, with(cookie)); b.effects() != 2 {
				t.Errorf("the control delivered %d effects, want 2", b.effects())
			}
		})
	}
}

// oneOff changes the first letter, which leaves the form of a state intact.
func oneOff(state string) string {
	if state[0] == 'A' {
		return "B" + state[1:]
	}
	return "A" + state[1:]
}

func manyParameters() string {
	var all strings.Builder
	for i := range maxParameters {
		all.WriteString("&" + strings.Repeat("p", i+1) + "=1")
	}
	return all.String()
}

func TestCallbackReplayed(t *testing.T) {
	b := newBench(t, "https://connect.example")
	state, cookie := b.begin()
	query := "/oauth/callback?code=c&state=" + state
	b.do("GET", query, with(cookie))
	response := b.do("GET", query, with(cookie))
	if response.StatusCode != http.StatusGone || b.effects() != 2 {
		t.Errorf("a replay got %d and %d effects in all, want 410 and 2", response.StatusCode, b.effects())
	}
}

func TestCallbackTwoTabs(t *testing.T) {
	b := newBench(t, "https://connect.example")
	second := "ponmlkjihgfedcba"
	b.progress.Attempts = append(b.progress.Attempts, workflows.AttemptState{ID: second, State: workflows.AttemptOpen, Expires: time.Now().Add(time.Minute)})
	state1, cookie1 := b.begin()
	response := b.do("POST", "/connect/development/atlas/main/"+second, fromOurPage)
	cookie2 := response.Cookies()[0]
	if cookie1.Name == cookie2.Name {
		t.Fatal("two tabs share a cookie")
	}
	b.do("GET", "/oauth/callback?code=c&state="+state1, with(cookie1, cookie2))
	if len(b.signals) != 1 || b.signals[0].Attempt != testAttempt {
		t.Fatalf("signals: %+v", b.signals)
	}
	_, target, _ := strings.Cut(response.Header.Get("Refresh"), "url=")
	u, _ := url.Parse(target)
	b.do("GET", "/oauth/callback?code=c&state="+u.Query().Get("state"), with(cookie1, cookie2))
	if len(b.signals) != 2 || b.signals[1].Attempt != second {
		t.Fatalf("signals: %+v", b.signals)
	}
}

// TestCallbackDuringWorkerRestart: no worker answers the query, and the code is delivered all the same.
func TestCallbackDuringWorkerRestart(t *testing.T) {
	b := newBench(t, "https://connect.example")
	state, cookie := b.begin()
	b.progressErr = connection.TemporalUnavailable("no worker")
	response := b.do("GET", "/oauth/callback?code=c&state="+state, with(cookie))
	if response.StatusCode != http.StatusSeeOther || b.effects() != 2 {
		t.Errorf("got %d with %d effects", response.StatusCode, b.effects())
	}
}

// TestCallbackCanBeReloaded: with Temporal away the cookie stays, so that a reload delivers.
func TestCallbackCanBeReloaded(t *testing.T) {
	b := newBench(t, "https://connect.example")
	state, cookie := b.begin()
	b.signalErr = connection.TemporalUnavailable("away")
	query := "/oauth/callback?code=c&state=" + state
	response := b.do("GET", query, with(cookie))
	if response.StatusCode != http.StatusServiceUnavailable || len(response.Cookies()) != 0 {
		t.Fatalf("got %d and %d cookies", response.StatusCode, len(response.Cookies()))
	}
	b.signalErr = nil
	if response := b.do("GET", query, with(cookie)); response.StatusCode != http.StatusSeeOther || len(b.signals) != 1 {
		t.Errorf("the reload got %d and %d signals", response.StatusCode, len(b.signals))
	}
}
