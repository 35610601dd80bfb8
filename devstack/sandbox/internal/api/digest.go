package api

import (
	"crypto/hmac"
	"crypto/md5" // #nosec G501 -- RFC 7616 section 6.1 keeps it
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"connectedapps/devstack/sandbox/internal/clock"
)

// digestRealm is part of what is hashed.
const digestRealm = "sandbox"

// nonceSalt is how many letters make nonces of one moment differ.
const nonceSalt = 8

// digestAlgorithms are what is offered, the better one first (RFC 7616 section 3.7).
var digestAlgorithms = []struct {
	name string
	hash func() hash.Hash
}{{"SHA-256", sha256.New}, {"MD5", md5.New}}

// digests checks HTTP Digest with qop=auth. Nonces are signed times; of each it is remembered how far its count has come.
type digests struct {
	clock    clock.Clock
	lifetime func() time.Duration
	key      []byte

	mu     sync.Mutex
	counts map[string]uint64 // by nonce
}

func newDigests(now clock.Clock, lifetime func() time.Duration, key []byte) *digests {
	return &digests{clock: now, lifetime: lifetime, key: key, counts: map[string]uint64{}}
}

// challenges are the WWW-Authenticate headers, one for each algorithm, with one nonce.
func (d *digests) challenges(stale bool) []string {
	issued := binary.BigEndian.AppendUint64(nil, uint64(d.clock.Now().UnixNano()))
	issued = append(issued, rand.Text()[:nonceSalt]...) // or two clients of one moment would share a count
	nonce := base64.RawURLEncoding.EncodeToString(append(issued, d.seal(issued)...))
	var all []string
	for _, algorithm := range digestAlgorithms {
		challenge := fmt.Sprintf(`Digest realm="%s", qop="auth", algorithm=%s, nonce="%s", opaque="sandbox"`, digestRealm, algorithm.name, nonce)
		if stale {
			challenge += ", stale=true"
		}
		all = append(all, challenge)
	}
	return all
}

func (d *digests) seal(issued []byte) []byte {
	mac := hmac.New(sha256.New, d.key)
	mac.Write(issued)
	return mac.Sum(nil)
}

// digestField is one parameter of the Authorization header (RFC 7616 section 3.4).
var digestField = regexp.MustCompile(`([a-z]+)=(?:"([^"\\]*)"|([^\s",]+))(?:,\s*|$)`)

func digestFields(r *http.Request) map[string]string {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return nil
	}
	fields := map[string]string{}
	for _, match := range digestField.FindAllStringSubmatch(rest, -1) {
		fields[match[1]] = match[2] + match[3]
	}
	return fields
}

// check verifies an answer to a challenge. stale means that all is right but the age of the nonce.
func (d *digests) check(r *http.Request, fields map[string]string, username, password string) (ok, stale bool) {
	if fields["username"] != username || fields["realm"] != digestRealm || fields["qop"] != "auth" ||
		fields["uri"] != r.URL.RequestURI() || fields["cnonce"] == "" || fields["opaque"] != "sandbox" {
		return false, false
	}
	count, err := strconv.ParseUint(fields["nc"], 16, 32)
	if err != nil || len(fields["nc"]) != 8 || count == 0 {
		return false, false
	}
	want, known := digestResponse(r.Method, fields, password)
	if !known || !hmac.Equal([]byte(want), []byte(fields["response"])) {
		return false, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(fields["nonce"])
	const sealed = 8 + nonceSalt
	if err != nil || len(raw) != sealed+sha256.Size || !hmac.Equal(raw[sealed:], d.seal(raw[:sealed])) {
		return false, true // a nonce of nobody's: a new one helps (section 3.5)
	}
	issued := time.Unix(0, int64(binary.BigEndian.Uint64(raw)))
	if !d.clock.Now().Before(issued.Add(d.lifetime())) {
		return false, true
	}
	return d.take(fields["nonce"], count), false
}

// take reports whether the count is beyond all that came with this nonce. A repeated request is thereby refused.
func (d *digests) take(nonce string, count uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if count <= d.counts[nonce] {
		return false
	}
	d.counts[nonce] = count
	return true
}

// digestResponse is what the header must say (RFC 7616 section 3.4.1).
func digestResponse(method string, fields map[string]string, password string) (response string, known bool) {
	for _, algorithm := range digestAlgorithms {
		if !strings.EqualFold(algorithm.name, fields["algorithm"]) {
			continue
		}
		h := func(parts ...string) string {
			sum := algorithm.hash()
			sum.Write([]byte(strings.Join(parts, ":")))
			return hex.EncodeToString(sum.Sum(nil))
		}
		return h(h(fields["username"], fields["realm"], password), fields["nonce"], fields["nc"], fields["cnonce"], fields["qop"],
			h(method, fields["uri"])), true
	}
	return "", false
}
