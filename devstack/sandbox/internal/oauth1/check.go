package oauth1

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"connectedapps/devstack/sandbox/internal/state"
)

// maxSkew is how far a timestamp may be from the sandbox's clock.
const maxSkew = 5 * time.Minute

// Refusal is why a signed request was refused, by the names that providers give it (the "oauth_problem" of the OAuth
// Problem Reporting extension).
type Refusal struct{ Problem string }

func (r Refusal) Error() string { return r.Problem }

// The refusals.
var (
	errAbsent          = Refusal{"parameter_absent"}
	errRejected        = Refusal{"parameter_rejected"}
	errVersion         = Refusal{"version_rejected"}
	errMethod          = Refusal{"signature_method_rejected"}
	errTimestamp       = Refusal{"timestamp_refused"}
	errNonce           = Refusal{"nonce_used"}
	errConsumerUnknown = Refusal{"consumer_key_unknown"}
	errSignature       = Refusal{"signature_invalid"}
	errTokenRejected   = Refusal{"token_rejected"}
	errVerifier        = Refusal{"verifier_invalid"}
)

// signed is a request whose signature is good.
type signed struct {
	parameters
	client state.Client
	token  state.SignedToken // the zero value where the request names none
}

// check verifies a request. The parts that are allowed to differ are wantToken and whether the token is temporary.
func (s *Server) check(ctx context.Context, r *http.Request, body []byte, wantToken, temporary bool) (signed, error) {
	given, err := parametersOf(r)
	if errors.Is(err, errParameters) || errors.Is(err, errMalformed) {
		return signed{}, errRejected
	}
	if err != nil {
		return signed{}, errAbsent
	}
	for _, name := range []string{"oauth_consumer_key", "oauth_nonce", "oauth_timestamp", "oauth_signature", "oauth_signature_method"} {
		if given[name] == "" {
			return signed{}, errAbsent
		}
	}
	switch {
	case given["oauth_version"] != "" && given["oauth_version"] != "1.0":
		return signed{}, errVersion
	case given["oauth_signature_method"] != "HMAC-SHA1":
		return signed{}, errMethod
	case wantToken == (given["oauth_token"] == ""):
		return signed{}, errAbsent
	}
	request := signed{parameters: given}
	if request.client, err = s.state.Client(ctx, given["oauth_consumer_key"]); errors.Is(err, state.ErrNotFound) {
		return signed{}, errConsumerUnknown
	} else if err != nil {
		return signed{}, err
	}
	secret, err := s.state.Unseal(ctx, request.client.SealedSecret)
	if err != nil {
		return signed{}, err
	}
	tokenSecret := ""
	if wantToken {
		if request.token, err = s.tokenFor(ctx, request.client, given["oauth_token"], temporary); err != nil {
			return signed{}, err
		}
		tokenSecret = s.secretOf(given["oauth_token"])
	}
	if !signatureMatches(given["oauth_signature"], baseString(r, s.issuer, body, given), secret, tokenSecret) {
		return signed{}, errSignature
	}
	return request, s.takeNonce(given)
}

func (s *Server) tokenFor(ctx context.Context, client state.Client, token string, temporary bool) (state.SignedToken, error) {
	found, err := s.state.SignedToken(ctx, token)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return found, err
	}
	expired := !found.ExpiresAt.IsZero() && !s.clock.Now().Before(found.ExpiresAt)
	if err != nil || found.Client != client.ID || found.Temporary != temporary || expired {
		return found, errTokenRejected
	}
	return found, nil
}

// nonces remembers which were used, for as long as their timestamps are good (RFC 5849 section 3.3).
type nonces struct {
	mu   sync.Mutex
	used map[string]time.Time
}

// takeNonce comes after the signature: whoever cannot sign must not be able to use up another's nonces.
func (s *Server) takeNonce(given parameters) error {
	seconds, err := strconv.ParseInt(given["oauth_timestamp"], 10, 64)
	now := s.clock.Now()
	at := time.Unix(seconds, 0)
	if err != nil || at.Before(now.Add(-maxSkew)) || at.After(now.Add(maxSkew)) {
		return errTimestamp
	}
	s.nonces.mu.Lock()
	defer s.nonces.mu.Unlock()
	for nonce, until := range s.nonces.used {
		if until.Before(now) {
			delete(s.nonces.used, nonce)
		}
	}
	key := strings.Join([]string{given["oauth_consumer_key"], given["oauth_token"], given["oauth_timestamp"], given["oauth_nonce"]}, "\x00")
	if _, used := s.nonces.used[key]; used {
		return errNonce
	}
	s.nonces.used[key] = at.Add(maxSkew + time.Second)
	return nil
}
