package oauth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"

	"github.com/ory/fosite"

	"connectedapps/devstack/sandbox/internal/state"
)

// In rotation mode grace_same a second use of a refresh token gets the very answer of the first. The answer holds
// tokens, so it is kept sealed under a key that only the presented refresh token yields.

func (s *Server) keepAnswer(ctx context.Context, refreshToken string, body map[string]any) error {
	plain, err := json.Marshal(body)
	if err != nil {
		return fosite.ErrServerError.WithWrap(err)
	}
	sealer := sealerFor(refreshToken)
	nonce := make([]byte, sealer.NonceSize())
	_, _ = rand.Read(nonce) // crypto/rand.Read never fails (Go 1.24)
	sealed := sealer.Seal(nonce, nonce, plain, nil)
	if err := s.state.PutSealedPair(ctx, s.strategy.RefreshTokenSignature(ctx, refreshToken), sealed); err != nil {
		return fosite.ErrServerError.WithWrap(err)
	}
	return nil
}

// repeatAnswer answers ErrInvalidGrant where no answer was kept: the token was first used in another mode.
func (s *Server) repeatAnswer(ctx context.Context, refreshToken string) (map[string]any, error) {
	sealed, err := s.state.SealedPair(ctx, s.strategy.RefreshTokenSignature(ctx, refreshToken))
	if errors.Is(err, state.ErrNotFound) {
		return nil, fosite.ErrInvalidGrant.WithHint("The refresh token was already used.")
	}
	if err != nil {
		return nil, fosite.ErrServerError.WithWrap(err)
	}
	sealer := sealerFor(refreshToken)
	plain, err := sealer.Open(nil, sealed[:sealer.NonceSize()], sealed[sealer.NonceSize():], nil)
	if err != nil {
		return nil, fosite.ErrServerError.WithWrap(err)
	}
	var body map[string]any
	if err := json.Unmarshal(plain, &body); err != nil {
		return nil, fosite.ErrServerError.WithWrap(err)
	}
	noted := traceOf(ctx)
	noted.detail, noted.generation = detailReplayed, noted.presentedGeneration+1
	return body, nil
}

func sealerFor(refreshToken string) cipher.AEAD {
	key := sha256.Sum256([]byte("sandbox sealed answer\x00" + refreshToken))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // a 32-byte key is always accepted
	}
	sealer, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the block size that GCM wants
	}
	return sealer
}
