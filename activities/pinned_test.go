package activities

import (
	"encoding/json"
	"net/http"
	"testing"
)

// An authorization server's description that changes between the beginning and the callback sends the code, and its
// verifier, nowhere else: the endpoints are those that were kept when the person was sent off. What is begun after the
// change goes where the new description says, so that it would have been asked.
func TestEndpointsAreThoseOfTheBeginning(t *testing.T) {
	k, other := newKinds(t), newManyWays(t)
	begin := BeginAuthorizationInput{Connection: kindsID, Attempt: "g", Method: "code", AuthConfig: "code", Scopes: []string{"read"}, Values: k.values()}
	begun, err := k.a.beginAuthorization(background, begin)
	if err != nil {
		t.Fatal(err)
	}
	k.server.mu.Lock()
	k.server.answers["/metadata"] = func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": k.server.URL, "token_endpoint": other.URL + "/token", "authorization_endpoint": other.URL + "/authorize"})
		return true
	}
	k.server.mu.Unlock()
	k.a = k.process() // nothing is remembered but what was stored
	if again, err := k.a.beginAuthorization(background, begin); err != nil || *again != *begun {
		t.Errorf("the person is sent elsewhere: %+v, %v", again, err)
	}
	if _, err := k.a.exchangeCode(background, ExchangeCodeInput{Connection: kindsID, Attempt: "g", Method: "code", Inbox: k.vault.leave("code", "c"),
		Scopes: []string{"read"}, Values: k.values()}); err != nil {
		t.Fatal(err)
	}
	if own, elsewhere := k.server.count("/token"), other.count("/token"); own != 1 || elsewhere != 0 {
		t.Errorf("the code was presented %d times where it was begun, %d times elsewhere", own, elsewhere)
	}
	if at := k.vault.peek(k.candidate("g")).Credential.Values["token_endpoint"]; at != k.server.URL+"/token" {
		t.Errorf("it will be renewed at %s", at)
	}
	if n := k.server.count("/metadata"); n != 1 {
		t.Errorf("the description was read %d times", n)
	}
	if _, err := k.authorized("h", "code"); err != nil {
		t.Fatal(err)
	}
	if n := other.count("/token"); n != 1 {
		t.Errorf("what was begun after the change asked the new endpoint %d times, so this test proves nothing", n)
	}
}
