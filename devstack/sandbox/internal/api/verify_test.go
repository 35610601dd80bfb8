package api

import (
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"crypto/sha256"
)

// The examples of RFC 7616 section 3.9.1.
func TestDigestResponseOfTheRFC(t *testing.T) {
	fields := map[string]string{
		"username": "Mufasa", "realm": "http-auth@example.org", "uri": "/dir/index.html", "qop": "auth", "nc": "00000001",
		"nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	}
	for algorithm, want := range map[string]string{
		"MD5":     "8ca523f5e9506fed4657c9700eebdbec",
		"SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		fields["algorithm"] = algorithm
		if got, known := digestResponse(http.MethodGet, fields, "Circle of Life"); !known || got != want {
			t.Errorf("%s: %s", algorithm, got)
		}
	}
	fields["algorithm"] = "MD5-sess"
	if _, known := digestResponse(http.MethodGet, fields, "Circle of Life"); known {
		t.Error("an algorithm that is not offered is taken")
	}
}

// "get-vanilla" and "get-vanilla-query-order-key-case" of AWS's Signature Version 4 test suite.
func TestSigV4OfTheTestSuite(t *testing.T) {
	empty := sha256.Sum256(nil)
	for address, want := range map[string]string{
		"https://example.amazonaws.com/":                             "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"https://example.amazonaws.com/?Param2=value2&Param1=value1": "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
	} {
		r, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Date", "20150830T123600Z")
		signature := sigV4{date: "20150830", region: "us-east-1", service: "service", headers: []string{"host", "x-amz-date"}}
		if got := signature.sign(r, hex.EncodeToString(empty[:]), "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}

// What a signature must cover, and when it is good.
func TestSigV4IsStrict(t *testing.T) {
	now := time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC)
	const secret = "the-secret"
	body := []byte(`{"a":1}`)
	sum := sha256.Sum256(body)
	good := func() (*http.Request, sigV4) {
		r, err := http.NewRequest(http.MethodPost, "http://sandbox.test/api/v1/contacts?b=2&a=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Date", now.Format(sigV4Time))
		r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
		return r, sigV4{date: now.Format("20060102"), region: "eu-west-1", service: sigV4Service, headers: []string{"host", "x-amz-content-sha256", "x-amz-date"}}
	}
	sign := func(r *http.Request, s sigV4) sigV4 {
		s.signature = s.sign(r, hex.EncodeToString(sum[:]), secret)
		return s
	}
	if r, s := good(); !sign(r, s).matches(r, body, secret, now) {
		t.Fatal("a good signature is refused")
	}
	for name, broken := range map[string]func() bool{
		"another secret": func() bool { r, s := good(); return sign(r, s).matches(r, body, "other", now) },
		"another body":   func() bool { r, s := good(); return sign(r, s).matches(r, []byte(`{"a":2}`), secret, now) },
		"a body that is not the declared one": func() bool {
			r, s := good()
			r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(make([]byte, 32)))
			return sign(r, s).matches(r, body, secret, now)
		},
		"another query": func() bool {
			r, s := good()
			s = sign(r, s)
			r.URL.RawQuery = "a=1&b=3"
			return s.matches(r, body, secret, now)
		},
		"another path": func() bool {
			r, s := good()
			s = sign(r, s)
			r.URL.Path = "/api/v1/keys"
			return s.matches(r, body, secret, now)
		},
		"another method": func() bool {
			r, s := good()
			s = sign(r, s)
			r.Method = http.MethodDelete
			return s.matches(r, body, secret, now)
		},
		"another service": func() bool { r, s := good(); s.service = "s3"; return sign(r, s).matches(r, body, secret, now) },
		"another day":     func() bool { r, s := good(); s.date = "20310503"; return sign(r, s).matches(r, body, secret, now) },
		"too old": func() bool {
			r, s := good()
			return sign(r, s).matches(r, body, secret, now.Add(sigV4Skew+time.Second))
		},
		"of the future": func() bool {
			r, s := good()
			return sign(r, s).matches(r, body, secret, now.Add(-sigV4Skew-time.Second))
		},
		"the host not covered": func() bool {
			r, s := good()
			s.headers = []string{"x-amz-content-sha256", "x-amz-date"}
			return sign(r, s).matches(r, body, secret, now)
		},
		"the date not covered": func() bool {
			r, s := good()
			s.headers = []string{"host"}
			return sign(r, s).matches(r, body, secret, now)
		},
	} {
		if broken() {
			t.Errorf("%s: accepted", name)
		}
	}
}
