package activities

import (
	"context"
	"errors"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// BeginDeviceInput is one attempt of a person to authorize on another device.
type BeginDeviceInput struct {
	Connection connection.ID     `json:"connection"`
	Attempt    string            `json:"attempt"`
	Method     string            `json:"method"`
	AuthConfig string            `json:"auth_config"`
	Scopes     []string          `json:"scopes,omitempty"`
	Values     map[string]string `json:"values,omitempty"`
}

// BeginDeviceReport is what the person is shown (RFC 8628 section 3.2).
type BeginDeviceReport struct {
	UserCode        string `json:"user_code"`
	VerificationURI string `json:"verification_uri"`
	// VerificationURIComplete holds the code already; "" when the app offers none.
	VerificationURIComplete string `json:"verification_uri_complete,omitempty"`
	// Lifetime of the code from now.
	Lifetime time.Duration `json:"lifetime"`
}

// BeginDevice asks for a code to show, and keeps the secret to poll with in Vault.
// Run again it shows the code that it kept; one that was not kept dies by itself.
func (a *Activities) BeginDevice(ctx context.Context, in BeginDeviceInput) (*BeginDeviceReport, error) {
	report, err := a.beginDevice(ctx, in)
	return report, a.leave(ctx, "BeginDevice", err)
}

func (a *Activities) beginDevice(ctx context.Context, in BeginDeviceInput) (*BeginDeviceReport, error) {
	method, err := a.method(in.Connection.App(), in.Method)
	if err != nil {
		return nil, err
	}
	config, err := a.currentConfig(ctx, in.Connection, in.AuthConfig)
	if err != nil {
		return nil, err
	}
	attempt, _, clock, err := a.Attempts.Read(ctx, in.Connection, in.Attempt)
	if errors.Is(err, connection.ErrAbsent) {
		attempt, clock, err = a.newDevice(ctx, in, method, config)
	}
	if err != nil {
		return nil, err
	}
	if attempt.Device == nil {
		return nil, authorizeAgain("this authorization was begun in another way")
	}
	d := attempt.Device
	return &BeginDeviceReport{UserCode: d.UserCode, VerificationURI: d.VerificationURI,
		VerificationURIComplete: d.VerificationURIComplete, Lifetime: max(d.ExpiresAt.Sub(clock.Now()), 0)}, nil
}

// newDevice asks for a device authorization and keeps it. Another worker may have done so meanwhile; its code counts.
func (a *Activities) newDevice(ctx context.Context, in BeginDeviceInput, method *connectors.Method, config connection.AuthConfig) (connection.Attempt, connection.Clock, error) {
	clock, err := a.Documents.Clock(ctx)
	if err != nil {
		return connection.Attempt{}, clock, err
	}
	values := under(config, in.Values)
	found, err := method.Discover(ctx, a.Provider, values)
	if err != nil {
		return connection.Attempt{}, clock, err
	}
	values = under(config, in.Values, found)
	begun, err := method.BeginDevice(ctx, a.Provider, connectors.DeviceInput{
		Client: client(config, connection.Credential{Values: values}), Scopes: in.Scopes, Values: values, Fields: config.Fields})
	if err != nil {
		return connection.Attempt{}, clock, err
	}
	attempt := connection.Attempt{AuthConfig: in.AuthConfig, Values: found, Device: &connection.DeviceCode{
		Code: begun.DeviceCode, UserCode: begun.UserCode, VerificationURI: begun.VerificationURI,
		VerificationURIComplete: begun.VerificationURIComplete, Interval: begun.Interval,
		ExpiresAt: clock.Now().Add(begun.Lifetime).UTC().Round(0)}}
	err = a.Attempts.Write(ctx, in.Connection, in.Attempt, attempt, 0)
	if errors.Is(err, connection.ErrVersionConflict) {
		attempt, _, clock, err = a.Attempts.Read(ctx, in.Connection, in.Attempt)
	}
	return attempt, clock, err
}

// PollDeviceInput names the attempt to ask about.
type PollDeviceInput struct {
	Connection connection.ID     `json:"connection"`
	Attempt    string            `json:"attempt"`
	Method     string            `json:"method"`
	Scopes     []string          `json:"scopes,omitempty"`
	Values     map[string]string `json:"values,omitempty"`
}

// PollDevice asks once per attempt of the activity whether the person has
// authorized. Until then it ends with a benign LookAgain that asks to be tried again
// after the provider's interval: Temporal keeps that timer, and no event is written.
// The grant is in Vault before this returns; run again it is found there.
func (a *Activities) PollDevice(ctx context.Context, in PollDeviceInput) (*StoredReport, error) {
	report, err := a.pollDevice(ctx, in)
	return report, a.leave(ctx, "PollDevice", err)
}

func (a *Activities) pollDevice(ctx context.Context, in PollDeviceInput) (*StoredReport, error) {
	method, err := a.method(in.Connection.App(), in.Method)
	if err != nil {
		return nil, err
	}
	ref := connection.CredentialRef{Connection: in.Connection, Grant: in.Attempt, Generation: 1, Candidate: true}
	report, err := a.resumed(ctx, ref, method, in.Scopes)
	if report == nil && err == nil {
		report, err = a.poll(ctx, ref, in, method)
	}
	if problem, ok := connection.AsProblem(err); err == nil || ok && !problem.Retryable {
		_ = a.Attempts.Destroy(ctx, in.Connection, in.Attempt) // the sweep removes what could not be removed here
	}
	return report, err
}

func (a *Activities) poll(ctx context.Context, ref connection.CredentialRef, in PollDeviceInput, method *connectors.Method) (*StoredReport, error) {
	attempt, version, clock, err := a.Attempts.Read(ctx, in.Connection, in.Attempt)
	if errors.Is(err, connection.ErrAbsent) || err == nil && attempt.Device == nil {
		return nil, authorizeAgain("this authorization was not begun here, or is too old")
	}
	if err != nil {
		return nil, err
	}
	config, err := a.spender.registrations.read(ctx, in.Connection.App(), attempt.AuthConfig)
	if err != nil {
		return nil, err
	}
	values := under(config, in.Values, attempt.Values)
	grant, err := method.PollDevice(ctx, a.Provider, connectors.PollDeviceInput{
		Client:     client(config, connection.Credential{Values: values}),
		DeviceCode: attempt.Device.Code, Interval: attempt.Device.Interval, Values: values, Fields: config.Fields})
	if err == nil {
		return a.storeGrant(ctx, granted{ref: ref, method: method, config: config, authConfig: attempt.AuthConfig,
			asked: in.Scopes, values: values, grant: grant, now: clock.Now()})
	}
	problem, ok := connection.AsProblem(err)
	switch {
	case ok && problem.Retryable && !clock.Now().Before(attempt.Device.ExpiresAt):
		return nil, authorizeAgain("the code was not used in time")
	case !ok || problem.Type != connection.ErrLookAgain:
		return nil, err
	}
	return nil, a.notYet(ctx, in, attempt, version, problem)
}

// notYet asks for the next poll. A provider that wants longer pauses means all that
// follow (RFC 8628 section 3.5), so the interval is kept.
func (a *Activities) notYet(ctx context.Context, in PollDeviceInput, attempt connection.Attempt, version int, problem *connection.Problem) error {
	device := *attempt.Device
	if problem.RetryAfter > device.Interval {
		device.Interval = problem.RetryAfter
		attempt.Device = &device
		_ = a.Attempts.Write(ctx, in.Connection, in.Attempt, attempt, version) // else the next poll is told again
	}
	return connection.LookAgain("waiting for the person to enter the code", device.Interval)
}
