package state

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// errUnsealable is answered for what was not sealed with the key of this file.
var errUnsealable = errors.New("a sealed secret cannot be opened")

// Seal hides a secret that must be had back in clear, such as the one a client signs OAuth 1.0a requests with. The
// key is in the same file: this keeps secrets from whoever searches the file for them, not from whoever reads it.
func (d *DB) Seal(ctx context.Context, secret string) ([]byte, error) {
	sealer, err := d.sealer(ctx)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, sealer.NonceSize())
	_, _ = rand.Read(nonce) // crypto/rand.Read never fails (Go 1.24)
	return sealer.Seal(nonce, nonce, []byte(secret), nil), nil
}

// Unseal is the secret that Seal was given; "" for nothing.
func (d *DB) Unseal(ctx context.Context, sealed []byte) (string, error) {
	sealer, err := d.sealer(ctx)
	if err != nil || len(sealed) == 0 {
		return "", err
	}
	if len(sealed) < sealer.NonceSize() {
		return "", errUnsealable
	}
	plain, err := sealer.Open(nil, sealed[:sealer.NonceSize()], sealed[sealer.NonceSize():], nil)
	if err != nil {
		return "", errUnsealable
	}
	return string(plain), nil
}

func (d *DB) sealer(ctx context.Context) (cipher.AEAD, error) {
	key, err := d.SigningKey(ctx, "sealed-secrets")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
