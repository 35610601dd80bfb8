package oauth1

import (
	"encoding/base64"
	"net/http"
	"testing"
)

// The example of RFC 5849 section 1.2, and the base string of section 3.4.1.1.
func TestSignatureOfTheRFC(t *testing.T) {
	r, err := http.NewRequest(http.MethodGet, "http://photos.example.net/photos?file=vacation.jpg&size=original", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", `OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk",
		oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131202", oauth_nonce="chapoH", oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"`)
	given, err := parametersOf(r)
	if err != nil {
		t.Fatal(err)
	}
	base := baseString(r, "http://photos.example.net", nil, given)
	if got := base64.StdEncoding.EncodeToString(sign(base, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00")); got != given["oauth_signature"] {
		t.Errorf("%s of %s", got, base)
	}

	r, err = http.NewRequest(http.MethodPost, "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	base = baseString(r, "http://example.com", []byte("c2&a3=2+q"), parameters{"oauth_consumer_key": "9djdj82h48djs9d2", "oauth_token": "kkk9d7dh3k39sjv7",
		"oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": "137131201", "oauth_nonce": "7d8f3e4a", "oauth_signature": "left out"})
	want := "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26" +
		"oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26" +
		"oauth_token%3Dkkk9d7dh3k39sjv7"
	if base != want {
		t.Errorf("base string\n%s, want\n%s", base, want)
	}
}

func TestParametersAreStrict(t *testing.T) {
	for name, header := range map[string]string{
		"twice":     `OAuth oauth_nonce="a", oauth_nonce="b"`,
		"unquoted":  `OAuth oauth_nonce=a`,
		"no scheme": `oauth_nonce="a"`,
		"escape":    `OAuth oauth_nonce="%zz"`,
	} {
		r, _ := http.NewRequest(http.MethodGet, "http://x.test/", nil)
		r.Header.Set("Authorization", header)
		if _, err := parametersOf(r); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	r, _ := http.NewRequest(http.MethodGet, "http://x.test/?oauth_token=other", nil)
	r.Header.Set("Authorization", `OAuth oauth_nonce="a"`)
	if _, err := parametersOf(r); err == nil {
		t.Error("a second oauth_token in the query is accepted")
	}
}
