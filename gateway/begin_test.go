package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

func TestBegin(t *testing.T) {
	b := newBench(t, "https://connect.example")
	response := b.do("POST", testLink, fromOurPage)
	page := body(t, response)
	_, target, _ := strings.Cut(response.Header.Get("Refresh"), "url=")
	u, err := url.Parse(target)
	if err != nil || u.Scheme+"://"+u.Host+u.Path != "https://id.atlas.example/authorize" || u.Query().Get("client_id") != "c" {
		t.Fatalf("leads to %q (%v)", target, err)
	}
	state := u.Query().Get("state")
	if !couldBeState(state) {
		t.Errorf("state %q", state)
	}
	if len(b.begun) != 1 || b.begun[0] != (workflows.BeginAuthorization{Attempt: testAttempt, StateSHA256: hashState(state)}) {
		t.Errorf("begun with %+v", b.begun)
	}
	if !strings.Contains(page, "state="+state) || strings.Contains(page, "http-equiv") {
		t.Error("the page must hold the link, and leave moving on to the header")
	}
	cookie := response.Cookies()[0]
	if cookie.Name != "__Host-connect-"+hashState(state)[:8] || !cookie.HttpOnly || !cookie.Secure ||
		cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge != 600 {
		t.Errorf("cookie %s", cookie)
	}
	if strings.Contains(cookie.Value, state) {
		t.Error("the cookie holds the state itself")
	}
}

func TestBeginOnLoopback(t *testing.T) {
	b := newBench(t, "http://127.0.0.1:8400")
	b.target = "http://127.0.0.1:9070/oauth/authorize"
	response := b.do("POST", testLink, fromOurPage)
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Cookies()[0].Name, "connect-") || response.Cookies()[0].Secure {
		t.Errorf("%d, cookie %s", response.StatusCode, response.Cookies())
	}
}

func TestBeginRefuses(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	nothing := func(*http.Request) {}
	cases := map[string]struct {
		send   []func(*http.Request)
		path   string
		change func(*bench)
		status int
	}{
		"no origin at all":          {send: []func(*http.Request){nothing}, status: 403},
		"another origin":            {send: []func(*http.Request){header("Origin", "https://evil.example")}, status: 403},
		"origin null alone":         {send: []func(*http.Request){header("Origin", "null")}, status: 403},
		"cross-site":                {send: []func(*http.Request){fromOurPage, header("Sec-Fetch-Site", "cross-site")}, status: 403},
		"same-site is not origin":   {send: []func(*http.Request){fromOurPage, header("Sec-Fetch-Site", "same-site")}, status: 403},
		"typed into the bar":        {send: []func(*http.Request){header("Sec-Fetch-Site", "none")}, status: 403},
		"another host":              {send: []func(*http.Request){fromOurPage, func(r *http.Request) { r.Host = "evil.example" }}, status: 421},
		"unknown environment":       {path: "/connect/production/atlas/main/" + testAttempt, status: 410},
		"unknown attempt":           {path: "/connect/development/atlas/main/zzzz", status: 410},
		"path tricks":               {path: "/connect/development/atlas/main/..%2f" + testAttempt, status: 410},
		"used":                      {change: func(b *bench) { b.progress.Attempts[0].State = workflows.AttemptBegun }, status: 410},
		"too old":                   {change: func(b *bench) { b.progress.Attempts[0].Expires = time.Now() }, status: 410},
		"expired":                   {change: func(b *bench) { b.progress.Attempts[0].State = workflows.AttemptExpired }, status: 410},
		"connect over":              {change: func(b *bench) { b.progress.Phase = workflows.PhaseFailed }, status: 410},
		"connected already":         {change: func(b *bench) { b.progress.Phase = workflows.PhaseActive }, status: 410},
		"no such connect":           {change: func(b *bench) { b.progressErr = connection.Refused(connection.ErrSessionClosed, "no", "") }, status: 410},
		"temporal away":             {change: func(b *bench) { b.progressErr = connection.TemporalUnavailable("away") }, status: 503},
		"vault away uses no link":   {change: func(b *bench) { b.sealErr = connection.VaultUnavailable("sealed") }, status: 503},
		"workflow refuses":          {change: func(b *bench) { b.beginErr = connection.Refused(connection.ErrLinkInvalid, "used", "") }, status: 410},
		"script for a provider":     {change: func(b *bench) { b.target = "javascript:alert(1)" }, status: 500},
		"provider over plain http":  {change: func(b *bench) { b.target = "http://id.atlas.example/" }, status: 500},
		"provider with a user":      {change: func(b *bench) { b.target = "https://id.atlas.example@evil.example/" }, status: 500},
		"provider with a state":     {change: func(b *bench) { b.target = authorizeURL + "&state=x" }, status: 500},
		"provider without a scheme": {change: func(b *bench) { b.target = "//evil.example/" }, status: 500},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "https://connect.example")
			if c.change != nil {
				c.change(b)
			}
			send, path := c.send, c.path
			if send == nil {
				send = []func(*http.Request){fromOurPage}
			}
			if path == "" {
				path = testLink
			}
			response := b.do("POST", path, send...)
			if response.StatusCode != c.status {
				t.Errorf("got %d, want %d: %s", response.StatusCode, c.status, body(t, response))
			}
			if len(response.Cookies()) != 0 || response.Header.Get("Refresh") != "" {
				t.Error("a refusal set a cookie or led on")
			}
			if c.status != 500 && len(b.begun) != 0 {
				t.Error("a refusal used the link up")
			}
		})
	}
}

func TestOriginOfPlainRemoteGateway(t *testing.T) {
	b := newBench(t, "http://connect.test:8400")
	if got := b.do("GET", testLink).Header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("browsers would send Origin: null, and no Sec-Fetch-Site: policy is %q", got)
	}
	b.gateway.allowHTTP = true
	response := b.do("POST", testLink, func(r *http.Request) { r.Header.Set("Origin", "http://connect.test:8400") })
	if response.StatusCode != http.StatusOK {
		t.Errorf("got %d", response.StatusCode)
	}
}
