package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"regexp"
	"strings"

	"connectedapps/connection"
)

// tokenPrefix lets people and secret scanners recognise an access token.
const tokenPrefix = "cat_"

// randomBytes is the entropy of tokens and links: 200 bits, 40 characters of base32.
const randomBytes = 25

var (
	base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	randomText  = regexp.MustCompile(`^[a-z2-7]{40}$`)
)

func newRandom() string {
	raw := make([]byte, randomBytes)
	_, _ = rand.Read(raw) // never fails, since Go 1.24
	return base32Lower.EncodeToString(raw)
}

// AgentRole is what [connection.AccessToken] has as its role where it is an agent's. It
// is no [Role]: it may do nothing in the console or through the API.
const AgentRole = "agent"

// NewToken mints an access token of an environment: cat_<environment>_<random>.
func NewToken(environment string) connection.Secret {
	return connection.NewSecret(tokenPrefix + environment + "_" + newRandom())
}

// NewLink mints the text of a sign-in link: <environment>_<random>. The entry of that
// environment decides who of several uses the link, in all environments it is for.
func NewLink(environment string) connection.Secret {
	return connection.NewSecret(environment + "_" + newRandom())
}

// Hash is under what a token or a link is stored.
func Hash(text connection.Secret) string { return hashText(text.Reveal()) }

func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// environmentOf is the environment that a token or link names; false for what is none.
// Names of environments have no underscore.
func environmentOf(text string) (string, bool) {
	environment, random, _ := strings.Cut(text, "_")
	return environment, connection.CheckSlug("environment", environment) == nil && randomText.MatchString(random)
}
