package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

func TestProblems(t *testing.T) {
	b := newBench(t)
	long := `{"connection":"development/atlas/x","values":{"a":"` + strings.Repeat("x", maxBody) + `"}}`
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		field, detail      string
	}{
		"unknown member":     {"POST", "/connections", `{"connection":"development/atlas/x","nonsense":1}`, 400, "nonsense", "unexpected"},
		"unknown inside":     {"PATCH", one, `{"policy":{"nonsense":1}}`, 400, "policy.nonsense", "unexpected"},
		"wrong type":         {"POST", "/connections", `{"connection":"development/atlas/x","review":"yes"}`, 400, "review", "boolean"},
		"missing":            {"POST", "/alert-sinks/development", `{"name":"ops"}`, 400, "kind", "missing"},
		"no JSON":            {"POST", "/connections", `{"connection":`, 403, "", ""}, // nobody knows where, so the role is missing there
		"no JSON in a path":  {"POST", one + "/connect/credential", `{"secrets": canary`, 400, "body", "JSON"},
		"no body":            {"POST", one + "/connect/credential", ``, 400, "", "required"},
		"too large":          {"POST", "/connections", long, 413, "", "too large"},
		"unknown parameter":  {"GET", "/connections?nonsense=1", ``, 400, "nonsense", "unknown"},
		"limit":              {"GET", "/connections?limit=201", ``, 400, "limit", "200"},
		"enum":               {"GET", "/connections?status=Fine", ``, 400, "status", "Active"},
		"no time":            {"GET", "/connections?expires_before=soon", ``, 400, "expires_before", ""},
		"no such name":       {"GET", "/connections/development/atlas/Main", ``, 400, "name", "name"},
		"no such path":       {"GET", "/nonsense", ``, 404, "", "nothing"},
		"no such method":     {"PUT", "/connections", `{}`, 405, "", "PUT"},
		"bad interval":       {"PATCH", one, `{"policy":{"probe_every_seconds":-1}}`, 400, "policy.probe_every_seconds", ""},
		"not a content type": {"PATCH", one, `{}`, 415, "Content-Type", "text/plain"},
	} {
		t.Run(name, func(t *testing.T) {
			w := b.do("admin", c.method, c.path, c.body, func(r *http.Request) {
				if c.status == 415 {
					r.Header.Set("Content-Type", "text/plain")
				}
			})
			w.t = t
			if name == "no JSON" {
				w.problem(http.StatusBadRequest, "InvalidInput")
				return
			}
			p := w.problem(c.status, "InvalidInput")
			if p.Field != c.field || !strings.Contains(p.Detail, c.detail) {
				t.Errorf("field %q, detail %q", p.Field, p.Detail)
			}
			if c.status == 405 && w.Header().Get("Allow") == "" {
				t.Error("it does not say what is allowed")
			}
		})
	}
	if len(b.calls) > 0 || len(b.left) > 0 {
		t.Errorf("a refused request had an effect: %v", b.calls)
	}
}

// A secret in the wrong place is not repeated, whatever is wrong with it.
func TestMisplacedSecretIsNotRepeated(t *testing.T) {
	b := newBench(t)
	for path, body := range map[string]string{
		"/connections":              `{"connection":"development/atlas/x","method":"key","values":{"api_key":"` + canary + `"}}`,
		one + "/connect/credential": `{"values":{"api_key":"` + canary + `"}}`,
		one + "/credentials":        `{"secrets":"` + canary + `"}`,
		one + "/reconnect":          `{"values":{"api_key":"` + canary + `"}}`,
		one + "/connect/answer":     `{"step":"` + "code" + `","values":{"otp":"` + canary + `"}}`,
		"/auth-configs":             `{"environment":"development","app":"atlas","name":"x","client_id":"c","secrets":{"region":"` + canary + `"}}`,
		"/alert-sinks/development":  `{"name":"ops","kind":"webhook","url":"ftp://` + canary + `"}`,
		one + "/connect/approve":    `{"actions":"` + canary + `"}`,
		one + "/pause":              canary,
	} {
		w := b.do("admin", "POST", path, body)
		if w.Code < 400 {
			t.Errorf("%s took it: %s", path, w.Body)
		}
	}
	b.do("admin", "PATCH", one, `{"policy":{"expires":"`+canary+`"}}`).problem(http.StatusBadRequest, "InvalidInput")
	b.do("admin", "GET", "/connections?cursor="+canary, "").problem(http.StatusBadRequest, "InvalidInput")
	b.do("admin", "POST", one+"/test", "", withKey(canary+" with a space")).problem(http.StatusBadRequest, "InvalidInput")
	for _, made := range b.calls {
		if made.method != "Describe" && made.method != "Progress" && made.method != "Requested" {
			t.Errorf("%s had an effect", made.method)
		}
	}
}

func TestErrorsOfTheClient(t *testing.T) {
	b := newBench(t)
	b.fails["Test"] = connection.RateLimited("slow down", 90*time.Second)
	w := b.do("operator", "POST", one+"/test", "")
	if p := w.problem(http.StatusTooManyRequests, "RateLimited"); p.RetryAfter != 90 || w.Header().Get("Retry-After") != "90" {
		t.Errorf("retry after %d, header %q", p.RetryAfter, w.Header().Get("Retry-After"))
	}
	b.fails["Test"] = connection.VaultUnavailable("sealed")
	if w := b.do("operator", "POST", one+"/test", ""); w.problem(http.StatusServiceUnavailable, "VaultUnavailable").RetryAfter != busyWait {
		t.Error("it does not say when to come back")
	}
	b.fails["Test"] = errUnknown{}
	p := b.do("operator", "POST", one+"/test", "").problem(http.StatusInternalServerError, "Internal")
	if strings.Contains(p.Detail+p.Remedy, "inner words") {
		t.Error("an error that is none of ours is shown")
	}
	b.exists = false
	b.do("viewer", "GET", one, "").problem(http.StatusNotFound, "ConnectionNotFound")
}

type errUnknown struct{}

func (errUnknown) Error() string { return "inner words" }

func TestPanicIsAnswered(t *testing.T) {
	b := newBench(t)
	b.environmentless()
	b.do("operator", "POST", one+"/test", "").problem(http.StatusInternalServerError, "Internal")
	b.do("viewer", "GET", "/me", "").json(http.StatusOK, nil)
}
