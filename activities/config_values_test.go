package activities

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"connectedapps/connection"
)

// elsewhere is a host that no auth config names; it counts what is sent to it.
func elsewhere(t *testing.T) (string, *atomic.Int64) {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(server.Close)
	return server.URL, &asked
}

const sandboxDefault = "http://127.0.0.1:9070"

func TestAConnectDoesNotSayWhereASharedSecretGoes(t *testing.T) {
	w, a := sharedKey(t)
	evil, asked := elsewhere(t)
	for name, c := range map[string]struct {
		given, kept string
		want        string
	}{
		"another host":       {given: evil, want: connection.ErrInvalidInput},
		"the same":           {given: w.provider.URL + "/"},
		"left out":           {},
		"a form's default":   {given: sandboxDefault},
		"one from before it": {kept: evil},
		"one for another":    {given: evil, kept: w.provider.URL, want: connection.ErrInvalidInput},
	} {
		t.Run(name, func(t *testing.T) {
			request := ConnectRequest{Connection: testID, Method: "api-key", AuthConfig: "everybody"}
			if c.given != "" {
				request.Values = map[string]string{"base_url": c.given}
			}
			if c.kept != "" {
				request.Kept.Values = map[string]string{"base_url": c.kept}
			}
			plan, err := a.validateConnect(background, request)
			demand(t, err, c.want)
			if problem, ok := connection.AsProblem(err); ok && (problem.Field != "base_url" || problem.Remedy == "") {
				t.Errorf("%+v", problem)
			}
			if err == nil && plan.Values["base_url"] != w.provider.URL {
				t.Errorf("it goes to %q", plan.Values["base_url"])
			}
			_, err = a.storeCredential(background, StoreCredentialInput{Connection: testID, Grant: "g-" + name, Method: "api-key",
				AuthConfig: "everybody", Values: request.Values})
			demand(t, err, c.want)
			ref := connection.CredentialRef{Connection: testID, Grant: "g-" + name, Generation: 1, Candidate: true}
			if err != nil {
				if w.vault.peek(ref).Version != 0 {
					t.Error("a candidate was stored")
				}
				return
			}
			if _, err := a.probe(background, ref); err != nil || w.vault.peek(ref).Credential.Values["base_url"] != w.provider.URL {
				t.Errorf("%+v, %v", w.vault.peek(ref).Credential.Values, err)
			}
		})
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests went elsewhere", asked.Load())
	}
}

// A method whose place to live has no default asks for it, unless an auth config may have it.
func TestWhatAnAuthConfigHoldsIsNotMissed(t *testing.T) {
	w := newWorld(t, "none")
	request := ConnectRequest{Connection: "development/gitea/acme", Method: "token"}
	_, err := Plan(w.catalogue, request)
	demand(t, err, connection.ErrInvalidInput)
	request.AuthConfig = "everybody"
	if _, err := Plan(w.catalogue, request); err != nil {
		t.Fatal(err)
	}
	w.vault.configs["gitea/everybody"] = configEntry{connection.AuthConfig{Method: "token"}, 1}
	_, err = w.process().validateConnect(background, request)
	demand(t, err, connection.ErrInvalidInput)
}

// A connection from before this rule holds values of its own: they count for nothing.
func TestAConnectionGoesWhereItsAuthConfigSays(t *testing.T) {
	evil, asked := elsewhere(t)
	away := func(d *connection.Document) { d.Credential.Values = map[string]string{"base_url": evil} }
	t.Run("a shared key", func(t *testing.T) {
		w, a := sharedKey(t)
		w.vault.change(t, w.ref, away)
		if report, err := a.probe(background, w.ref); err != nil || report.Identity.Account != "u1" {
			t.Errorf("%+v, %v", report, err)
		}
		if _, err := w.call(t, a, CallActionInput{Action: "whoami"}); err != nil {
			t.Error(err)
		}
		w.stage(a, "everybody", "api_key", "good-key")
		if report, err := w.prove(a, "everybody"); err != nil || report.Proof != "connection "+testID.String() {
			t.Errorf("%+v, %v", report, err)
		}
	})
	t.Run("a client", func(t *testing.T) {
		w := newWorld(t, "strict")
		a := w.process()
		w.vault.change(t, w.ref, away)
		if _, err := a.refresh(background, w.ref); err != nil {
			t.Error(err)
		}
		w.vault.change(t, w.ref, away)
		w.vault.advance(2 * time.Hour) // it has to be renewed on the way
		if _, err := w.call(t, w.process(), CallActionInput{Action: "whoami"}); err != nil {
			t.Error(err)
		}
		w.vault.change(t, w.ref, away)
		_, _ = w.process().revoke(background, RevokeInput{Ref: w.ref})
	})
	t.Run("whom another has renewed for", func(t *testing.T) {
		w := newWorld(t, "strict")
		x, err := w.process().access(background, w.vault.peek(w.ref), testID)
		if err != nil {
			t.Fatal(err)
		}
		w.vault.change(t, w.ref, away)
		if s := x.holding(w.vault.peek(w.ref)).session(); s.Values["base_url"] != w.provider.URL || s.Client.ID != "client" {
			t.Errorf("%+v", s.Values)
		}
	})
	if asked.Load() != 0 {
		t.Errorf("%d requests went elsewhere", asked.Load())
	}
}

// Values that are worked out of others follow those of the auth config.
func TestDerivedValuesFollowTheAuthConfig(t *testing.T) {
	w := newWorld(t, "none")
	w.custom("    kind: api-key\n", "    kind: api-key\n    derive:\n      - name: place\n        value: base_url\n")
	w.vault.configs["sandbox/everybody"] = configEntry{connection.AuthConfig{Method: "api-key",
		Values: map[string]string{"base_url": w.provider.URL}}, 1}
	w.put(connection.Document{Grant: "first", Generation: 1, AuthConfig: "everybody", Credential: connection.Credential{Method: "api-key",
		Values: map[string]string{"base_url": "http://evil.example", "place": "http://evil.example"}}})
	x, err := w.process().access(background, w.vault.peek(w.ref), testID)
	if err != nil || x.session().Values["place"] != w.provider.URL {
		t.Errorf("%+v, %v", x.session().Values, err)
	}
}
