package oauth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/ory/fosite"
	fositeoauth2 "github.com/ory/fosite/handler/oauth2"

	"connectedapps/devstack/sandbox/internal/state"
)

// Answers to a poll (RFC 8628 section 3.5). The library has no constants for them.
var (
	errPending = &fosite.RFC6749Error{ErrorField: "authorization_pending", CodeField: http.StatusBadRequest,
		DescriptionField: "The person has not answered yet."}
	errSlowDown = &fosite.RFC6749Error{ErrorField: "slow_down", CodeField: http.StatusBadRequest,
		DescriptionField: "This poll came too early: wait five seconds more between polls."}
	errExpiredCode = &fosite.RFC6749Error{ErrorField: "expired_token", CodeField: http.StatusBadRequest,
		DescriptionField: "Nobody answered in time."}
)

const (
	// slowDownBy is what each slow_down adds to the interval (RFC 8628 section 3.5).
	slowDownBy = 5 * time.Second
	// pollSlack forgives a poll that a fast network delivered a little early.
	pollSlack = 100 * time.Millisecond
)

// deviceGrant redeems device codes: a grant handler of the library, so that tokens are made, kept, refreshed and
// revoked as all others are.
type deviceGrant struct {
	*fositeoauth2.HandleHelper
	storage  *storage
	strategy fositeoauth2.CoreStrategy
}

func newDeviceGrant(config fosite.Configurator, kept *storage, strategy fositeoauth2.CoreStrategy) *deviceGrant {
	return &deviceGrant{storage: kept, strategy: strategy, HandleHelper: &fositeoauth2.HandleHelper{
		AccessTokenStrategy: strategy, AccessTokenStorage: kept, Config: config,
	}}
}

func (g *deviceGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

func (g *deviceGrant) CanHandleTokenEndpointRequest(_ context.Context, request fosite.AccessRequester) bool {
	return request.GetGrantTypes().ExactOne(grantDeviceCode)
}

// HandleTokenEndpointRequest answers a poll. It writes only what the transaction of the request keeps.
func (g *deviceGrant) HandleTokenEndpointRequest(ctx context.Context, request fosite.AccessRequester) error {
	code := request.GetRequestForm().Get("device_code")
	device, err := g.storage.state.Device(ctx, code)
	if errors.Is(err, state.ErrNotFound) || err == nil && device.Client != request.GetClient().GetID() {
		traceOf(ctx).detail = detailUnknown
		return fosite.ErrInvalidGrant.WithHint("This client was given no such device code.")
	}
	if err != nil {
		return fosite.ErrServerError.WithWrap(err)
	}
	if refusal := g.poll(&device); refusal != nil {
		if err := g.storage.state.PutDevice(ctx, code, device); err != nil {
			return fosite.ErrServerError.WithWrap(err)
		}
		return refusal
	}
	original, err := g.storage.hydrate(ctx, device.Request)
	if err != nil {
		return fosite.ErrServerError.WithWrap(err)
	}
	device.UsedAt = g.storage.clock.Now()
	if err := g.storage.state.PutDevice(ctx, code, device); err != nil {
		return fosite.ErrServerError.WithWrap(err)
	}
	request.SetID(original.GetID())
	request.SetRequestedScopes(original.GetRequestedScopes())
	for _, scope := range device.Scopes {
		request.GrantScope(scope)
	}
	session := g.storage.lifetimes.newSession(device.Account)
	session.SetExpiresAt(fosite.AccessToken, time.Time{}) // the session reckons by itself
	session.SetExpiresAt(fosite.RefreshToken, time.Time{})
	request.SetSession(session)
	return nil
}

// poll notes that the device asked, and says why there are no tokens yet.
func (g *deviceGrant) poll(device *state.Device) error {
	now := g.storage.clock.Now()
	early := !device.PolledAt.IsZero() && now.Before(device.PolledAt.Add(device.Interval-pollSlack))
	device.PolledAt = now
	switch {
	case !device.UsedAt.IsZero():
		return fosite.ErrInvalidGrant.WithHint("The device code was already redeemed.")
	case !now.Before(device.ExpiresAt):
		return errExpiredCode
	case early:
		device.Interval += slowDownBy
		return errSlowDown
	}
	switch device.Decision {
	case state.Undecided:
		return errPending
	case state.Denied:
		return fosite.ErrAccessDenied
	case state.Approved:
		return nil
	}
	return fosite.ErrServerError
}

// PopulateTokenEndpointResponse issues the tokens.
func (g *deviceGrant) PopulateTokenEndpointResponse(ctx context.Context, request fosite.AccessRequester, response fosite.AccessResponder) error {
	if !g.CanHandleTokenEndpointRequest(ctx, request) {
		return fosite.ErrUnknownRequest
	}
	accessSignature, err := g.IssueAccessToken(ctx, 0, request, response)
	if err != nil {
		return fosite.ErrServerError.WithWrap(err)
	}
	if !slices.Contains(request.GetGrantedScopes(), ScopeOfflineAccess) {
		return nil
	}
	refresh, signature, err := g.strategy.GenerateRefreshToken(ctx, request)
	if err == nil {
		err = g.storage.CreateRefreshTokenSession(ctx, signature, accessSignature, request.Sanitize(nil))
	}
	if err != nil {
		return fosite.ErrServerError.WithWrap(err)
	}
	response.SetExtra(grantRefreshToken, refresh)
	return nil
}
