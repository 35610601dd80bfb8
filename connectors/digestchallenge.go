package connectors

import (
	"crypto/md5" // #nosec G501 -- RFC 7616 keeps it, and devices know nothing else
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"regexp"
	"strings"

	"github.com/icholy/digest"
)

// maxChallenge bounds a challenge, in bytes: honest ones have a few hundred.
const maxChallenge = 8 << 10

// digestHashes are the algorithms of RFC 7616 section 6.1, each also with -sess.
// The name in use is the one the library knows.
var digestHashes = map[string]func() hash.Hash{"MD5": md5.New, "SHA-256": sha256.New, "SHA-512-256": sha512.New512_256}

// digestChallenge is a challenge that can be answered.
type digestChallenge struct {
	digest.Challenge
	// algorithm is the hash without -sess.
	algorithm string
	session   bool
}

// digestChallengeIn finds the first challenge that can be answered, as the
// server's order is its preference (RFC 7616 section 3.7); nil for none.
func digestChallengeIn(header http.Header) *digestChallenge {
	for _, line := range header.Values("WWW-Authenticate") {
		if len(line) > maxChallenge {
			continue
		}
		for _, text := range splitChallenges(line) {
			if challenge := readChallenge(text); challenge != nil {
				return challenge
			}
		}
	}
	return nil
}

var (
	// challengeStart is a scheme and what begins its first parameter (RFC 9110 section 11.3).
	challengeStart = regexp.MustCompile(`^[\s,]*[A-Za-z0-9!#$%&'*+.^_|~-]+[ \t]+[A-Za-z0-9!#$%&'*+.^_|~-]+[ \t]*=`)
	// authParam is one parameter, quoted or not (RFC 9110 section 11.2).
	authParam = regexp.MustCompile(`^[\s,]*([A-Za-z0-9!#$%&'*+.^_|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))`)
	unquote   = regexp.MustCompile(`\\(.)`)
)

// splitChallenges takes a header line apart that holds several challenges.
func splitChallenges(line string) []string {
	var out []string
	quoted, from := false, 0
	for i := 0; i < len(line); i++ {
		switch {
		case quoted && line[i] == '\\':
			i++
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ',' && !quoted && challengeStart.MatchString(line[i:]):
			out = append(out, line[from:i])
			from = i + 1
		}
	}
	return append(out, line[from:])
}

// readChallenge reads one challenge; nil for another scheme, and for what cannot be answered.
func readChallenge(text string) *digestChallenge {
	scheme, rest, _ := strings.Cut(strings.TrimLeft(text, " \t,"), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return nil
	}
	params := map[string]string{}
	for {
		found := authParam.FindStringSubmatch(rest)
		if found == nil {
			break
		}
		name := strings.ToLower(found[1])
		if _, twice := params[name]; twice {
			return nil
		}
		params[name] = unquote.ReplaceAllString(found[2], "$1") + found[3]
		rest = rest[len(found[0]):]
	}
	if strings.Trim(rest, " \t,") != "" || params["nonce"] == "" {
		return nil
	}
	c := &digestChallenge{Challenge: digest.Challenge{
		Realm: params["realm"], Nonce: params["nonce"], Opaque: params["opaque"], Algorithm: params["algorithm"],
		Stale: strings.EqualFold(params["stale"], "true"), Userhash: strings.EqualFold(params["userhash"], "true"),
	}}
	for quality := range strings.SplitSeq(params["qop"], ",") {
		if quality = strings.ToLower(strings.TrimSpace(quality)); quality != "" {
			c.QOP = append(c.QOP, quality)
		}
	}
	c.algorithm, c.session = strings.CutSuffix(strings.ToUpper(c.Algorithm), "-SESS")
	if c.algorithm == "" {
		c.algorithm = "MD5"
	}
	known := digestHashes[c.algorithm] != nil
	answerable := c.SupportsQOP("auth") || c.SupportsQOP("auth-int") || len(c.QOP) == 0 && !c.session
	if !known || !answerable {
		return nil
	}
	return c
}

// answer is the Authorization header for a request, the count-th answered to
// this challenge. cnonce is the client's nonce of the whole session for -sess,
// whose key is made of it once (RFC 7616 section 3.4.2).
func (c *digestChallenge) answer(o digest.Options, cnonce string) (string, error) {
	plain := c.Challenge
	plain.Algorithm = c.algorithm
	if c.session {
		h := digestHashes[c.algorithm]
		o.Cnonce = cnonce
		o.A1 = hashText(h, hashText(h, o.Username+":"+c.Realm+":"+o.Password)+":"+c.Nonce+":"+cnonce)
	}
	credentials, err := digest.Digest(&plain, o)
	if err != nil {
		return "", errors.New("the challenge cannot be answered")
	}
	// As the server wrote it: one that named none must not be answered with one.
	credentials.Algorithm = c.Algorithm
	return credentials.String(), nil
}

func hashText(of func() hash.Hash, text string) string {
	h := of()
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}
