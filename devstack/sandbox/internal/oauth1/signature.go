package oauth1

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- RFC 5849 section 3.4.2 knows nothing better
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

var (
	errNotSigned  = errors.New("no OAuth Authorization header")
	errMalformed  = errors.New("the OAuth Authorization header is malformed")
	errParameters = errors.New("an oauth parameter is given twice or stands outside of the Authorization header")
)

// parameters are those of the Authorization header (RFC 5849 section 3.5.1), without realm.
type parameters map[string]string

// parametersOf reads them. One that is there twice, or in the query, is refused: two readers could differ on which counts.
func parametersOf(r *http.Request) (parameters, error) {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "OAuth") {
		return nil, errNotSigned
	}
	found := parameters{}
	for field := range strings.SplitSeq(rest, ",") {
		name, quoted, ok := strings.Cut(strings.TrimSpace(field), "=")
		if !ok || len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
			return nil, errMalformed
		}
		name, errName := url.PathUnescape(name)
		value, errValue := url.PathUnescape(quoted[1 : len(quoted)-1])
		if errName != nil || errValue != nil {
			return nil, errMalformed
		}
		if name == "realm" {
			continue
		}
		if _, twice := found[name]; twice {
			return nil, errParameters
		}
		found[name] = value
	}
	for name := range r.URL.Query() {
		if strings.HasPrefix(name, "oauth_") {
			return nil, errParameters
		}
	}
	return found, nil
}

// escape is the encoding of RFC 5849 section 3.6.
func escape(text string) string {
	const hexadecimal = "0123456789ABCDEF"
	var out strings.Builder
	for _, b := range []byte(text) {
		if 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || strings.IndexByte("-._~", b) >= 0 {
			out.WriteByte(b)
			continue
		}
		out.Write([]byte{'%', hexadecimal[b>>4], hexadecimal[b&15]})
	}
	return out.String()
}

// baseString is what is signed (RFC 5849 section 3.4.1). origin is the scheme and authority that clients know.
func baseString(r *http.Request, origin string, body []byte, given parameters) string {
	var pairs []string
	add := func(name, value string) { pairs = append(pairs, escape(name)+"="+escape(value)) }
	sources := []url.Values{r.URL.Query()}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		if form, err := url.ParseQuery(string(body)); err == nil {
			sources = append(sources, form)
		}
	}
	for _, source := range sources {
		for name, values := range source {
			for _, value := range values {
				add(name, value)
			}
		}
	}
	for name, value := range given {
		if name != "oauth_signature" {
			add(name, value)
		}
	}
	// Sorting name=value sorts by name and then by value, but where one name is the beginning of another: = comes
	// after the digits and before the letters.
	slices.SortFunc(pairs, func(a, b string) int {
		nameA, valueA, _ := strings.Cut(a, "=")
		nameB, valueB, _ := strings.Cut(b, "=")
		if order := strings.Compare(nameA, nameB); order != 0 {
			return order
		}
		return strings.Compare(valueA, valueB)
	})
	return strings.ToUpper(r.Method) + "&" + escape(origin+r.URL.EscapedPath()) + "&" + escape(strings.Join(pairs, "&"))
}

// sign is HMAC-SHA1 with the two secrets (RFC 5849 section 3.4.2).
func sign(base, consumerSecret, tokenSecret string) []byte {
	mac := hmac.New(sha1.New, []byte(escape(consumerSecret)+"&"+escape(tokenSecret)))
	mac.Write([]byte(base))
	return mac.Sum(nil)
}

func signatureMatches(given, base, consumerSecret, tokenSecret string) bool {
	signature, err := base64.StdEncoding.DecodeString(given)
	return err == nil && hmac.Equal(signature, sign(base, consumerSecret, tokenSecret))
}
