package connectors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"connectedapps/connection"
)

// SigV4 says what AWS Signature Version 4 is made of.
type SigV4 struct {
	Service Text `yaml:"service"`
	Region  Text `yaml:"region"`
	// AccessKey and SecretKey are "{access_key_id}" and "{secret_access_key}" when empty.
	AccessKey Text `yaml:"access_key"`
	SecretKey Text `yaml:"secret_key"`
	// SessionToken is left out when it has no value. "" is "{session_token}".
	SessionToken Text `yaml:"session_token"`
}

// sigV4Key is a signing key with its scope.
type sigV4Key struct {
	aws.Credentials
	service, region string
}

// injectSigV4 prepares the signature (AWS Identity and Access Management,
// "Create a signed AWS API request").
func (s Session) injectSigV4(out *injected) error {
	declared := s.Method.SigV4
	if declared == nil {
		return connection.Internal("a method of kind aws-sigv4 without sigv4")
	}
	lookup := s.lookup("")
	key := sigV4Key{}
	for _, part := range []struct {
		text, otherwise Text
		into            *string
	}{
		{declared.AccessKey, "{access_key_id}", &key.AccessKeyID},
		{declared.SecretKey, "{secret_access_key}", &key.SecretAccessKey},
		{declared.Service, "", &key.service},
		{declared.Region, "{region}", &key.region},
	} {
		if part.text == "" {
			part.text = part.otherwise
		}
		value, ok := part.text.expand(lookup)
		if !ok || value == "" {
			return s.incomplete()
		}
		*part.into = value
	}
	token := declared.SessionToken
	if token == "" {
		token = "{session_token}"
	}
	if value, ok := token.expand(lookup); ok {
		key.SessionToken = value
	}
	if slices.ContainsFunc([]byte(key.AccessKeyID+key.SessionToken+key.service+key.region), isControl) {
		return unauthorized("the credential stored for " + s.App.Name + " holds a control character")
	}
	out.secrets = append(out.secrets, key.SecretAccessKey, key.SessionToken)
	out.carry = func(_ *sent, next http.RoundTripper) http.RoundTripper {
		return &signing{next: next, sign: func(r *http.Request, body []byte) error { return key.sign(r, body, time.Now()) }}
	}
	return nil
}

// sign signs a request that is complete otherwise. The payload's hash is always
// sent: S3 and OpenSearch Serverless want it, and nobody minds.
func (k sigV4Key) sign(r *http.Request, body []byte, now time.Time) error {
	sum := sha256.Sum256(body)
	payload := hex.EncodeToString(sum[:])
	r.Header.Del("X-Amz-Security-Token") // only the signer sets it
	r.Header.Set("X-Amz-Content-Sha256", payload)
	// Servers sign the path as they would write it, whatever it looked like on the way.
	r.URL.RawPath = canonicalPath(r.URL.EscapedPath())
	// S3 signs the path as it is sent, everything else escapes it once more.
	asSent := strings.HasPrefix(k.service, "s3")
	return v4.NewSigner().SignHTTP(context.Background(), k.Credentials, r, payload, k.service, k.region, now,
		func(o *v4.SignerOptions) { o.DisableURIPathEscaping = asSent })
}

// canonicalPath escapes every byte of every segment but the unreserved ones.
func canonicalPath(escaped string) string {
	segments := strings.Split(escaped, "/")
	for i, segment := range segments {
		if plain, err := url.PathUnescape(segment); err == nil {
			segments[i] = escape(plain)
		}
	}
	return strings.Join(segments, "/")
}
