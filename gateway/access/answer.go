package access

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"connectedapps/connection"

	"github.com/coreos/go-oidc/v3/oidc"
	"go.uber.org/zap"
	"golang.org/x/oauth2"
)

// maxAnswer bounds a callback's query.
const maxAnswer = 16 << 10

func refusedAnswer(why string) *connection.Problem {
	return connection.Refused(connection.ErrAuthorizationFailed, "the provider's answer cannot be used: "+why, "sign in again")
}

// parseAnswer refuses what no honest provider sends. Nothing of it is repeated.
func parseAnswer(raw string) (url.Values, error) {
	query, err := url.ParseQuery(raw)
	if err != nil || len(raw) > maxAnswer {
		return nil, refusedAnswer("it cannot be read")
	}
	for _, values := range query {
		if len(values) > 1 {
			return nil, refusedAnswer("a parameter is repeated")
		}
	}
	switch {
	case !randomText.MatchString(query.Get("state")):
		return nil, refusedAnswer("it names no sign-in that was begun here")
	case query.Has("code") == query.Has("error") || query.Has("code") && query.Get("code") == "":
		return nil, refusedAnswer("it must hold either a code or an error")
	}
	return query, nil
}

// redeem asks for tokens and believes the ID token once everything about it is right.
func (p *Provider) redeem(ctx context.Context, got url.Values, begun pending, redirect string) (Person, error) {
	found, err := p.ask(ctx)
	if err != nil {
		return Person{}, err
	}
	if got.Has("iss") && got.Get("iss") != p.options.Issuer || !got.Has("iss") && found.issParameter {
		return Person{}, refusedAnswer("it does not come from the provider that was asked")
	}
	if got.Has("error") {
		return Person{}, connection.Refused(connection.ErrAuthorizationFailed, "the provider did not sign you in", "sign in again, or ask who runs the provider")
	}
	config := p.config(found, redirect)
	tokens, err := config.Exchange(oidc.ClientContext(ctx, p.options.HTTP), got.Get("code"), oauth2.VerifierOption(begun.Verifier))
	if err != nil {
		return Person{}, p.notRedeemed(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := found.idTokens.Verify(ctx, raw)
	if err != nil {
		if away := p.refuse(err); connection.TypeOf(away) == connection.ErrProviderUnavailable {
			return Person{}, away
		}
		return Person{}, refusedAnswer("its ID token is not good")
	}
	var party struct {
		Authorized string `json:"azp"`
	}
	_ = token.Claims(&party) // absent or odd: the check below decides
	if !same(token.Nonce, begun.Nonce) || len(token.Audience) > 1 && party.Authorized != p.options.ClientID ||
		party.Authorized != "" && party.Authorized != p.options.ClientID {
		return Person{}, refusedAnswer("its ID token was not made for this sign-in")
	}
	return p.person(token)
}

// notRedeemed keeps the library's text, which holds the provider's answer, out of pages and logs.
func (p *Provider) notRedeemed(err error) error {
	status, code := 0, ""
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.Response != nil {
		status, code = answer.Response.StatusCode, connection.Bound(printable(answer.ErrorCode), 60)
	}
	p.options.Log.Warn("the OpenID provider gave no tokens for a code", zap.Int("status", status), zap.String("error", code))
	if status == 0 || status >= http.StatusInternalServerError {
		return providerAway()
	}
	return refusedAnswer("the provider took its code back")
}
