package connectors

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"connectedapps/connection"
)

// provider is a provider without a network: it answers what a test says, and
// keeps what it was asked.
type provider struct {
	mu     sync.Mutex
	asked  []string // method, URL
	bodies []string
	header []http.Header
	answer func(*http.Request) (*http.Response, error)
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	p.asked = append(p.asked, r.Method+" "+r.URL.String())
	p.bodies = append(p.bodies, string(body))
	p.header = append(p.header, r.Header.Clone())
	return p.answer(r)
}

func (p *provider) client() *http.Client { return &http.Client{Transport: p} }

const testDate = "Sun, 22 Nov 2026 12:00:00 GMT"

// answering is a provider with one answer. Headers are "Name: value" lines.
func answering(status int, body string, headers ...string) *provider {
	return &provider{answer: func(r *http.Request) (*http.Response, error) {
		header := http.Header{"Date": {testDate}, "Content-Type": {"application/json"}}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			header.Set(name, value)
		}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}}
}

// broken is a provider that cannot be reached.
func broken(err error) *provider {
	return &provider{answer: func(*http.Request) (*http.Response, error) { return nil, err }}
}

var loaded = sync.OnceValues(func() (*Catalogue, error) { return Load() })

func catalogue(t testing.TB) *Catalogue {
	t.Helper()
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func appOf(t testing.TB, id string) *App {
	t.Helper()
	app, err := catalogue(t).App(id)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func methodOf(t testing.TB, app, id string) *Method {
	t.Helper()
	m, err := appOf(t, app).Method(id)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sessionOf is a session of a method with every input filled in.
func sessionOf(t testing.TB, app, method string) Session {
	t.Helper()
	m := methodOf(t, app, method)
	s := Session{App: m.App(), Method: m, Values: map[string]string{}, Credential: connection.Credential{Method: m.ID}}
	fill := func(inputs []Input) {
		for _, in := range inputs {
			switch {
			case in.Secret:
				if s.Credential.Fields == nil {
					s.Credential.Fields = map[string]connection.Secret{}
				}
				s.Credential.Fields[in.Name] = connection.NewSecret("secret-of-" + in.Name)
			case in.Default != "":
				s.Values[in.Name] = in.Default
			case in.Format == "url":
				s.Values[in.Name] = "https://" + strings.ReplaceAll(in.Name, "_", "-") + ".example"
			case in.Format == "path":
				s.Values[in.Name] = "/" + in.Name
			default:
				s.Values[in.Name] = "value-of-" + in.Name
			}
		}
	}
	fill(m.Inputs)
	fill(m.ClientInputs)
	if m.OAuth != nil {
		s.Credential.Tokens = map[string]connection.Token{connection.DefaultToken: {
			Access: connection.NewSecret("secret-access-token"), Refresh: connection.NewSecret("secret-refresh-token"),
		}}
	}
	return s
}

func (s Session) mustAction(t testing.TB, id string) *Action {
	t.Helper()
	a, err := s.App.Action(id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// problemOf demands that an error is a problem, as every error of this package is.
func problemOf(t testing.TB, err error) *connection.Problem {
	t.Helper()
	var problem *connection.Problem
	if !errors.As(err, &problem) {
		t.Fatalf("%v (%T) is no problem", err, err)
	}
	return problem
}

var testClient = Client{ID: "client-id", Secret: connection.NewSecret("secret-of-client")}

func refresh(t testing.TB, m *Method, p *provider, presented string) (*Grant, error) {
	t.Helper()
	values := map[string]string{"base_url": "https://provider.example"}
	return m.Refresh(context.Background(), p.client(), RefreshInput{
		Client: testClient, Refresh: connection.NewSecret(presented), Values: values,
	})
}
