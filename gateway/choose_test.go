package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// choosingBench is a bench whose authorization was accepted and reaches two accounts.
func choosingBench(t *testing.T, gatewayURL string) *bench {
	t.Helper()
	b := newBench(t, gatewayURL)
	b.progress.Phase, b.progress.Attempts[0].State = workflows.PhaseChoice, workflows.AttemptSucceeded
	b.progress.Choices = &activities.Choices{Title: "Which site?", Items: []connection.Choice{
		{ID: "site-1", Label: "Ada's maps", Values: map[string]string{"cloud": "learnt-later"}}, {ID: "site-2"}}}
	return b
}

// form makes a request one of a browser's that sends a form.
func form(text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
}

func TestChoicePage(t *testing.T) {
	b := choosingBench(t, "https://connect.example")
	page := body(t, b.do("GET", testLink+"/result"))
	for _, want := range []string{`<form method="post" action="` + testLink + `/choose">`, "<legend>Which site?</legend>", "Ada&#39;s maps",
		`<input type="radio" name="account" value="site-1" required>`, `<input type="radio" name="account" value="site-2" required>`,
		`<span>site-2</span>`, `<code class="quiet">site-1</code>`, `<button type="submit">`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, unwanted := range []string{"refresh", "<script", "learnt-later", "did not"} {
		if strings.Contains(page, unwanted) {
			t.Errorf("the page holds %q", unwanted)
		}
	}
	b.progress.Problem = connection.InvalidInput("choice", "the site did not answer", "")
	if page := body(t, b.do("GET", testLink+"/result")); !strings.Contains(page, `role="alert">The site did not answer.`) {
		t.Error("the choice comes back without its reason")
	}
}

// TestChoicePageOfAnotherAttempt shows no accounts with a link whose authorization is not the one that waits.
func TestChoicePageOfAnotherAttempt(t *testing.T) {
	for _, state := range []string{workflows.AttemptOpen, workflows.AttemptBegun, workflows.AttemptExchanging, workflows.AttemptFailed, workflows.AttemptExpired} {
		b := choosingBench(t, "https://connect.example")
		b.progress.Attempts[0].State = state
		if page := body(t, b.do("GET", testLink+"/result")); strings.Contains(page, "site-") {
			t.Errorf("%s: the page shows the accounts of another authorization", state)
		}
	}
}

func TestChoose(t *testing.T) {
	b := choosingBench(t, "https://connect.example")
	response := b.do("POST", testLink+"/choose", fromOurPage, form("account=site-2"))
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != testLink+"/result" {
		t.Fatalf("got %d to %q: %s", response.StatusCode, response.Header.Get("Location"), body(t, response))
	}
	if len(b.chosen) != 1 || b.chosen[0] != (workflows.ChooseAccount{ID: "site-2"}) || b.effects() != 1 {
		t.Errorf("chosen: %+v with %d effects", b.chosen, b.effects())
	}
	if page := body(t, b.do("GET", testLink+"/result")); !strings.Contains(page, `http-equiv="refresh"`) || strings.Contains(page, "<form") {
		t.Error("after the choice the result page must go on by itself")
	}
	if response := b.do("POST", testLink+"/choose", fromOurPage, form("account=site-1")); response.StatusCode != 400 || b.effects() != 1 {
		t.Errorf("a second choice got %d with %d effects in all", response.StatusCode, b.effects())
	}
}

// TestChooseRefuses shows for every refusal that the connect was asked nothing; and,
// as its control, that the same bench then takes the genuine choice.
func TestChooseRefuses(t *testing.T) {
	const genuine = "account=site-1"
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	attempt := func(state string) func(*bench) {
		return func(b *bench) { b.progress.Attempts[0].State = state }
	}
	phase := func(phase workflows.Phase) func(*bench) { return func(b *bench) { b.progress.Phase = phase } }
	cases := map[string]struct {
		send   []func(*http.Request)
		form   string
		path   string
		method string
		change func(*bench)
		status int
		// leads is set where the page must lead back to the result.
		leads bool
	}{
		"no origin at all":      {send: []func(*http.Request){}, status: 403},
		"another origin":        {send: []func(*http.Request){header("Origin", "https://evil.example")}, status: 403},
		"origin null alone":     {send: []func(*http.Request){header("Origin", "null")}, status: 403},
		"cross-site":            {send: []func(*http.Request){fromOurPage, header("Sec-Fetch-Site", "cross-site")}, status: 403},
		"same-site":             {send: []func(*http.Request){fromOurPage, header("Sec-Fetch-Site", "same-site")}, status: 403},
		"another host":          {send: []func(*http.Request){fromOurPage, func(r *http.Request) { r.Host = "evil.example" }}, status: 421},
		"fetched":               {method: "GET", status: 404},
		"unknown environment":   {path: "/connect/production/atlas/main/" + testAttempt + "/choose", status: 410},
		"unknown attempt":       {path: "/connect/development/atlas/main/zzzz/choose", status: 410},
		"unknown choice":        {form: "account=site-3", status: 400, leads: true},
		"nothing chosen":        {form: "other=site-1", status: 400, leads: true},
		"empty choice":          {form: "account=", status: 400, leads: true},
		"two choices":           {form: "account=site-1&account=site-2", status: 400, leads: true},
		"a label for an ID":     {form: "account=" + url.QueryEscape("Ada's maps"), status: 400, leads: true},
		"broken escape":         {form: "account=site-1&x=%zz", status: 400, leads: true},
		"form too long":         {form: genuine + "&x=" + strings.Repeat("x", 4<<10), status: 400, leads: true},
		"choice in the address": {form: "x=y", path: testLink + "/choose?account=site-1", status: 400, leads: true},
		"link not used":         {change: attempt(workflows.AttemptOpen), status: 410, leads: true},
		"still at the provider": {change: attempt(workflows.AttemptBegun), status: 410, leads: true},
		"being redeemed":        {change: attempt(workflows.AttemptExchanging), status: 410, leads: true},
		"denied":                {change: attempt(workflows.AttemptFailed), status: 410, leads: true},
		"link too old":          {change: attempt(workflows.AttemptExpired), status: 410, leads: true},
		"testing":               {change: phase(workflows.PhaseTesting), status: 400, leads: true},
		"a question":            {change: phase(workflows.PhaseAnswer), status: 400, leads: true},
		"cancelled":             {change: phase(workflows.PhaseCancelled), status: 410, leads: true},
		"connected":             {change: phase(workflows.PhaseActive), status: 410, leads: true},
		"no choices":            {change: func(b *bench) { b.progress.Choices = nil }, status: 400, leads: true},
		"temporal away":         {change: func(b *bench) { b.progressErr = connection.TemporalUnavailable("away") }, status: 503},
		"connect refuses":       {change: func(b *bench) { b.chooseErr = connection.InvalidInput("id", "answered", "") }, status: 400, leads: true},
		"temporal goes away":    {change: func(b *bench) { b.chooseErr = connection.TemporalUnavailable("away") }, status: 503, leads: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := choosingBench(t, "https://connect.example")
			before := b.progress
			before.Attempts = append([]workflows.AttemptState(nil), b.progress.Attempts...)
			send, text, path, method := c.send, c.form, c.path, c.method
			if send == nil {
				send = []func(*http.Request){fromOurPage}
			}
			if text == "" {
				text = genuine
			}
			if path == "" {
				path = testLink + "/choose"
			}
			if method == "" {
				method = "POST"
			}
			if c.change != nil {
				c.change(b)
			}
			response := b.do(method, path, append(send, form(text))...)
			page := body(t, response)
			if response.StatusCode != c.status {
				t.Errorf("got %d, want %d: %s", response.StatusCode, c.status, page)
			}
			if leads := strings.Contains(page, `href="`+testLink+`/result"`); leads != c.leads {
				t.Errorf("leads back to the result: %t", leads)
			}
			if b.effects() != 0 {
				t.Errorf("a refusal had %d effects", b.effects())
			}
			b.progress, b.progressErr, b.chooseErr = before, nil, nil
			if b.do("POST", testLink+"/choose", fromOurPage, form(genuine)); len(b.chosen) != 1 {
				t.Errorf("the control made %d choices, want 1", len(b.chosen))
			}
		})
	}
}

// TestChooseDoesNotWaitForTheTest: what takes long is told by the result page.
func TestChooseDoesNotWaitForTheTest(t *testing.T) {
	t.Parallel()
	b := choosingBench(t, "https://connect.example")
	b.chooseErr = context.DeadlineExceeded
	started := time.Now()
	response := b.do("POST", testLink+"/choose", fromOurPage, form("account=site-1"))
	if response.StatusCode != http.StatusSeeOther || time.Since(started) > chooseTime+2*time.Second {
		t.Errorf("got %d after %s", response.StatusCode, time.Since(started))
	}
}

// TestChoiceOfPlainRemoteGateway: such a form needs its Origin, as the one that begins does.
func TestChoiceOfPlainRemoteGateway(t *testing.T) {
	b := choosingBench(t, "http://connect.test:8400")
	if got := b.do("GET", testLink+"/result").Header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("browsers would send Origin: null, and no Sec-Fetch-Site: policy is %q", got)
	}
	response := b.do("POST", testLink+"/choose", func(r *http.Request) { r.Header.Set("Origin", "http://connect.test:8400") }, form("account=site-1"))
	if response.StatusCode != http.StatusSeeOther || len(b.chosen) != 1 {
		t.Errorf("got %d", response.StatusCode)
	}
}

func TestQuestionPage(t *testing.T) {
	b := newBench(t, "https://connect.example")
	b.progress.Phase, b.progress.Attempts[0].State = workflows.PhaseAnswer, workflows.AttemptSucceeded
	b.progress.Question = &activities.Question{Step: "code", Title: "Code from the <text> message", Fields: []activities.Field{{Name: "code", Secret: true}}}
	page := body(t, b.do("GET", testLink+"/result"))
	for _, want := range []string{"Atlas asks for more", "Code from the &lt;text&gt; message", "<code>connected-apps connect development/atlas/main --resume</code>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "refresh") || strings.Contains(page, "<form") || strings.Contains(page, "<input") {
		t.Error("nothing is to be typed in here, and nothing reloads")
	}
	b.progress.Attempts[0].State = workflows.AttemptFailed
	if page := body(t, b.do("GET", testLink+"/result")); strings.Contains(page, "text") && strings.Contains(page, "asks for more") {
		t.Error("a link whose authorization failed shows another one's question")
	}
}

// TestReconnectPages: a connection that is there already is connected again, and no toolkit is made.
func TestReconnectPages(t *testing.T) {
	b := newBench(t, "https://connect.example")
	b.progress.Mode = workflows.ModeReplace
	see := func(what string, wanted ...string) {
		t.Helper()
		path := testLink + "/result"
		if what == "link" {
			path = testLink
		}
		page := body(t, b.do("GET", path))
		for _, want := range wanted {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q: %s", what, want, page)
			}
		}
		for _, unwanted := range []string{"Connect Atlas", "Connecting Atlas", "toolkit", "is not connected", "is connected.", "was not made"} {
			if strings.Contains(page, unwanted) {
				t.Errorf("%s: the page says %q", what, unwanted)
			}
		}
	}
	see("link", "<title>Reconnect Atlas</title>", "<h1>Reconnect Atlas</h1>", "of <strong>Our maps</strong> again")
	refused := connection.Refused(connection.ErrAuthorizationFailed, "the app declined", "")
	for _, c := range []struct {
		state string
		phase workflows.Phase
		want  string
	}{
		{workflows.AttemptExchanging, workflows.PhaseObtaining, "Reconnecting Atlas"},
		{workflows.AttemptSucceeded, workflows.PhaseActive, "Atlas was connected again"},
		{workflows.AttemptFailed, workflows.PhaseAuthorization, "Atlas was not connected again"},
		{workflows.AttemptSucceeded, workflows.PhaseFailed, "Atlas was not connected again"},
		{workflows.AttemptExpired, workflows.PhaseActive, "The account is connected again"},
		{workflows.AttemptSucceeded, workflows.PhaseChoice, "one of them is to be connected again"},
	} {
		b.progress.Phase, b.progress.Attempts[0].State, b.progress.Attempts[0].Problem = c.phase, c.state, refused
		b.progress.Choices = &activities.Choices{Items: []connection.Choice{{ID: "1"}}}
		see(fmt.Sprintf("%s, %s", c.state, c.phase), c.want)
	}
}
