package state

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
)

// HashSecret is how a client secret or static credential is kept. A plain SHA-256 is enough for secrets that
// are random and long, as those this package makes are; it keeps a token request from costing a quarter of
// a second of bcrypt.
func HashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return []byte(hex.EncodeToString(sum[:]))
}

// SecretMatches compares in constant time.
func SecretMatches(hash []byte, secret string) bool {
	return subtle.ConstantTimeCompare(hash, HashSecret(secret)) == 1
}

// NewSecret is 192 random bits after a prefix that says what it is ("pat_").
func NewSecret(prefix string) string {
	raw := make([]byte, 24)
	_, _ = rand.Read(raw) // crypto/rand.Read never fails (Go 1.24)
	return prefix + base64.RawURLEncoding.EncodeToString(raw)
}
