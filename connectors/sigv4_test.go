package connectors

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"connectedapps/connection"
)

// The examples of "Authenticating Requests: Using the Authorization Header" in
// the Amazon S3 API Reference.
func TestSigV4Examples(t *testing.T) {
	key := sigV4Key{Credentials: aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, service: "s3", region: "us-east-1"}
	now := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		method, url, body string
		header            http.Header
		want              string
	}{
		{"GET", "/test.txt", "", http.Header{"Range": {"bytes=0-9"}}, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
		{"GET", "/?lifecycle", "", nil, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
		{"GET", "/?max-keys=2&prefix=J", "", nil, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	} {
		r, err := http.NewRequest(test.method, "https://examplebucket.s3.amazonaws.com"+test.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(r.Header, test.header)
		if err := key.sign(r, []byte(test.body), now); err != nil || !strings.HasSuffix(r.Header.Get("Authorization"), "Signature="+test.want) {
			t.Errorf("%s: %v %s", test.url, err, r.Header.Get("Authorization"))
		}
	}
}

// recomputeSigV4 signs what a server got, without the library that signed it.
func recomputeSigV4(r *http.Request, body, secret string) (want, got string) {
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	sum := func(text string) string {
		h := sha256.Sum256([]byte(text))
		return hex.EncodeToString(h[:])
	}
	header := r.Header.Get("Authorization")
	part := func(name string) string {
		_, rest, _ := strings.Cut(header, name+"=")
		text, _, _ := strings.Cut(rest, ",")
		return text
	}
	scope := strings.SplitN(part("Credential"), "/", 2)[1]
	day, rest, _ := strings.Cut(scope, "/")
	region, rest, _ := strings.Cut(rest, "/")
	service, _, _ := strings.Cut(rest, "/")
	var headers strings.Builder
	for name := range strings.SplitSeq(part("SignedHeaders"), ";") {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = r.Header.Get("Content-Length")
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	query := r.URL.Query()
	var pairs []string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, escape(name)+"="+escape(value))
		}
	}
	slices.Sort(pairs)
	path, _, _ := strings.Cut(r.RequestURI, "?")
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if plain, _ := url.PathUnescape(segment); service == "s3" {
			segments[i] = escape(plain)
		} else {
			segments[i] = escape(escape(plain))
		}
	}
	canonical := strings.Join([]string{r.Method, strings.Join(segments, "/"), strings.Join(pairs, "&"), headers.String(), part("SignedHeaders"), sum(body)}, "\n")
	signing := mac(mac(mac(mac([]byte("AWS4"+secret), day), region), service), "aws4_request")
	return hex.EncodeToString(mac(signing, strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope, sum(canonical)}, "\n"))), part("Signature")
}

func TestSigV4(t *testing.T) {
	fields := map[string]string{"access_key_id": "AKID", "secret_access_key": "CANARY-secret", "session_token": "CANARY-session"}
	for _, service := range []Text{"s3", "execute-api"} {
		server := recording(t, nil)
		s := sessionWith(server.URL, Method{Kind: connection.SigV4, SigV4: &SigV4{Service: service}}, fields)
		s.Values["region"] = "eu-west-1"
		s.App.Headers = map[string]Text{"X-Amz-Security-Token": "forged", "X-App": "  two   spaces "}
		for _, a := range []*Action{
			made(Request{Method: "GET", Path: "/{bucket}/{+key}", Query: map[string]Text{"b": "x y", "a": "ü/+"}}),
			made(Request{Method: "PUT", Path: "/{bucket}/{+key}", Body: &Body{From: "body"}}),
			made(Request{Method: "GET"}),
		} {
			if err := s.callMade(t, a, `{"bucket":"a b:c=d","key":"e=f/g+h(1)*'é","body":{"n":1}}`); err != nil {
				t.Fatal(err)
			}
			last := len(server.asked) - 1
			asked := server.asked[last]
			asked.Header.Set("Content-Length", "7")
			if want, got := recomputeSigV4(asked, server.bodies[last], "CANARY-secret"); want != got {
				t.Errorf("%s %s: %s", service, asked.RequestURI, asked.Header.Get("Authorization"))
			}
			if asked.Header.Get("X-Amz-Security-Token") != "CANARY-session" || !strings.Contains(asked.Header.Get("Authorization"), "x-amz-security-token") ||
				!strings.Contains(asked.Header.Get("Authorization"), "x-amz-content-sha256") || !strings.Contains(asked.Header.Get("Authorization"), "x-app") {
				t.Error(asked.Header)
			}
		}
		if got := server.asked[0].URL.Path; got != "/a b:c=d/e=f/g+h(1)*'é" {
			t.Error("the path has changed: " + got)
		}
		if strings.Contains(server.everything(), "CANARY-secret") {
			t.Error("the secret key was sent")
		}
	}
}

func TestSigV4Incomplete(t *testing.T) {
	server := recording(t, nil)
	m := Method{Kind: connection.SigV4, SigV4: &SigV4{Service: "s3", Region: "r"}}
	get := made(Request{Method: "GET"})
	for _, fields := range []map[string]string{
		{"access_key_id": "AKID"}, {"secret_access_key": "CANARY"}, {"access_key_id": "A\r\nB: c", "secret_access_key": "CANARY"},
	} {
		if problem := problemOf(t, sessionWith(server.URL, m, fields).callMade(t, get, `{}`)); problem.Type != connection.ErrReconnectRequired || len(server.asked) > 0 {
			t.Errorf("%v: %+v", fields, problem)
		}
	}
	s := sessionWith(server.URL, m, map[string]string{"access_key_id": "AKID", "secret_access_key": "CANARY"})
	s.App.Headers = map[string]Text{"X-Amz-Security-Token": "forged"}
	if err := s.callMade(t, get, `{}`); err != nil || server.asked[0].Header.Get("X-Amz-Security-Token") != "" {
		t.Errorf("%v %v", err, server.asked[0].Header)
	}
}
