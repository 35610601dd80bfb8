package connectors

import (
	"crypto/rand"
	"crypto/rsa"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dghubble/oauth1"

	"connectedapps/connection"
)

// oauth1Key is what requests are signed with (RFC 5849 section 3.4).
type oauth1Key struct {
	consumer, token, secret, realm string
	oauth1.Signer
}

// rsa reports whether the signature is made with a private key, and a token's secret plays no part.
func (k oauth1Key) rsa() bool {
	_, ok := k.Signer.(*oauth1.RSASigner)
	return ok
}

// oauth1Key is the consumer's part of the key.
func (s Session) oauth1Key() (oauth1Key, error) {
	declared := s.Method.OAuth1
	if declared == nil {
		return oauth1Key{}, connection.Internal("a method of kind oauth1 without oauth1")
	}
	client := s.Client.known(s.Values, s.Credential.Fields)
	key := oauth1Key{consumer: client.ID}
	key.realm, _ = Text(declared.Realm).expand(s.lookup(""))
	if key.consumer == "" {
		return key, clientMisconfigured("the auth config has no consumer key", 0)
	}
	switch declared.Signature {
	case "RSA-SHA1":
		text := declared.PrivateKey
		if text == "" {
			text = "{private_key}"
		}
		pem, _ := text.expand(s.lookup(""))
		signer, err := privateKey(pem)
		private, ok := signer.(*rsa.PrivateKey)
		if err != nil || !ok {
			return key, clientMisconfigured("the private key of the auth config is no RSA key in PEM", 0)
		}
		key.Signer = &oauth1.RSASigner{PrivateKey: private}
	case "HMAC-SHA256":
		key.Signer = &oauth1.HMAC256Signer{ConsumerSecret: client.Secret.Reveal()}
	default:
		key.Signer = &oauth1.HMACSigner{ConsumerSecret: client.Secret.Reveal()}
	}
	return key, nil
}

// injectOAuth1 prepares the signature of API requests. The token is the token
// set "default" and its secret the set "secret", or the inputs token and
// token_secret of a method that asks for them.
func (s Session) injectOAuth1(out *injected) error {
	key, err := s.oauth1Key()
	if err != nil {
		return err
	}
	first := func(set, field string) string {
		if access := s.Credential.Tokens[set].Access; !access.Empty() {
			return access.Reveal()
		}
		return s.Credential.Fields[field].Reveal()
	}
	key.token, key.secret = first(connection.DefaultToken, "token"), first(secretToken, "token_secret")
	if key.token == "" || key.secret == "" && !key.rsa() {
		return s.incomplete()
	}
	out.carry = func(_ *sent, next http.RoundTripper) http.RoundTripper {
		return &signing{next: next, sign: func(r *http.Request, body []byte) error { return key.sign(r, body, nil, time.Now()) }}
	}
	return nil
}

// sign puts the signature into the Authorization header (RFC 5849 section 3.5.1).
func (k oauth1Key) sign(r *http.Request, body []byte, further map[string]string, now time.Time) error {
	params := map[string]string{
		"oauth_consumer_key": k.consumer, "oauth_nonce": rand.Text(), "oauth_signature_method": k.Name(),
		"oauth_timestamp": strconv.FormatInt(now.Unix(), 10), "oauth_version": "1.0",
	}
	if k.token != "" {
		params["oauth_token"] = k.token
	}
	for name, value := range further {
		if value != "" {
			params[name] = value
		}
	}
	signature, err := k.Sign(k.secret, signatureBase(r, body, params))
	if err != nil {
		return err
	}
	params["oauth_signature"] = signature
	fields := make([]string, 0, len(params)+1)
	for name, value := range params {
		fields = append(fields, oauth1.PercentEncode(name)+`="`+oauth1.PercentEncode(value)+`"`)
	}
	slices.Sort(fields)
	if k.realm != "" {
		fields = append([]string{`realm="` + oauth1.PercentEncode(k.realm) + `"`}, fields...)
	}
	r.Header.Set("Authorization", "OAuth "+strings.Join(fields, ", "))
	return nil
}

// signatureBase is the signature base string (RFC 5849 section 3.4.1). The
// library's own keeps one value of each parameter, and a list has several.
func signatureBase(r *http.Request, body []byte, params map[string]string) string {
	var pairs [][2]string
	add := func(name, value string) {
		pairs = append(pairs, [2]string{oauth1.PercentEncode(name), oauth1.PercentEncode(value)})
	}
	sources := []url.Values{r.URL.Query()}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		if form, err := url.ParseQuery(string(body)); err == nil {
			sources = append(sources, form)
		}
	}
	for _, source := range sources {
		for name, values := range source {
			for _, value := range values {
				add(name, value)
			}
		}
	}
	for name, value := range params {
		add(name, value)
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		if order := strings.Compare(a[0], b[0]); order != 0 {
			return order
		}
		return strings.Compare(a[1], b[1])
	})
	joined := make([]string, len(pairs))
	for i, pair := range pairs {
		joined[i] = pair[0] + "=" + pair[1]
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	return strings.ToUpper(r.Method) + "&" + oauth1.PercentEncode(origin(r.URL)+path) + "&" + oauth1.PercentEncode(strings.Join(joined, "&"))
}
