package oauth

import (
	"context"
	"errors"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	fositeoauth2 "github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/token/hmac"

	"connectedapps/devstack/sandbox/internal/clock"
	"connectedapps/devstack/sandbox/internal/forms"
	"connectedapps/devstack/sandbox/internal/ledger"
	"connectedapps/devstack/sandbox/internal/settings"
	"connectedapps/devstack/sandbox/internal/state"
)

// The scopes of the sandbox. offline_access is what it takes to be given a refresh token.
const (
	ScopeContactsRead  = "contacts.read"
	ScopeContactsWrite = "contacts.write"
	ScopeOfflineAccess = "offline_access"
)

// AllScopes is every scope a client can be registered for.
var AllScopes = []string{ScopeContactsRead, ScopeContactsWrite, ScopeOfflineAccess}

// Server is the authorization server. Its exported methods are its HTTP endpoints.
type Server struct {
	issuer    string
	state     *state.DB
	ledger    *ledger.Ledger
	live      *settings.Live
	clock     clock.Clock
	lifetimes *lifetimes
	strategy  fositeoauth2.CoreStrategy
	provider  *fosite.Fosite
	forms     *forms.Guard
}

// NewServer assembles the authorization server on its state. The issuer is an origin without a trailing slash.
func NewServer(ctx context.Context, issuer string, db *state.DB, book *ledger.Ledger, live *settings.Live, now clock.Clock) (*Server, error) {
	tokenKey, err := db.SigningKey(ctx, "token-signatures")
	if err != nil {
		return nil, err
	}
	csrfKey, err := db.SigningKey(ctx, "consent-form")
	if err != nil {
		return nil, err
	}
	config := &fosite.Config{
		GlobalSecret:        tokenKey,
		EnforcePKCE:         true,
		ScopeStrategy:       fosite.ExactScopeStrategy,
		RefreshTokenScopes:  []string{ScopeOfflineAccess},
		ClientSecretsHasher: secretHasher{},
		TokenURL:            issuer + TokenPath,
		// Whoever signs an assertion has proven who it is (RFC 7523 section 3.1).
		GrantTypeJWTBearerCanSkipClientAuth: true,
	}
	times := &lifetimes{clock: now, live: live}
	strategy := &tokenStrategy{
		CoreStrategy: fositeoauth2.NewHMACSHAStrategyUnPrefixed(&hmac.HMACStrategy{Config: config}, config),
	}
	kept := &storage{state: db, live: live, clock: now, lifetimes: times}
	provider := compose.Compose(config, kept, strategy,
		compose.OAuth2AuthorizeExplicitFactory,
		compose.OAuth2ClientCredentialsGrantFactory,
		compose.OAuth2RefreshTokenGrantFactory,
		compose.OAuth2TokenIntrospectionFactory,
		compose.OAuth2TokenRevocationFactory,
		compose.OAuth2PKCEFactory,
		compose.OAuth2ResourceOwnerPasswordCredentialsFactory,
		compose.RFC7523AssertionGrantFactory,
		func(config fosite.Configurator, _, _ any) any { return newDeviceGrant(config, kept, strategy) },
	)
	return &Server{
		issuer: issuer, state: db, ledger: book, live: live, clock: now,
		lifetimes: times, strategy: strategy, provider: provider.(*fosite.Fosite), forms: forms.NewGuard(csrfKey, "/oauth"),
	}, nil
}

// tokenStrategy makes tokens as the library does, except that a refresh in a mode that does not rotate
// is answered with the refresh token it came with, and so is a second use in mode grace_old.
type tokenStrategy struct{ fositeoauth2.CoreStrategy }

func (s *tokenStrategy) GenerateRefreshToken(ctx context.Context, request fosite.Requester) (token, signature string, err error) {
	presented, noted := request.GetRequestForm().Get("refresh_token"), traceOf(ctx)
	if presented != "" && noted.inForce != nil && (!noted.inForce.Rotation.Replaces() ||
		noted.inForce.Rotation == settings.RotationGraceOld && noted.detail == detailGrace) {
		return presented, s.RefreshTokenSignature(ctx, presented), nil
	}
	return s.CoreStrategy.GenerateRefreshToken(ctx, request)
}

// secretHasher compares client secrets with the hashes of package state; see state.HashSecret for why no bcrypt.
type secretHasher struct{}

var errSecretMismatch = errors.New("client secret does not match")

func (secretHasher) Compare(_ context.Context, hash, secret []byte) error {
	if !state.SecretMatches(hash, string(secret)) {
		return errSecretMismatch
	}
	return nil
}

func (secretHasher) Hash(_ context.Context, secret []byte) ([]byte, error) {
	return state.HashSecret(string(secret)), nil
}
