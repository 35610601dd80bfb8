package activities

import (
	"strings"
	"testing"

	"connectedapps/connection"
)

// RFC 9207: the issuer that an answer names, or does not, against what the server's description promised. An answer
// from elsewhere is not presented to the token endpoint, and what it says of an error is not repeated.
func TestIssuerOfAnAnswer(t *testing.T) {
	const other = "https://elsewhere.example"
	for name, test := range map[string]struct {
		advertised, present, foreign bool
		taken                        bool
	}{
		"advertised and named":                  {advertised: true, present: true, taken: true},
		"advertised and another named":          {advertised: true, present: true, foreign: true},
		"advertised and none named":             {advertised: true},
		"not advertised and named all the same": {present: true, taken: true},
		"not advertised and another named":      {present: true, foreign: true},
		"not advertised and none named":         {taken: true},
	} {
		for _, answer := range []string{"code", "error"} {
			t.Run(name+", "+answer, func(t *testing.T) {
				k := newKinds(t)
				k.server.namesItself = test.advertised
				in := BeginAuthorizationInput{Connection: kindsID, Attempt: "g", Method: "code", AuthConfig: "code", Values: k.values()}
				if _, err := k.a.beginAuthorization(background, in); err != nil {
					t.Fatal(err)
				}
				issuer := ""
				switch {
				case test.foreign:
					issuer = other
				case test.present:
					issuer = k.server.URL
				}
				left := k.vault.leave(answer, map[string]string{"code": "c", "error": "access_denied"}[answer])
				_, err := k.a.exchangeCode(background, ExchangeCodeInput{Connection: kindsID, Attempt: "g", Method: "code", Inbox: left,
					Issuer: issuer, Values: k.values()})
				presented := k.server.count("/token")
				switch {
				case !test.taken:
					demand(t, err, connection.ErrAuthorizationFailed)
					if presented != 0 || strings.Contains(err.Error(), "declined") || !strings.Contains(err.Error(), "authorization server that was asked") {
						t.Errorf("presented %d times, told %v", presented, err)
					}
				case answer == "error":
					demand(t, err, connection.ErrAuthorizationFailed)
					if !strings.Contains(err.Error(), "declined") {
						t.Errorf("told %v", err)
					}
				case err != nil || presented != 1:
					t.Errorf("presented %d times, %v", presented, err)
				}
			})
		}
	}
}
