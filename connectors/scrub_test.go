package connectors

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"connectedapps/connection"
)

// leaks lists the ways a text gives a secret away.
func leaks(text, secret string) []string {
	var found []string
	for name, form := range map[string]string{
		"raw": secret, "query": url.QueryEscape(secret), "path": url.PathEscape(secret), "hex": hex.EncodeToString([]byte(secret)),
		"base64": base64.StdEncoding.EncodeToString([]byte(secret)), "beginning": secret[:12],
	} {
		if strings.Contains(text, form) {
			found = append(found, name)
		}
	}
	for offset := range 3 {
		decoded := text
		for _, word := range strings.FieldsFunc(decoded, func(r rune) bool { return strings.ContainsRune(" .,:;\"'<>{}", r) }) {
			plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(word, "="))
			if err == nil && strings.Contains(string(plain), secret) {
				found = append(found, fmt.Sprintf("base64 at %d", offset))
			}
		}
	}
	return found
}

const canary = `CANARY+secret/"quoted" token=0123456789`

func echoes(secret string) []string {
	return []string{
		"the token " + secret + " is bad",
		"token=" + url.QueryEscape(secret) + "&x",
		"/path/" + url.PathEscape(secret),
		fmt.Sprintf(`{"token":%q}`, secret),
		hex.EncodeToString([]byte(secret)) + " " + strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"Basic " + base64.StdEncoding.EncodeToString([]byte(secret)),
		"Basic " + base64.StdEncoding.EncodeToString([]byte("u:"+secret)),
		"Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+secret+":more")),
		base64.URLEncoding.EncodeToString([]byte("x" + secret)),
		"shortened " + secret[:20] + "…",
	}
}

func TestScrubbing(t *testing.T) {
	s := newScrubber(canary)
	for _, words := range echoes(canary) {
		if found := leaks(s.text(words), canary); found != nil {
			t.Errorf("%q leaks %v", s.text(words), found)
		}
		if found := leaks((&scrubber{}).text(words), canary); found == nil {
			t.Errorf("the check finds nothing in %q, so it proves nothing", words)
		}
	}
}

// A password of several words, quoted with other white space than its own, is found on
// the one line that is shown; so is a key of several lines.
func TestSecretsWithSpacesAreScrubbed(t *testing.T) {
	for _, test := range []struct{ secret, words, hides string }{
		{"correct horse battery staple", "refused: correct\nhorse  battery\tstaple", "horse"},
		{"correct  horse\tbattery staple", "refused: correct horse battery staple", "horse"},
		{"-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\n-----END KEY-----", "refused: -----BEGIN KEY----- MIIEpAIBAAKCAQEA -----END KEY-----", "MIIE"},
	} {
		if got := newScrubber(test.secret).text(test.words); strings.Contains(got, test.hides) {
			t.Errorf("%q", got)
		}
		if got := newScrubber().text(test.words); !strings.Contains(got, test.hides) {
			t.Errorf("%q proves nothing", got)
		}
	}
}

func TestProviderTextIsBounded(t *testing.T) {
	got := newScrubber().text(strings.Repeat("é\n", 1000))
	if len(got) > maxProviderText+len("…") || strings.Contains(got, "\n") {
		t.Errorf("%d bytes", len(got))
	}
}

// A provider that quotes what it was sent, on every way a request can go.
func TestErrorsKeepSecrets(t *testing.T) {
	clientSecret, code, verifier := "CANARY-client-secret-01", "CANARY-authorization-code-02", "CANARY-code-verifier-03"
	secrets := []string{clientSecret, code, verifier, canary}
	client := Client{ID: "id", Secret: connection.NewSecret(clientSecret)}
	values := map[string]string{"base_url": "https://provider.example"}
	m := methodOf(t, "sandbox", "oauth")
	credential := connection.Credential{Tokens: map[string]connection.Token{connection.DefaultToken: {
		Access: connection.NewSecret(canary), Refresh: connection.NewSecret(canary)}}}
	var all []string
	for _, secret := range secrets {
		all = append(all, echoes(secret)...)
	}
	for _, status := range []int{200, 400, 401, 403, 429, 500} {
		for _, words := range all {
			p := answering(status, fmt.Sprintf(`{"error":"invalid_grant","error_description":%q}`, words))
			_, exchange := m.ExchangeCode(context.Background(), p.client(), ExchangeInput{Client: client, Values: values,
				Code: connection.NewSecret(code), Verifier: connection.NewSecret(verifier)})
			_, refreshed := m.Refresh(context.Background(), p.client(), RefreshInput{Client: client, Values: values,
				Refresh: connection.NewSecret(canary), Previous: connection.Credential{Fields: map[string]connection.Secret{
					"a": connection.NewSecret(code), "b": connection.NewSecret(verifier)}}})
			for name, err := range map[string]error{"exchange": exchange, "refresh": refreshed} {
				text := fmt.Sprintf("%+v %#v %v", err, err, problemOf(t, err).Temporal())
				own := []string{clientSecret, code, verifier}
				if name == "refresh" {
					own = secrets
				}
				for _, secret := range own {
					if found := leaks(text, secret); found != nil {
						t.Fatalf("%s, %d, %q: %s leaks %v", name, status, words, text, found)
					}
				}
			}
		}
	}
	s := sessionOf(t, "sandbox", "oauth")
	s.Credential = credential
	for _, words := range echoes(canary) {
		_, err := s.Call(context.Background(), answering(422, fmt.Sprintf(`{"error":{"message":%q}}`, words)).client(), s.mustAction(t, "whoami"), CallInput{})
		if found := leaks(fmt.Sprintf("%+v %#v", err, err), canary); found != nil {
			t.Errorf("call: %v leaks %v", err, found)
		}
	}
}

// An API that answers with what it was sent does not bring the credential into a result.
func TestResultsKeepSecrets(t *testing.T) {
	s := sessionOf(t, "sandbox", "basic")
	pair := base64.StdEncoding.EncodeToString([]byte("value-of-username:secret-of-password"))
	result, err := s.Call(context.Background(), answering(200, `{"id":"1","authorization":"Basic `+pair+`"}`).client(), s.mustAction(t, "whoami"), CallInput{})
	if err != nil {
		t.Fatal(err)
	}
	if found := leaks(string(result.Data), "secret-of-password"); found != nil {
		t.Errorf("%s leaks %v", result.Data, found)
	}
}

// The URL of a request that failed may hold a key of the query.
func TestNetworkErrorsKeepTheURL(t *testing.T) {
	s := sessionOf(t, "sandbox", "api-key-query")
	p := broken(fmt.Errorf("dial tcp: the URL was https://x/?api_key=secret-of-api_key"))
	_, err := s.Call(context.Background(), p.client(), s.mustAction(t, "whoami"), CallInput{})
	if found := leaks(fmt.Sprintf("%+v", err), "secret-of-api_key"); found != nil || len(p.asked) != 1 || !strings.Contains(p.asked[0], "secret-of-api_key") {
		t.Errorf("%v leaks %v; asked %v", err, found, p.asked)
	}
}
