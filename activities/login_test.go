package activities

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

func TestAPasswordGrant(t *testing.T) {
	k := newKinds(t)
	if report := k.typed("password", "g", k.values("username", "ada@example.com"), "password", "pass-word", "pin", "12-34"); !report.Unfinished {
		t.Fatalf("stored %+v", report)
	}
	if held := k.vault.peek(k.candidate("g")); held.Login == nil || held.Credential.Fields["pin"].Empty() || held.Credential.Values["realm"] != "example.com" {
		t.Fatalf("candidate %+v", held.Document)
	}
	_, err := k.a.probe(background, k.candidate("g"))
	demand(t, err, connection.ErrConnectionPending)
	k.done("password", "g")
	k.done("password", "g") // run again
	if k.server.count("/token") != 1 || !strings.Contains(k.server.last("/token"), "scope=read") {
		t.Fatalf("%d token requests, %s", k.server.count("/token"), k.server.last("/token"))
	}
	held := k.vault.peek(k.candidate("g"))
	if held.Login != nil || !held.Credential.Fields["pin"].Empty() || held.Credential.Fields["password"].Empty() {
		t.Errorf("once input or password: %v", held.Credential.Fields)
	}
	fresh := k.adoptAndRenew("g")
	if !strings.Contains(k.server.last("/token"), "password=pass-word") || !strings.Contains(k.server.last("/token"), "scope=read") {
		t.Errorf("renewed with %s", k.server.last("/token"))
	}
	if fresh.Credential.Values["realm"] != "example.com" || held.Credential.Values["home"] != "c1.example" {
		t.Errorf("values %v", fresh.Credential.Values)
	}
	k.revokeNow(RevocationNotOffered)
}

func TestARefusedPasswordIsToldAsThat(t *testing.T) {
	k := newKinds(t)
	k.typed("password", "g", k.values("username", "ada@example.com"), "password", "pass-word")
	k.server.answers["/token"] = func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return true
	}
	_, err := k.advance("password", "g")
	demand(t, err, connection.ErrTestFailed)
}

func TestABudget(t *testing.T) {
	k := newKinds(t)
	k.typed("password", "g", k.values("username", "ada@example.com"), "password", "pass-word")
	k.done("password", "g")
	k.adoptAndRenew("g")
	generation := 2
	renew := func() error {
		stored, err := k.process().spender.Renew(background, connection.CredentialRef{Connection: kindsID, Grant: "g", Generation: generation}, "401")
		if err == nil {
			generation = stored.Generation
		}
		return err
	}
	for range 3 {
		if err := renew(); err != nil {
			t.Fatal(err)
		}
	}
	err := renew()
	demand(t, err, connection.ErrRateLimited)
	if p, _ := connection.AsProblem(err); p.RetryAfter < 9*time.Minute || p.RetryAfter > 10*time.Minute {
		t.Errorf("wait %s", p.RetryAfter)
	}
	if k.vault.peek(connection.CredentialRef{Connection: kindsID}).Intent != nil {
		t.Error("an intent stands although nothing is to be asked")
	}
	k.vault.advance(10 * time.Minute)
	if err := renew(); err != nil || k.server.count("/token") != 6 {
		t.Fatalf("%v, %d requests", err, k.server.count("/token"))
	}
}

func TestADevice(t *testing.T) {
	k := newKinds(t)
	begin := BeginDeviceInput{Connection: kindsID, Attempt: "g", Method: "device", AuthConfig: "device", Scopes: []string{"read"}, Values: k.values()}
	first, err := k.a.beginDevice(background, begin)
	if err != nil {
		t.Fatal(err)
	}
	again, err := k.a.beginDevice(background, begin)
	if err != nil || again.UserCode != first.UserCode || k.server.count("/device") != 1 {
		t.Fatalf("again %+v, %v: %d requests", again, err, k.server.count("/device"))
	}
	if first.UserCode != "WDJB-MJHT" || first.Lifetime < 14*time.Minute || first.VerificationURI == "" {
		t.Errorf("shown %+v", first)
	}
	poll := PollDeviceInput{Connection: kindsID, Attempt: "g", Method: "device", Scopes: []string{"read"}, Values: k.values()}
	k.server.pending = 2
	for range 2 {
		_, err := k.a.pollDevice(background, poll)
		demand(t, err, connection.ErrLookAgain)
		if p, _ := connection.AsProblem(err); p.RetryAfter != 7*time.Second {
			t.Errorf("next poll after %s", p.RetryAfter)
		}
	}
	report, err := k.a.pollDevice(background, poll)
	if err != nil || !report.Renewable || report.Unfinished {
		t.Fatalf("%+v, %v", report, err)
	}
	if len(k.vault.trials) != 0 {
		t.Error("the device code is still there")
	}
	asked := k.server.count("/token")
	if _, err := k.a.pollDevice(background, poll); err != nil || k.server.count("/token") != asked {
		t.Errorf("run again: %v, %d requests more", err, k.server.count("/token")-asked)
	}
	if at := k.vault.peek(k.candidate("g")).Credential.Values["token_endpoint"]; at != k.server.URL+"/token" {
		t.Errorf("token endpoint %q", at)
	}
	k.adoptAndRenew("g")
	k.told.others["u1"] = true
	k.revokeNow(RevocationShared)
	if k.server.count("/revoke") != 0 {
		t.Error("a shared grant was revoked")
	}
	delete(k.told.others, "u1")
	k.revokeNow(RevocationDone)
}

func TestADeviceThatIsAskedToSlowDown(t *testing.T) {
	k := newKinds(t)
	_, err := k.a.beginDevice(background, BeginDeviceInput{Connection: kindsID, Attempt: "g", Method: "device", AuthConfig: "device", Values: k.values()})
	if err != nil {
		t.Fatal(err)
	}
	in := PollDeviceInput{Connection: kindsID, Attempt: "g", Method: "device"}
	for _, told := range []time.Duration{20 * time.Second, 5 * time.Second} {
		held := k.vault.trials[kindsID.String()+"/g"]
		err := k.a.notYet(background, in, held.attempt, held.version, connection.LookAgain("slow down", told))
		if p, _ := connection.AsProblem(err); p.RetryAfter != 20*time.Second {
			t.Errorf("told %s, waits %s", told, p.RetryAfter)
		}
	}
	k.server.pending = 1
	k.vault.advance(16 * time.Minute)
	_, err = k.a.pollDevice(background, in)
	demand(t, err, connection.ErrAuthorizationFailed)
}

// authorized brings a code connect to where its callback has been redeemed.
func (k *kinds) authorized(grant, method string) (*StoredReport, error) {
	k.t.Helper()
	begun, err := k.a.beginAuthorization(background, BeginAuthorizationInput{Connection: kindsID, Attempt: grant, Method: method, AuthConfig: method,
		Scopes: []string{"read"}, Values: k.values()})
	if err != nil {
		k.t.Fatal(err)
	}
	if at, err := url.Parse(begun.URL); err != nil || at.Path != "/authorize" || begun.StateSHA256 != "" {
		k.t.Fatalf("begun %+v", begun)
	}
	return k.a.exchangeCode(background, ExchangeCodeInput{Connection: kindsID, Attempt: grant, Method: method, Inbox: k.vault.leave("code", "c"),
		Scopes: []string{"read"}, Values: k.values()})
}

func TestACodeWithSeveralTokensAndAChoice(t *testing.T) {
	k := newKinds(t)
	report, err := k.authorized("g", "code")
	if err != nil || !report.Unfinished {
		t.Fatalf("%+v, %v", report, err)
	}
	for range 2 { // the question stays, and is not asked of the app again
		offered, err := k.advance("code", "g")
		if err != nil || offered.Choices == nil || len(offered.Choices.Items) != 2 || offered.Choices.Title != "Which site?" {
			t.Fatalf("%+v, %v", offered, err)
		}
	}
	_, err = k.advance("code", "g", func(in *AdvanceLoginInput) { in.Choice = "s9" })
	demand(t, err, connection.ErrInvalidInput)
	for range 2 {
		k.done("code", "g", func(in *AdvanceLoginInput) { in.Choice = "s2" })
	}
	held := k.vault.peek(k.candidate("g"))
	if k.server.count("/api/sites") != 1 || k.server.count("/api/region") != 1 || held.Credential.Values["region"] != "region of s2" ||
		held.Credential.Values["client_id"] != "client" || k.server.count("/metadata") != 1 {
		t.Fatalf("asked %v, values %v", k.server.seen, held.Credential.Values)
	}
	if end := held.Credential.Earliest(); end.ExpiresAt != held.Credential.Tokens["bot"].ExpiresAt || end.ExpiresAt.IsZero() {
		t.Errorf("the earliest expiry is %s", end.ExpiresAt)
	}
	before := held.Credential.Tokens
	fresh := k.adoptAndRenew("g").Credential.Tokens
	for name := range before {
		if fresh[name].Access == before[name].Access || fresh[name].ExpiresAt.IsZero() {
			t.Errorf("%s was not renewed with the others", name)
		}
	}
	k.revokeNow(RevocationDone)
}

func TestATokenThatRenewsItself(t *testing.T) {
	k := newKinds(t)
	k.server.answers["/token"] = func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"at-0","expires_in":3600}`))
		return true
	}
	report, err := k.authorized("g", "self")
	if err != nil || !report.Renewable || report.Unfinished {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := k.a.adopt(background, AdoptInput{Ref: k.candidate("g"), Gate: connection.Gate{Status: connection.Active, Grant: "g"}}); err != nil {
		t.Fatal(err)
	}
	live := connection.CredentialRef{Connection: kindsID}
	_, err = k.a.refresh(background, live)
	demand(t, err, connection.ErrInvalidInput)
	stored := k.vault.peek(live)
	k.vault.advance(time.Hour - lead/2)
	x, err := k.a.access(background, stored, kindsID)
	if err != nil {
		t.Fatal(err)
	}
	if now := k.vault.peek(live); expiring(now, x) || planFor(now, rhythm{renewable: true, early: x.early(), renewal: x.method.Renewal(), seed: "s"}).refresh.Before(stored.Credential.Default().ExpiresAt) {
		t.Error("renewed while it is valid")
	}
	if got := fingerprint(x.spends()); got != fingerprint(connection.NewSecret("at-0")) {
		t.Errorf("fingerprint %q is not the access token's", got)
	}
	k.vault.advance(time.Minute)
	fresh, err := k.a.refresh(background, live)
	if err != nil || fresh.Ref.Generation != 2 || !strings.Contains(k.server.last("/renew"), "access_token=at-0") {
		t.Fatalf("%+v, %v, %s", fresh, err, k.server.last("/renew"))
	}
}

func TestOAuth1(t *testing.T) {
	k := newKinds(t)
	in := BeginAuthorizationInput{Connection: kindsID, Attempt: "g", Method: "signed", AuthConfig: "signed", Values: k.values()}
	begun, err := k.a.beginAuthorization(background, in)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(begun.URL)
	if err != nil {
		t.Fatal(err)
	}
	token := at.Query().Get("oauth_token")
	sum := sha256.Sum256([]byte(token))
	if token == "" || begun.StateSHA256 != hex.EncodeToString(sum[:]) {
		t.Fatalf("begun %+v", begun)
	}
	again, err := k.a.beginAuthorization(background, in)
	if err != nil || *again != *begun || k.server.count("/oauth1/request") != 1 {
		t.Fatalf("again %+v, %v", again, err)
	}
	exchange := ExchangeCodeInput{Connection: kindsID, Attempt: "g", Method: "signed", Values: k.values(),
		Inbox: k.vault.leave("oauth_token", token, "oauth_verifier", "verifier")}
	report, err := k.a.exchangeCode(background, exchange)
	if err != nil || report.Renewable {
		t.Fatalf("%+v, %v", report, err)
	}
	probed, err := k.a.probe(background, report.Ref)
	if err != nil || probed.Identity.Account != "u1" {
		t.Fatalf("%+v, %v", probed, err)
	}
	x, err := k.a.access(background, k.vault.peek(report.Ref), kindsID)
	if err != nil || x.session().Client.Secret.Reveal() != "client-secret-text" {
		t.Errorf("it signs without the client's secret: %v", err)
	}
	if sent := k.server.auths[len(k.server.auths)-1]; !strings.Contains(sent, `oauth_consumer_key="client"`) || !strings.Contains(sent, `oauth_token="token-`) {
		t.Errorf("signed with %s", sent)
	}
	if _, err := k.a.adopt(background, AdoptInput{Ref: report.Ref, Gate: connection.Gate{Status: connection.Active, Grant: "g"}}); err != nil {
		t.Fatal(err)
	}
	k.revokeNow(RevocationNotOffered)
}

func TestAnAnswerForAnotherAuthorizationIsRefused(t *testing.T) {
	k := newKinds(t)
	if _, err := k.a.beginAuthorization(background, BeginAuthorizationInput{Connection: kindsID, Attempt: "g", Method: "signed", AuthConfig: "signed", Values: k.values()}); err != nil {
		t.Fatal(err)
	}
	_, err := k.a.exchangeCode(background, ExchangeCodeInput{Connection: kindsID, Attempt: "g", Method: "signed", Values: k.values(),
		Inbox: k.vault.leave("oauth_token", "of-another", "oauth_verifier", "verifier")})
	demand(t, err, connection.ErrAuthorizationFailed)
	if k.server.count("/oauth1/token") != 0 {
		t.Error("it was presented")
	}
}

// asked brings a login to its question.
func (k *kinds) asked(grant string) {
	k.t.Helper()
	k.typed("session", grant, k.values("username", "ada"), "password", "pass-word", "hint", "hint-text")
	report, err := k.advance("session", grant)
	if err != nil || report.Question == nil || report.Question.Step != "code" || report.Question.Fields[0].Name != "otp" {
		k.t.Fatalf("%+v, %v", report, err)
	}
}

func answering(ref connection.InboxRef) func(*AdvanceLoginInput) {
	return func(in *AdvanceLoginInput) { in.Step, in.Inbox = "code", ref }
}

func TestALoginInSeveralSteps(t *testing.T) {
	k := newKinds(t)
	k.asked("g")
	wrong := k.vault.leave("otp", "000000")
	_, err := k.advance("session", "g", answering(wrong))
	demand(t, err, connection.ErrInvalidInput)
	if p, _ := connection.AsProblem(err); p.Field != "otp" || strings.Contains(p.Message, "000000") {
		t.Errorf("told %+v", p)
	}
	if _, left := k.vault.inbox[wrong]; left {
		t.Error("the refused code is still in the inbox")
	}
	if held := k.vault.peek(k.candidate("g")); held.Login.Step != "code" || !held.Credential.Fields["otp"].Empty() {
		t.Fatalf("after a refusal: %+v, %v", held.Login, held.Credential.Fields)
	}
	report, err := k.advance("session", "g") // asked again, and nothing sent for it
	if err != nil || report.Question == nil || k.server.count("/login") != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	right := answering(k.vault.leave("otp", "123456"))
	k.done("session", "g", right)
	k.done("session", "g", right)
	if len(k.vault.inbox) != 0 {
		t.Error("the inbox is not empty")
	}
	held := k.vault.peek(k.candidate("g")).Credential
	if len(held.Fields) != 1 || held.Values["cluster"] != "eu1" || held.Tokens["session"].ExpiresAt.IsZero() {
		t.Errorf("fields %v, values %v", held.Fields, held.Values)
	}
	if got := []int{k.server.count("/login"), k.server.count("/confirm"), k.server.count("/open")}; got[0] != 1 || got[1] != 2 || got[2] != 1 {
		t.Errorf("login, confirm, open: %v", got)
	}
	fresh := k.adoptAndRenew("g").Credential
	if k.server.count("/login") != 1 || k.server.count("/open") != 2 || fresh.Tokens["session"].Access == held.Tokens["session"].Access {
		t.Errorf("renewed by %v", k.server.seen)
	}
	if fresh.Earliest().ExpiresAt != fresh.Tokens["session"].ExpiresAt || !fresh.Tokens["trust"].ExpiresAt.IsZero() {
		t.Error("what a renewal does not bring decides when the next one is due")
	}
	k.revokeNow(RevocationDone)
	if !strings.Contains(k.server.last("/close"), fresh.Tokens["session"].Access.Reveal()) {
		t.Errorf("closed %s", k.server.last("/close"))
	}
}

// A process dies right after a request was answered, before its outcome is stored,
// and the next one goes on.
func TestACrashBetweenSteps(t *testing.T) {
	want := map[string]map[string]int{ // requests in all, with the one that is sent again
		"/login":   {"/login": 2, "/confirm": 1, "/open": 1},
		"/confirm": {"/login": 1, "/confirm": 2, "/open": 1},
		"/open":    {"/login": 1, "/confirm": 1, "/open": 2},
	}
	for at, counts := range want {
		t.Run(at, func(t *testing.T) {
			k := newKinds(t)
			if at == "/login" {
				k.typed("session", "g", k.values("username", "ada"), "password", "pass-word")
				k.crashAfter(at)
				gone(func() { _, _ = k.advance("session", "g") })
				k.vault.faults(nil, nil, nil)
				if report, err := k.advance("session", "g"); err != nil || report.Question == nil {
					t.Fatalf("%+v, %v", report, err)
				}
			} else {
				k.asked("g")
			}
			answer := answering(k.vault.leave("otp", "123456"))
			if at != "/login" {
				k.crashAfter(at)
				gone(func() { _, _ = k.advance("session", "g", answer) })
				k.vault.faults(nil, nil, nil)
			}
			k.a = k.process()
			k.done("session", "g", answer)
			for path, n := range counts {
				if k.server.count(path) != n {
					t.Errorf("%s was asked %d times, want %d", path, k.server.count(path), n)
				}
			}
		})
	}
}

// What was had from the app is stored although Vault is away for a moment.
func TestAStepOutlastsVault(t *testing.T) {
	k := newKinds(t)
	k.asked("g")
	away := 3
	k.vault.faults(nil, func(connection.Document) error {
		if k.server.count("/confirm") > 0 && away > 0 {
			away--
			return errAway
		}
		return nil
	}, nil)
	k.done("session", "g", answering(k.vault.leave("otp", "123456")))
	if k.server.count("/confirm") != 1 || away != 0 {
		t.Errorf("confirmed %d times, away %d", k.server.count("/confirm"), away)
	}
}

func TestAWriteOfALoginThatWasLost(t *testing.T) {
	k := newKinds(t)
	k.asked("g")
	k.vault.faults(nil, nil, func(connection.Document) error { return errLost })
	k.done("session", "g", answering(k.vault.leave("otp", "123456")))
	if k.server.count("/confirm") != 1 || k.server.count("/open") != 1 {
		t.Errorf("asked %v", k.server.seen)
	}
}

func TestAnUnfinishedLoginIsNotAdopted(t *testing.T) {
	k := newKinds(t)
	k.asked("g")
	_, err := k.a.adopt(background, AdoptInput{Ref: k.candidate("g"), Gate: connection.Gate{Status: connection.Active, Grant: "g"}})
	demand(t, err, connection.ErrConnectionPending)
	report, err := k.a.discardAttempts(background, DiscardInput{Connection: kindsID})
	if err != nil || len(report.Candidates) != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
}
