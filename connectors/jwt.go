package connectors

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"connectedapps/connection"
)

// defaultJWTLifetime is short: a token is made for one request. RFC 7523
// section 3 lets servers refuse those that live unreasonably long.
const defaultJWTLifetime = 5 * time.Minute

// jwtDrift is how far a server's clock may be behind ours.
const jwtDrift = 30 * time.Second

// sign makes the token. defaults are claims that the declared ones replace; a
// claim declared as null is left out. Every failure is ErrInvalidInput, names
// the input the key comes from, and repeats nothing of it.
func (j *JWT) sign(lookup func(name string) (string, bool), defaults map[string]any) (string, error) {
	algorithm := j.Algorithm
	if algorithm == "" {
		algorithm = jwt.SigningMethodRS256.Name
	}
	text, ok := j.key().expand(lookup)
	if !ok || text == "" {
		return "", j.unfit("it is missing")
	}
	key, err := signingKey(algorithm, text)
	if err != nil {
		return "", j.unfit(err.Error())
	}
	now := time.Now()
	lifetime := j.Lifetime
	if lifetime <= 0 {
		lifetime = defaultJWTLifetime
	}
	// Clocks drift, and servers refuse what was made in their future.
	claims := jwt.MapClaims{"iat": now.Add(-jwtDrift).Unix(), "exp": now.Add(lifetime).Unix(), "jti": uuid.NewString()}
	for name, value := range defaults {
		claims[name] = value
	}
	overlayJSON(claims, j.Claims, lookup)
	token := jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), claims)
	overlayJSON(token.Header, j.Header, lookup)
	if id, ok := j.KeyID.expand(lookup); ok && id != "" {
		token.Header["kid"] = id
	}
	signed, err := token.SignedString(key)
	if err != nil {
		return "", j.unfit("it does not fit " + algorithm)
	}
	return signed, nil
}

// key is what the token is signed with: the input private_key where nothing is declared.
func (j *JWT) key() Text {
	if j.Key == "" {
		return "{private_key}"
	}
	return j.Key
}

// overlayJSON fills declared JSON in over what is there; null takes away.
func overlayJSON(base, declared map[string]any, lookup func(string) (string, bool)) {
	for name, value := range declared {
		if value == nil {
			delete(base, name)
		} else if filled, ok := expandJSON(value, lookup); ok {
			base[name] = filled
		}
	}
}

// unfit reports what is wrong with the key.
func (j *JWT) unfit(reason string) *connection.Problem {
	field := "key"
	if names := j.key().variables(); len(names) > 0 {
		field = names[0]
	}
	return connection.InvalidInput(field, "no JWT can be signed with this key: "+reason, "give the key as the provider issued it")
}

// signingKey reads the key for an algorithm; whether it is of the right kind, signing tells.
func signingKey(algorithm, text string) (any, error) {
	switch {
	case jwt.GetSigningMethod(algorithm) == nil:
		return nil, errors.New("there is no algorithm " + connection.Bound(algorithm, maxEcho))
	case algorithm == jwt.SigningMethodHS256.Name:
		return []byte(text), nil
	default:
		return privateKey(text)
	}
}

// privateKey reads a private key in PEM: PKCS #1, PKCS #8 or SEC 1, whatever
// else stands around it. The error repeats nothing of it.
func privateKey(text string) (crypto.Signer, error) {
	rest := []byte(standardPEM(text))
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("it is no private key in PEM")
		}
		if strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
			return nil, errors.New("it is protected by a passphrase")
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if signer, ok := key.(crypto.Signer); ok {
				return signer, nil
			}
		}
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		return nil, errors.New("the private key in it is damaged")
	}
}

var pemBlock = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END [A-Z0-9 ]+-----`)

// standardPEM puts the line breaks back that a key loses in a single-line field
// or a JSON file, where they are spaces or the two characters \n.
func standardPEM(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, `\r`, ""), `\n`, "\n")
	return pemBlock.ReplaceAllStringFunc(text, func(found string) string {
		parts := pemBlock.FindStringSubmatch(found)
		body := strings.Join(strings.Fields(parts[2]), "\n")
		return "-----BEGIN " + parts[1] + "-----\n" + body + "\n-----END " + parts[1] + "-----\n"
	})
}
