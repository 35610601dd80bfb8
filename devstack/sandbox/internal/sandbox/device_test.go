package sandbox_test

import (
	"html"
	"net/http"
	"net/url"
	"testing"
	"time"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

type deviceCodes struct {
	Device   string `json:"device_code"`
	User     string `json:"user_code"`
	At       string `json:"verification_uri"`
	Interval int    `json:"interval"`
}

func (w *world) openDevice() (codes deviceCodes) {
	w.t.Helper()
	w.post("/oauth/device_authorization", url.Values{"scope": {allScopes}}).want(200).into(&codes)
	return codes
}

func (w *world) poll(device string) reply {
	w.t.Helper()
	return w.post("/oauth/token", url.Values{"grant_type": {deviceGrant}, "device_code": {device}})
}

// fields are the hidden fields of a page.
func (r reply) fields() url.Values {
	fields := url.Values{}
	for _, match := range hiddenField.FindAllSubmatch(r.body, -1) {
		fields.Set(string(match[1]), html.UnescapeString(string(match[2])))
	}
	return fields
}

// answerDevice is a person who types the code in and decides.
func (w *world) answerDevice(browser *http.Client, userCode, decision string) reply {
	w.t.Helper()
	submit := func(fields url.Values) reply {
		request := w.request("POST", "/oauth/device", fields.Encode())
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return w.send(browser, request)
	}
	fields := w.send(browser, w.request("GET", "/oauth/device", "")).want(200).fields()
	fields.Set("user_code", userCode)
	page := submit(fields)
	if page.status != 200 {
		return page
	}
	decided := page.fields()
	decided.Set("user", "grace")
	decided.Set("decision", decision)
	return submit(decided)
}

func TestDeviceAuthorization(t *testing.T) {
	w := newWorld(t)
	codes := w.openDevice()
	if codes.Interval != 1 || codes.At != w.config.Issuer+"/oauth/device" {
		t.Fatalf("%+v", codes)
	}
	w.wantOAuthError(w.poll(codes.Device), "authorization_pending")
	w.wantOAuthError(w.poll(codes.Device), "slow_down")
	w.clock.Advance(5 * time.Second) // the interval is six seconds now
	w.wantOAuthError(w.poll(codes.Device), "slow_down")
	w.clock.Advance(11 * time.Second)
	w.wantOAuthError(w.poll(codes.Device), "authorization_pending")
	w.answerDevice(w.browser(), "BCDF-GHJK", "approve").want(http.StatusUnprocessableEntity)
	w.answerDevice(w.browser(), codes.User, "approve").want(200)
	w.answerDevice(w.browser(), codes.User, "deny").want(http.StatusUnprocessableEntity)
	w.clock.Advance(11 * time.Second)
	tokens := w.poll(codes.Device).pair()
	if me := w.call("GET", "/api/v1/me", "", bearer(tokens.Access)...).want(200); me.field("id") != "grace" {
		t.Errorf("%s", me.body)
	}
	w.clock.Advance(11 * time.Second)
	w.wantOAuthError(w.poll(codes.Device), "invalid_grant")
	next := w.refresh(tokens.Refresh).pair()
	w.wantOAuthError(w.refresh(tokens.Refresh), "invalid_grant")
	w.wantOAuthError(w.refresh(next.Refresh), "invalid_grant") // reuse ended the family
}

func TestDeviceAuthorizationRefused(t *testing.T) {
	w := newWorld(t)
	t.Run("denied", func(t *testing.T) {
		w := w.in(t)
		codes := w.openDevice()
		w.answerDevice(w.browser(), codes.User, "deny").want(200)
		w.wantOAuthError(w.poll(codes.Device), "access_denied")
	})
	t.Run("expired", func(t *testing.T) {
		w := w.in(t)
		codes := w.openDevice()
		w.clock.Advance(w.config.Settings.DeviceTTL.Std())
		w.wantOAuthError(w.poll(codes.Device), "expired_token")
		w.answerDevice(w.browser(), codes.User, "approve").want(http.StatusUnprocessableEntity)
	})
	t.Run("another client", func(t *testing.T) {
		w := w.in(t)
		codes := w.openDevice()
		w.answerDevice(w.browser(), codes.User, "approve").want(200)
		w.call("POST", "/admin/clients", `{"id":"thief","secret":"s3cret","redirect_uris":[]}`).want(200)
		request := w.token("/oauth/token", url.Values{"grant_type": {deviceGrant}, "device_code": {codes.Device}})
		request.SetBasicAuth("thief", "s3cret")
		w.wantOAuthError(w.send(http.DefaultClient, request), "invalid_grant")
	})
	t.Run("another browser's form", func(t *testing.T) {
		w := w.in(t)
		codes := w.openDevice()
		form := url.Values{"user_code": {codes.User}, "request": {codes.User}, "csrf": {"guess"}, "user": {"ada"}, "decision": {"approve"}}
		request := w.request("POST", "/oauth/device", form.Encode())
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w.send(w.browser(), request).want(http.StatusForbidden)
	})
	t.Run("unknown client", func(t *testing.T) {
		w := w.in(t)
		request := w.token("/oauth/device_authorization", url.Values{"scope": {allScopes}})
		request.SetBasicAuth(w.secrets.ClientID, "wrong")
		w.send(http.DefaultClient, request).want(http.StatusUnauthorized)
	})
}
