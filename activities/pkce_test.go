package activities

import (
	"net/url"
	"testing"

	"golang.org/x/oauth2"
)

// RFC 7636: each attempt has a verifier of its own, only its S256 challenge travels, and it is what the code is
// redeemed with. An attempt that is begun twice, by a retry, stays the same.
func TestEachAttemptHasItsOwnVerifier(t *testing.T) {
	k := newKinds(t)
	seen := map[string]string{}
	for _, attempt := range []string{"one", "two"} {
		var first string
		for range 2 {
			begun, err := k.a.beginAuthorization(background, BeginAuthorizationInput{Connection: kindsID, Attempt: attempt, Method: "code", AuthConfig: "code", Values: k.values()})
			if err != nil {
				t.Fatal(err)
			}
			if first != "" && begun.URL != first {
				t.Errorf("%s was begun as %s and then as %s", attempt, first, begun.URL)
			}
			first = begun.URL
		}
		kept, _, _, err := k.a.Attempts.Read(background, kindsID, attempt)
		if err != nil {
			t.Fatal(err)
		}
		verifier := kept.Verifier.Reveal()
		at, err := url.Parse(first)
		if err != nil {
			t.Fatal(err)
		}
		if query := at.Query(); len(verifier) < 43 || query.Get("code_challenge_method") != "S256" || query.Get("code_challenge") != oauth2.S256ChallengeFromVerifier(verifier) {
			t.Errorf("%s: %v", attempt, query)
		}
		if other, taken := seen[verifier]; taken {
			t.Errorf("%s has the verifier of %s", attempt, other)
		}
		seen[verifier] = attempt
		if _, err := k.a.exchangeCode(background, ExchangeCodeInput{Connection: kindsID, Attempt: attempt, Method: "code", Inbox: k.vault.leave("code", "c"), Values: k.values()}); err != nil {
			t.Fatal(err)
		}
		if sent, _ := url.ParseQuery(k.server.last("/token")); sent.Get("code_verifier") != verifier {
			t.Errorf("%s was redeemed with %q", attempt, sent.Get("code_verifier"))
		}
	}
}
