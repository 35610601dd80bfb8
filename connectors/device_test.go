package connectors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

func deviceMethod(t *testing.T, auth string) *Method {
	return fake(t, "oauth2-device", `    client_inputs: [{name: private_key, type: text, optional: true, secret: true}]
    oauth:
      client_auth: `+auth+`
      device: {url: "{+base_url}/device", params: {audience: "{client_id}"}, headers: {X-V: "2"}}
      token: {url: "{+base_url}/token", params: {extra: "yes"}}
`)
}

func TestBeginDevice(t *testing.T) {
	const whole = `{"device_code":"the-device-code","user_code":"WDJB-MJHT","verification_uri":"https://x.example/device","verification_uri_complete":"https://x.example/device?c=1","expires_in":600,"interval":7}`
	in := func(s *authServer) DeviceInput {
		return DeviceInput{Client: testClient, Scopes: []string{"a", "b"}, Values: at(s)}
	}
	s := serve(t, always(200, whole))
	got, err := deviceMethod(t, "none").BeginDevice(context.Background(), s.Client(), in(s))
	if err != nil {
		t.Fatal(err)
	}
	if got.DeviceCode.Reveal() != "the-device-code" || got.UserCode != "WDJB-MJHT" || got.VerificationURI != "https://x.example/device" || got.VerificationURIComplete != "https://x.example/device?c=1" ||
		got.Lifetime != 10*time.Minute || got.Interval != 7*time.Second {
		t.Errorf("%+v", got)
	}
	sent := s.got[0]
	if sent.path != "/device" || sent.form.Encode() != "audience=client-id&client_id=client-id&scope=a+b" || sent.header.Get("X-V") != "2" {
		t.Errorf("%+v", sent)
	}
	s = serve(t, always(200, whole))
	if _, err := deviceMethod(t, "basic").BeginDevice(context.Background(), s.Client(), in(s)); err != nil || !strings.HasPrefix(s.got[0].header.Get("Authorization"), "Basic ") {
		t.Errorf("a confidential client does not authenticate: %v %v", err, s.got[0].header)
	}
	replaced := func(old, by string) string { return strings.Replace(whole, old, by, 1) }
	for name, test := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"plain http":        {200, replaced(`"https://x.example/device"`, `"http://x.example/device"`), connection.ErrRejectedInput},
		"javascript":        {200, replaced(`"https://x.example/device"`, `"javascript:alert(1)"`), connection.ErrRejectedInput},
		"user information":  {200, replaced(`"https://x.example/device"`, `"https://x.example@evil.example/"`), connection.ErrRejectedInput},
		"a control char":    {200, replaced(`WDJB-`, `WD\u001b[2J`), connection.ErrRejectedInput},
		"a long code":       {200, replaced(`WDJB-`, strings.Repeat("W", 100)), connection.ErrRejectedInput},
		"loopback":          {200, replaced(`"https://x.example/device"`, `"http://127.0.0.1:99/device"`), ""},
		"the other name":    {200, replaced(`"verification_uri"`, `"verification_url"`), ""},
		"complete is odd":   {200, replaced(`https://x.example/device?c=1`, `http://evil.example`), ""},
		"no code":           {200, `{}`, connection.ErrProviderUnavailable},
		"a form":            {200, "device_code=d&user_code=U&verification_uri=https%3A%2F%2Fx.example", ""},
		"a page":            {200, `<html>`, connection.ErrProviderUnavailable},
		"away":              {503, ``, connection.ErrProviderUnavailable},
		"the client":        {401, `{"error":"invalid_client"}`, connection.ErrClientMisconfigured},
		"an error with 200": {200, replaced(`{`, `{"error":"unauthorized_client",`), connection.ErrClientMisconfigured},
	} {
		s := serve(t, always(test.status, test.body))
		got, err := deviceMethod(t, "none").BeginDevice(context.Background(), s.Client(), in(s))
		if connection.TypeOf(err) != test.want || len(s.got) != 1 {
			t.Errorf("%s: %v", name, err)
		}
		if test.want != "" && got.UserCode != "" || strings.Contains(got.VerificationURIComplete, "evil") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestPollDevice(t *testing.T) {
	m := deviceMethod(t, "post")
	for _, test := range []struct {
		status   int
		body     string
		interval time.Duration
		want     string
		wait     time.Duration
	}{
		{400, `{"error":"authorization_pending"}`, 0, connection.ErrLookAgain, 5 * time.Second},
		{400, `{"error":"authorization_pending"}`, 8 * time.Second, connection.ErrLookAgain, 8 * time.Second},
		{200, `{"error":"authorization_pending"}`, 8 * time.Second, connection.ErrLookAgain, 8 * time.Second},
		{400, `{"error":"slow_down"}`, 8 * time.Second, connection.ErrLookAgain, 13 * time.Second},
		{400, `{"error":"access_denied"}`, 0, connection.ErrAuthorizationFailed, 0},
		{400, `{"error":"expired_token"}`, 0, connection.ErrAuthorizationFailed, 0},
		{400, `{"error":"invalid_grant"}`, 0, connection.ErrAuthorizationFailed, 0},
		{401, `{"error":"invalid_client"}`, 0, connection.ErrClientMisconfigured, 0},
		{429, ``, 0, connection.ErrRateLimited, time.Second},
		{503, ``, 0, connection.ErrProviderUnavailable, 0},
		{200, `{"access_token":"a1","refresh_token":"r1"}`, 0, "", 0},
	} {
		s := serve(t, always(test.status, test.body))
		grant, err := m.PollDevice(context.Background(), s.Client(), PollDeviceInput{Client: testClient, DeviceCode: connection.NewSecret("CANARY-device-code"), Values: at(s), Interval: test.interval})
		if connection.TypeOf(err) != test.want || (err == nil) != (grant != nil) || len(s.got) != 1 {
			t.Errorf("%+v: %v", test, err)
		}
		if err != nil && problemOf(t, err).RetryAfter != test.wait {
			t.Errorf("%+v: %v", test, problemOf(t, err).RetryAfter)
		}
		if got := s.got[0].form.Encode(); got != "client_id=client-id&client_secret=secret-of-client&device_code=CANARY-device-code&extra=yes&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code" {
			t.Error(got)
		}
	}
	s := serve(t, always(400, `{"error":"invalid_request","error_description":"CANARY-device-code"}`))
	if _, err := m.PollDevice(context.Background(), s.Client(), PollDeviceInput{Client: testClient, DeviceCode: connection.NewSecret("CANARY-device-code"), Values: at(s)}); strings.Contains(err.Error(), "CANARY") {
		t.Error(err)
	}
	if _, err := m.PollDevice(context.Background(), broken(errors.New("reset")).client(), PollDeviceInput{Client: testClient, Values: at(s)}); problemOf(t, err).Type != connection.ErrProviderUnavailable {
		t.Error(err)
	}
}

func TestDiscover(t *testing.T) {
	m := fake(t, "oauth2-code", `    oauth:
      client_auth: post
      metadata: {url: "{+base_url}/.well-known/openid-configuration", issuer: "{+base_url}"}
`)
	const all = `{"issuer":"%[1]s","authorization_endpoint":"%[1]s/authorize?x=1","token_endpoint":"%[1]s/token","revocation_endpoint":"https://r.example/revoke","device_authorization_endpoint":"%[1]s/device","authorization_response_iss_parameter_supported":true,"other":[1]}`
	discover := func(t *testing.T, status int, body string) (*authServer, map[string]string, error) {
		t.Helper()
		var s *authServer
		s = serve(t, func(_ int, r received, w http.ResponseWriter) {
			if status == http.StatusFound {
				w.Header().Set("Location", "/elsewhere")
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(strings.ReplaceAll(body, "%[1]s", s.URL)))
		})
		values, err := m.Discover(context.Background(), s.Client(), at(s))
		return s, values, err
	}
	s, values, err := discover(t, 200, all)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize?x=1", "token_endpoint": s.URL + "/token", "revocation_endpoint": "https://r.example/revoke",
		"device_authorization_endpoint": s.URL + "/device", "iss_required": "true"}
	if fmt.Sprint(values) != fmt.Sprint(want) || s.got[0].path != "/.well-known/openid-configuration" || s.got[0].method != "GET" {
		t.Errorf("%v", values)
	}
	known := overlayValues(at(s), values)
	endpoints, err := m.Endpoints(known)
	if err != nil || endpoints != (Endpoints{Authorize: s.URL + "/authorize?x=1", Token: s.URL + "/token", Refresh: s.URL + "/token", Revoke: "https://r.example/revoke", Issuer: s.URL}) {
		t.Errorf("%+v %v", endpoints, err)
	}
	if url, err := m.Authorize(AuthorizeInput{Client: testClient, Challenge: "c", Values: known}); err != nil || !strings.HasPrefix(url, s.URL+"/authorize?x=1&client_id=client-id&") {
		t.Error(url, err)
	}
	if _, err := m.Endpoints(at(s)); problemOf(t, err).Type != connection.ErrInvalidInput || len(s.got) != 1 {
		t.Errorf("endpoints without discovery: %v", err)
	}
	delete(known, "iss_required")
	if m.Issuer(known) != "" {
		t.Error("an issuer is demanded that the server does not promise")
	}
	for name, test := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"another issuer":    {200, strings.Replace(all, `"issuer":"%[1]s"`, `"issuer":"https://evil.example"`, 1), connection.ErrRejectedInput},
		"a slash more":      {200, strings.Replace(all, `"issuer":"%[1]s"`, `"issuer":"%[1]s/"`, 1), connection.ErrRejectedInput},
		"no issuer":         {200, strings.Replace(all, `"issuer":"%[1]s",`, ``, 1), connection.ErrRejectedInput},
		"plain http":        {200, strings.Replace(all, `"%[1]s/token"`, `"http://t.example/token"`, 1), connection.ErrRejectedInput},
		"user information":  {200, strings.Replace(all, `"%[1]s/token"`, `"https://u:p@t.example/token"`, 1), connection.ErrRejectedInput},
		"javascript":        {200, strings.Replace(all, `"%[1]s/authorize?x=1"`, `"javascript:alert(1)"`, 1), connection.ErrRejectedInput},
		"no token endpoint": {200, `{"issuer":"%[1]s"}`, connection.ErrRejectedInput},
		"not promised":      {200, strings.Replace(all, `:true`, `:"true"`, 1), ""},
		"a redirect":        {302, all, connection.ErrRejectedInput},
		"a page":            {200, `<html>`, connection.ErrRejectedInput},
		"not there":         {404, all, connection.ErrRejectedInput},
		"away":              {503, ``, connection.ErrProviderUnavailable},
		"asked to wait":     {429, ``, connection.ErrRateLimited},
		"too large":         {200, strings.Replace(all, `"other":[1]`, `"other":"`+strings.Repeat("x", maxTokenAnswer)+`"`, 1), connection.ErrRejectedInput},
	} {
		s, values, err := discover(t, test.status, test.body)
		if connection.TypeOf(err) != test.want || len(s.got) != 1 || err != nil && values != nil || values["iss_required"] != "" {
			t.Errorf("%s: %v %v, asked %d times", name, values, err, len(s.got))
		}
	}
	if values, err := methodOf(t, "sandbox", "oauth").Discover(context.Background(), nil, nil); values != nil || err != nil {
		t.Error(values, err)
	}
}
