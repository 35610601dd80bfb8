package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectedapps/devstack/sandbox/internal/sandbox"
)

// signedCall is a request of OAuth 1.0a; its fields can be broken one by one.
type signedCall struct {
	method, path   string
	parameters     map[string]string
	consumerSecret string
	tokenSecret    string
}

func (w *world) signedCall(method, path string, further map[string]string) signedCall {
	call := signedCall{method: method, path: path, consumerSecret: w.secrets.ClientSecret, parameters: map[string]string{
		"oauth_consumer_key": sandbox.DefaultClientID, "oauth_signature_method": "HMAC-SHA1", "oauth_version": "1.0",
		"oauth_timestamp": strconv.FormatInt(w.clock.Now().Unix(), 10), "oauth_nonce": strconv.Itoa(len(w.entries(""))),
	}}
	for name, value := range further {
		call.parameters[name] = value
	}
	return call
}

func (w *world) sendSigned(c signedCall) reply {
	w.t.Helper()
	encode := func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
	var pairs, fields []string
	for name, value := range c.parameters {
		pairs = append(pairs, encode(name)+"="+encode(value))
	}
	slices.Sort(pairs) // no name begins another one
	base := c.method + "&" + encode(w.config.Issuer+c.path) + "&" + encode(strings.Join(pairs, "&"))
	mac := hmac.New(sha1.New, []byte(encode(c.consumerSecret)+"&"+encode(c.tokenSecret)))
	mac.Write([]byte(base))
	for name, value := range c.parameters {
		fields = append(fields, name+`="`+encode(value)+`"`)
	}
	fields = append(fields, `oauth_signature="`+encode(base64.StdEncoding.EncodeToString(mac.Sum(nil)))+`"`)
	return w.call(c.method, c.path, "", "Authorization", "OAuth "+strings.Join(fields, ", "))
}

func (r reply) form() url.Values {
	r.t.Helper()
	form, err := url.ParseQuery(string(r.want(200).body))
	if err != nil {
		r.t.Fatal(err)
	}
	return form
}

func (w *world) wantProblem(r reply, problem string) {
	w.t.Helper()
	if r.status != http.StatusUnauthorized || !strings.Contains(string(r.body), problem) {
		w.t.Fatalf("%d %s, want %s", r.status, r.body, problem)
	}
}

// temporary asks for temporary credentials.
func (w *world) temporary() url.Values {
	w.t.Helper()
	return w.sendSigned(w.signedCall("POST", "/oauth1/request_token", map[string]string{"oauth_callback": redirectURI})).form()
}

// agree is a person who decides; answered is the query of the callback.
func (w *world) agree(token, decision string) (answered url.Values) {
	w.t.Helper()
	browser := w.browser()
	fields := w.send(browser, w.request("GET", "/oauth1/authorize?oauth_token="+token, "")).want(200).fields()
	fields.Set("user", "grace")
	fields.Set("decision", decision)
	request := w.request("POST", "/oauth1/authorize", fields.Encode())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.send(browser, request).location()
}

func (w *world) access(temporary url.Values, verifier string) reply {
	w.t.Helper()
	call := w.signedCall("POST", "/oauth1/access_token", map[string]string{"oauth_token": temporary.Get("oauth_token"), "oauth_verifier": verifier})
	call.tokenSecret = temporary.Get("oauth_token_secret")
	return w.sendSigned(call)
}

func TestOAuth1(t *testing.T) {
	w := newWorld(t)
	temporary := w.temporary()
	if temporary.Get("oauth_callback_confirmed") != "true" {
		t.Fatalf("%v", temporary)
	}
	w.wantProblem(w.access(temporary, "guess"), "verifier_invalid")
	answered := w.agree(temporary.Get("oauth_token"), "approve")
	w.wantProblem(w.access(temporary, "guess"), "verifier_invalid")
	token := w.access(temporary, answered.Get("oauth_verifier")).form()
	w.wantProblem(w.access(temporary, answered.Get("oauth_verifier")), "token_rejected")

	me := func() signedCall {
		call := w.signedCall("GET", "/api/v1/me", map[string]string{"oauth_token": token.Get("oauth_token")})
		call.tokenSecret = token.Get("oauth_token_secret")
		return call
	}
	call := me()
	if got := w.sendSigned(call).want(200); got.field("id") != "grace" || got.field("auth") != "oauth1" {
		t.Errorf("%s", got.body)
	}
	w.wantProblem(w.sendSigned(call), "nonce_used")
	for problem, change := range map[string]func(*signedCall){
		"timestamp_refused":         func(c *signedCall) { c.parameters["oauth_timestamp"] = "137131202" },
		"signature_method_rejected": func(c *signedCall) { c.parameters["oauth_signature_method"] = "PLAINTEXT" },
		"consumer_key_unknown":      func(c *signedCall) { c.parameters["oauth_consumer_key"] = "nobody" },
		"version_rejected":          func(c *signedCall) { c.parameters["oauth_version"] = "2.0" },
		"token_rejected":            func(c *signedCall) { c.parameters["oauth_token"] = temporary.Get("oauth_token") },
		"parameter_absent":          func(c *signedCall) { delete(c.parameters, "oauth_nonce") },
		"signature_invalid":         func(c *signedCall) { c.consumerSecret = "wrong" },
	} {
		broken := me()
		change(&broken)
		w.wantProblem(w.sendSigned(broken), problem)
	}
	broken := me()
	broken.tokenSecret = "wrong"
	w.wantProblem(w.sendSigned(broken), "signature_invalid")

	w.reopen()
	w.sendSigned(me()).want(200)
	w.call("POST", "/admin/revoke-grant", `{"user":"grace","client":"sandbox-client"}`).want(200)
	w.wantProblem(w.sendSigned(me()), "token_rejected")
}

func TestOAuth1Refused(t *testing.T) {
	w := newWorld(t)
	w.wantProblem(w.sendSigned(w.signedCall("POST", "/oauth1/request_token", map[string]string{"oauth_callback": "https://thief.test/"})), "parameter_rejected")
	temporary := w.temporary()
	if answered := w.agree(temporary.Get("oauth_token"), "deny"); answered.Get("denied") == "" || answered.Get("oauth_verifier") != "" {
		t.Errorf("%v", answered)
	}
	w.wantProblem(w.access(temporary, "guess"), "token_rejected")
	waiting := w.temporary()
	w.agree(waiting.Get("oauth_token"), "approve")
	call := w.signedCall("GET", "/api/v1/me", map[string]string{"oauth_token": waiting.Get("oauth_token")})
	call.tokenSecret = waiting.Get("oauth_token_secret")
	w.wantProblem(w.sendSigned(call), "token_rejected") // temporary credentials are for no API
	late := w.temporary()
	w.clock.Advance(time.Hour)
	w.send(w.browser(), w.request("GET", "/oauth1/authorize?oauth_token="+late.Get("oauth_token"), "")).want(400)
	forged := w.request("POST", "/oauth1/authorize", url.Values{"request": {w.temporary().Get("oauth_token")}, "csrf": {"guess"}, "user": {"ada"}, "decision": {"approve"}}.Encode())
	forged.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w.send(w.browser(), forged).want(http.StatusForbidden)
}
