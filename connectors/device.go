package connectors

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

const (
	// defaultPoll is the interval where the provider names none, and slowDown is
	// what each slow_down adds to it (RFC 8628 sections 3.2 and 3.5).
	defaultPoll = 5 * time.Second
	slowDown    = 5 * time.Second
	// defaultDeviceLifetime stands in for expires_in, which is mandatory and
	// sometimes missing. Fifteen minutes are usual.
	defaultDeviceLifetime = 15 * time.Minute
	// maxUserCode bounds a code that a person is to type, in bytes.
	maxUserCode = 64
)

// BeginDevice asks for a device authorization (RFC 8628 section 3.1). A
// verification address that is neither https nor on loopback is
// ErrRejectedInput: nobody is sent there.
func (m *Method) BeginDevice(ctx context.Context, hc *http.Client, in DeviceInput) (DeviceAuthorization, error) {
	if m.OAuth == nil || m.deviceEnd() == nil {
		return DeviceAuthorization{}, connection.Refused(connection.ErrAuthKindNotOffered,
			m.ID+" of "+m.app.Name+" authorizes no devices", "")
	}
	request, err := m.grantRequest(in.Client, in.Values, in.Fields)
	if err != nil {
		return DeviceAuthorization{}, err
	}
	endpoints, err := m.Endpoints(withClientID(in.Values, request.client))
	if err != nil {
		return DeviceAuthorization{}, err
	}
	end := m.deviceEnd()
	request.end = TokenEnd{Params: end.Params, Headers: end.Headers}
	request.scopes, request.what = in.Scopes, spentDevice
	call, err := m.tokenCall(hc, request)
	if err != nil {
		return DeviceAuthorization{}, err
	}
	call.transport.noTokens = true
	call.config.Endpoint.DeviceAuthURL = endpoints.Device
	var options []oauth2.AuthCodeOption
	for name, values := range m.scopeParameter(in.Scopes) {
		options = append(options, oauth2.SetAuthURLParam(name, values[0]))
	}
	_, err = call.config.DeviceAuth(call.context(ctx), options...)
	t := call.transport
	if t.failed != nil || t.answer == nil {
		return DeviceAuthorization{}, networkProblem("the device authorization endpoint of "+m.app.Name, firstError(t.failed, err))
	}
	return m.readDevice(t.answer)
}

// readDevice reads a device authorization (RFC 8628 section 3.2).
func (m *Method) readDevice(a *answer) (DeviceAuthorization, error) {
	out := DeviceAuthorization{
		DeviceCode:              connection.NewSecret(tokenText(a.text("device_code"))),
		UserCode:                a.text("user_code"),
		VerificationURI:         a.text("verification_uri || verification_url"),
		VerificationURIComplete: a.text("verification_uri_complete || verification_url_complete"),
		Lifetime:                defaultDeviceLifetime, Interval: defaultPoll,
	}
	refused := a.status < 200 || a.status > 299 || a.text(m.OAuth.Answer.Error.or("error")) != ""
	if refused || out.DeviceCode.Empty() || out.UserCode == "" || out.VerificationURI == "" {
		return DeviceAuthorization{}, m.refusal(a, spentDevice)
	}
	if len(out.UserCode) > maxUserCode || slices.ContainsFunc([]byte(out.UserCode), isControl) || !presentable(out.VerificationURI) {
		return DeviceAuthorization{}, rejectedInput(m.app.Name+" wants a person to be sent to what is no https address, or to type what is no code", a.status)
	}
	if !presentable(out.VerificationURIComplete) {
		out.VerificationURIComplete = ""
	}
	if lifetime, ok := FormSeconds.length(a.text("expires_in"), a.date(), maxWait); ok {
		out.Lifetime = lifetime
	}
	if interval, ok := FormSeconds.length(a.text("interval"), a.date(), maxWait); ok {
		out.Interval = max(interval, time.Second)
	}
	return out, nil
}

// presentable reports whether a person may be sent to an address.
func presentable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxLearnt || u.Host == "" || u.User != nil || u.Opaque != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && outbound.Loopback(u.Hostname())
}

// PollDevice asks once whether the person has authorized (RFC 8628 section
// 3.4). Until then it is a LookAgain problem whose RetryAfter is the interval
// to poll with from then on: a slow_down has lengthened it. A person who
// declined, and a code that is too old, are ErrAuthorizationFailed; trouble on
// the way is ErrProviderUnavailable or ErrRateLimited and ends nothing.
func (m *Method) PollDevice(ctx context.Context, hc *http.Client, in PollDeviceInput) (*Grant, error) {
	if m.OAuth == nil {
		return nil, m.noTokenEndpoint()
	}
	request, err := m.grantRequest(in.Client, in.Values, in.Fields)
	if err != nil {
		return nil, err
	}
	request.what, request.secrets = spentDevice, []string{in.DeviceCode.Reveal()}
	call, err := m.tokenCall(hc, request)
	if err != nil {
		return nil, err
	}
	grant, err := call.grant(ctx, grantDeviceCode, url.Values{"device_code": {in.DeviceCode.Reveal()}})
	if err != nil {
		return nil, m.waiting(call.transport.answer, in, err)
	}
	if err := m.obtainSets(ctx, hc, request, grant); err != nil {
		return nil, err
	}
	return grant, nil
}

// waiting tells answers that only mean "not yet" from refusals (RFC 8628 section 3.5).
func (m *Method) waiting(a *answer, in PollDeviceInput, err error) error {
	if a == nil {
		return err
	}
	interval := in.Interval
	if interval <= 0 {
		interval = defaultPoll
	}
	switch a.text(m.OAuth.Answer.Error.or("error")) {
	case "authorization_pending":
		return connection.LookAgain("the person has not authorized yet", interval)
	case "slow_down":
		return connection.LookAgain("the person has not authorized yet", interval+slowDown)
	case "access_denied":
		return authorizationFailed("the person declined the authorization", a.status)
	case "expired_token":
		return authorizationFailed("nobody authorized in time", a.status)
	default:
		return err
	}
}
