package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AWS Signature Version 4, as "Create a signed AWS API request" of the IAM user guide has it.
const (
	sigV4Algorithm = "AWS4-HMAC-SHA256"
	sigV4Service   = "sandbox"
	sigV4Time      = "20060102T150405Z"
	// sigV4Skew is how far the date of a request may be from the sandbox's clock.
	sigV4Skew = 5 * time.Minute
)

// sigV4 is a signature that a request brings, not yet checked.
type sigV4 struct {
	accessKey, date, region, service string
	headers                          []string
	signature                        string
}

var sigV4Header = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$`)

// sigV4Of reads the Authorization header; ok is false for any other scheme and for one that is malformed.
func sigV4Of(r *http.Request) (found sigV4, ok bool) {
	match := sigV4Header.FindStringSubmatch(r.Header.Get("Authorization"))
	if match == nil {
		return sigV4{}, false
	}
	return sigV4{match[1], match[2], match[3], match[4], strings.Split(match[5], ";"), match[6]}, true
}

// matches reports whether the request was signed with the secret for this service, about now, with its body, and
// whether all that the signature must cover is covered.
func (s sigV4) matches(r *http.Request, body []byte, secret string, now time.Time) bool {
	stamp := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(sigV4Time, stamp)
	if err != nil || stamp[:8] != s.date || at.Before(now.Add(-sigV4Skew)) || at.After(now.Add(sigV4Skew)) {
		return false
	}
	if s.service != sigV4Service || !slices.IsSorted(s.headers) || !slices.Contains(s.headers, "host") || !slices.Contains(s.headers, "x-amz-date") {
		return false
	}
	payload := sha256.Sum256(body)
	if declared := r.Header.Get("X-Amz-Content-Sha256"); declared != "" && declared != hex.EncodeToString(payload[:]) {
		return false
	}
	return hmac.Equal([]byte(s.signature), []byte(s.sign(r, hex.EncodeToString(payload[:]), secret)))
}

// sign is the signature that the request must have.
func (s sigV4) sign(r *http.Request, payload, secret string) string {
	canonical := sha256.Sum256([]byte(s.canonical(r, payload)))
	scope := strings.Join([]string{s.date, s.region, s.service, "aws4_request"}, "/")
	text := strings.Join([]string{sigV4Algorithm, r.Header.Get("X-Amz-Date"), scope, hex.EncodeToString(canonical[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request"} {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(hmacSHA256(key, text))
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// canonical is the request in the form that is hashed. A path is escaped twice, as for every service but S3.
func (s sigV4) canonical(r *http.Request, payload string) string {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	for i, segment := range segments {
		segments[i] = sigV4Escape(segment)
	}
	path := strings.Join(segments, "/")
	if path == "" {
		path = "/"
	}
	var query []string
	for name, values := range r.URL.Query() {
		for _, value := range values {
			query = append(query, sigV4Escape(name)+"="+sigV4Escape(value))
		}
	}
	slices.Sort(query)
	var headers strings.Builder
	for _, name := range s.headers {
		values := r.Header.Values(name)
		switch name {
		case "host":
			values = []string{r.Host}
		case "content-length":
			values = []string{strconv.FormatInt(r.ContentLength, 10)} // net/http keeps it out of the headers
		}
		trimmed := make([]string, len(values))
		for i, value := range values {
			trimmed[i] = strings.Join(strings.Fields(value), " ")
		}
		headers.WriteString(name + ":" + strings.Join(trimmed, ",") + "\n")
	}
	return strings.Join([]string{r.Method, path, strings.Join(query, "&"), headers.String(), strings.Join(s.headers, ";"), payload}, "\n")
}

// sigV4Escape leaves only the unreserved characters of RFC 3986.
func sigV4Escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
