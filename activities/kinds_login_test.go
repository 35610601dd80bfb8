package activities

import (
	"net/http"
	"strings"
	"testing"

	"connectedapps/connection"
)

// What asks for nothing to begin with, by an auth config that holds its secrets.
func TestMachinesWithAnAuthConfig(t *testing.T) {
	k := newKinds(t)
	stored, err := k.a.storeAuthConfig(background, StoreAuthConfigInput{App: "kinds", Name: "assertion", Method: "assertion", ClientID: "client",
		Values: k.values(), Inbox: k.vault.leave("signing_key", "a-key-that-signs-assertions-and-is-long-enough")})
	if err != nil || stored.Public {
		t.Fatalf("%+v, %v", stored, err)
	}
	for method, outcome := range map[string]string{"assertion": RevocationNotOffered, "machine": RevocationDone} {
		t.Run(method, func(t *testing.T) {
			before := k.server.count("/token")
			plan, err := k.a.validateConnect(background, ConnectRequest{Connection: kindsID, Method: method, AuthConfig: method})
			if err != nil || plan.Flow != FlowAutomatic || len(plan.Secrets) != 0 {
				t.Fatalf("%+v, %v", plan, err)
			}
			in := func(in *AdvanceLoginInput) { in.AuthConfig = method }
			k.done(method, method, in)
			k.done(method, method, in)
			held := k.vault.peek(k.candidate(method))
			if k.server.count("/token") != before+1 || held.AuthConfig != method || held.Credential.Values["client_id"] != "client" || held.Credential.Fields != nil {
				t.Fatalf("%+v", held.Document)
			}
			k.adoptAndRenew(method)
			if method == "assertion" && !strings.Contains(k.server.last("/token"), "assertion=") {
				t.Errorf("renewed with %s", k.server.last("/token"))
			}
			k.revokeNow(outcome)
		})
	}
}

func TestAnAuthConfigNeedsItsSecretInputs(t *testing.T) {
	k := newKinds(t)
	left := k.vault.leave("client_secret", "text")
	_, err := k.a.storeAuthConfig(background, StoreAuthConfigInput{App: "kinds", Name: "assertion", Method: "assertion", ClientID: "client",
		Values: k.values(), Inbox: left})
	demand(t, err, connection.ErrInvalidInput)
	if p, _ := connection.AsProblem(err); p.Field != "signing_key" {
		t.Errorf("told %+v", p)
	}
	if _, kept := k.vault.inbox[left]; kept {
		t.Error("the inbox keeps what was refused")
	}
}

func TestTypedInKinds(t *testing.T) {
	for method, test := range map[string]struct {
		values  []string
		secrets []string
	}{
		"digest": {[]string{"username", "ada"}, []string{"password", "pass-word"}},
		"sigv4":  {[]string{"access_key_id", "AKIDEXAMPLE", "region", "eu-central-1"}, []string{"secret_access_key", "wJalrXUtnFEMI"}},
	} {
		t.Run(method, func(t *testing.T) {
			k := newKinds(t)
			report := k.typed(method, "g", k.values(test.values...), test.secrets...)
			if report.Unfinished || report.Renewable {
				t.Fatalf("stored %+v", report)
			}
			if probed, err := k.a.probe(background, report.Ref); err != nil || probed.Identity.Account != "u1" {
				t.Fatalf("%+v, %v", probed, err)
			}
			if _, err := k.a.adopt(background, AdoptInput{Ref: report.Ref, Gate: connection.Gate{Status: connection.Active, Grant: "g"}}); err != nil {
				t.Fatal(err)
			}
			_, err := k.a.refresh(background, connection.CredentialRef{Connection: kindsID})
			demand(t, err, connection.ErrInvalidInput)
			k.revokeNow(RevocationNotOffered)
		})
	}
}

func TestAFollowUpOfAKey(t *testing.T) {
	k := newKinds(t)
	if report := k.typed("key", "g", k.values(), "api_key", "good-key"); !report.Unfinished {
		t.Fatalf("stored %+v", report)
	}
	k.server.answers["/api/region"] = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusUnauthorized); return true }
	_, err := k.advance("key", "g")
	demand(t, err, connection.ErrTestFailed)
	k.server.answers["/api/region"] = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusServiceUnavailable); return true }
	left := k.vault.leave("x", "y")
	_, err = k.advance("key", "g", func(in *AdvanceLoginInput) { in.Inbox = left })
	demand(t, err, connection.ErrProviderUnavailable)
	if _, kept := k.vault.inbox[left]; !kept {
		t.Error("answers are gone although it will be tried again")
	}
	delete(k.server.answers, "/api/region")
	k.done("key", "g")
	held := k.vault.peek(k.candidate("g")).Credential
	if held.Values["region"] != "region of " || held.Fields["api_key"].Reveal() != "good-key" {
		t.Errorf("values %v", held.Values)
	}
}

// Two questions after each other, the first behind a step that is passed over: both
// answers are there for the request that needs them.
func TestTwoQuestions(t *testing.T) {
	k := newKinds(t)
	k.typed("skipping", "g", k.values("username", "ada"), "password", "pass-word")
	report, err := k.advance("skipping", "g")
	if err != nil || report.Question == nil || report.Question.Step != "first" {
		t.Fatalf("%+v, %v", report, err)
	}
	for range 2 { // the second time it is run again after a crash
		report, err = k.advance("skipping", "g", func(in *AdvanceLoginInput) { in.Step, in.Values = "first", map[string]string{"one": "uno"} })
		if err != nil || report.Question == nil || report.Question.Step != "second" {
			t.Fatalf("%+v, %v", report, err)
		}
	}
	_, err = k.advance("skipping", "g", func(in *AdvanceLoginInput) { in.Step, in.Inbox = "second", "collected" })
	demand(t, err, connection.ErrInvalidInput)
	k.done("skipping", "g", func(in *AdvanceLoginInput) { in.Step, in.Inbox = "second", k.vault.leave("two", "due") })
	if sent := k.server.last("/open"); !strings.Contains(sent, "uno") || !strings.Contains(sent, "due") || k.server.count("/login") != 0 {
		t.Errorf("sent %s", sent)
	}
	if held := k.vault.peek(k.candidate("g")).Credential.Fields; len(held) != 1 {
		t.Errorf("answers are kept: %v", held)
	}
}

// A renewal on whose way a question lies is for a person.
func TestOnlyAPersonCanLogInAgain(t *testing.T) {
	k := newKinds(t)
	k.typed("skipping", "g", k.values("username", "ada"), "password", "pass-word")
	answers := []func(*AdvanceLoginInput){
		func(in *AdvanceLoginInput) { in.Step, in.Values = "first", map[string]string{"one": "uno"} },
		func(in *AdvanceLoginInput) { in.Step, in.Inbox = "second", k.vault.leave("two", "due") },
	}
	_, _ = k.advance("skipping", "g")
	_, _ = k.advance("skipping", "g", answers[0])
	k.done("skipping", "g", answers[1])
	_, err := k.a.spender.Renew(background, k.candidate("g"), "the session is over")
	demand(t, err, connection.ErrReconnectRequired)
	if held := k.vault.peek(k.candidate("g")); !rejected(held) || k.server.count("/open") != 1 {
		t.Errorf("rejected %v, %d logins", held.Rejected, k.server.count("/open"))
	}
}

func TestAGrantThatIsSharedIsNotDropped(t *testing.T) {
	k := newKinds(t)
	method, err := k.a.method(kindsID.App(), "device")
	if err != nil {
		t.Fatal(err)
	}
	offered, err := k.a.drop(background, method, k.vault.configs["kinds/device"].config, connection.Credential{Method: "device", Values: k.values("token_endpoint", k.server.URL+"/token"),
		Tokens: map[string]connection.Token{connection.DefaultToken: {Access: connection.NewSecret("at")}}})
	if err != nil || offered || k.server.count("/revoke") != 0 {
		t.Errorf("%v, %v: %d revocations", offered, err, k.server.count("/revoke"))
	}
}

func TestWhoseGrantIsSharedMustBeKnown(t *testing.T) {
	k := newKinds(t)
	ref := connection.CredentialRef{Connection: kindsID, Grant: "g", Generation: 1, Candidate: true}
	tokens := map[string]connection.Token{connection.DefaultToken: {Access: connection.NewSecret("at")}}
	if _, err := k.vault.compareAndSet(ref, connection.Document{Grant: "g", Generation: 1, AuthConfig: "device",
		Credential: connection.Credential{Method: "device", Values: k.values("token_endpoint", k.server.URL+"/token"), Tokens: tokens}}, 0); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		account string
		live    bool
		by      string // the auth config of what lives
		want    string
	}{
		"the connection lives by it":            {"u1", true, "device", RevocationShared},
		"the connection lives by another way":   {"u1", true, "", RevocationDone},
		"by another way, and nobody knows whom": {"", true, "", RevocationShared},
		"nobody knows whose it is":              {"", false, "", RevocationShared},
		"it is the last":                        {"u1", false, "", RevocationDone},
	} {
		t.Run(name, func(t *testing.T) {
			live := connection.CredentialRef{Connection: kindsID}
			_ = k.vault.Destroy(background, live)
			if test.live {
				if _, err := k.vault.compareAndSet(live, connection.Document{Grant: "other", Generation: 1, AuthConfig: test.by}, 0); err != nil {
					t.Fatal(err)
				}
			}
			report, err := k.a.revoke(background, RevokeInput{Ref: ref, Account: test.account})
			if err != nil || report.Outcome != test.want {
				t.Errorf("%+v, %v, want %s", report, err, test.want)
			}
		})
	}
}

// A credential that everybody shares is in the auth config: nobody is asked.
func TestASharedPassword(t *testing.T) {
	k := newKinds(t)
	k.vault.configs["kinds/everybody"] = configEntry{connection.AuthConfig{Method: "password", Values: k.values(),
		Fields: map[string]connection.Secret{"password": connection.NewSecret("shared-word"), "pin": connection.NewSecret("12-34")}}, 1}
	plan, err := k.a.validateConnect(background, ConnectRequest{Connection: kindsID, Method: "password", AuthConfig: "everybody",
		Values: k.values("username", "ada@example.com")})
	if err != nil || plan.Flow != FlowAutomatic || len(plan.Secrets) != 0 {
		t.Fatalf("%+v, %v", plan, err)
	}
	k.done("password", "g", func(in *AdvanceLoginInput) { in.AuthConfig, in.Values = "everybody", plan.Values })
	if sent := k.server.last("/token"); !strings.Contains(sent, "shared-word") {
		t.Errorf("sent %s", sent)
	}
}

// Running a grant again spends nothing, so that a refusal after a crash is told as what it is.
func TestARefusalThatSpentNothing(t *testing.T) {
	k := newKinds(t)
	k.typed("password", "g", k.values("username", "ada@example.com"), "password", "pass-word")
	k.done("password", "g")
	ref := k.candidate("g")
	k.vault.change(t, ref, func(d *connection.Document) {
		d.Intent = &connection.Intent{Attempt: "dead", Budget: budget, Presentations: tokenPresentations}
	})
	k.vault.advance(2 * budget)
	k.server.answers["/token"] = func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return true
	}
	_, err := k.a.spender.Renew(background, ref, "401")
	demand(t, err, connection.ErrReconnectRequired)
	if reason := k.vault.peek(ref).Rejected.Reason; reason == outcomeUnknown || k.server.count("/token") != 2 {
		t.Errorf("told %q after %d requests", reason, k.server.count("/token"))
	}
}

func TestFlows(t *testing.T) {
	k := newKinds(t)
	for method, want := range map[string]Flow{"password": FlowInput, "device": FlowDevice, "code": FlowBrowser, "signed": FlowBrowser, "session": FlowInput} {
		var values map[string]string // the address is the auth config's
		if want == FlowInput {
			values = k.values("username", "ada")
		}
		plan, err := Plan(k.catalogue, ConnectRequest{Connection: kindsID, Method: method, AuthConfig: "x", Values: values})
		if err != nil || plan.Flow != want {
			t.Errorf("%s: %+v, %v, want %s", method, plan, err, want)
		}
	}
	plan := &ConnectPlan{Flow: FlowInput, Secrets: []string{"password"}}
	plan.shareSecrets(connection.AuthConfig{Fields: map[string]connection.Secret{"password": connection.NewSecret("p")}})
	if plan.Flow != FlowAutomatic || len(plan.Secrets) != 0 {
		t.Errorf("shared: %+v", plan)
	}
}
