package connectors

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// TimeForm is how a provider writes a moment or a length of time.
type TimeForm string

const (
	FormSeconds      TimeForm = "seconds"      // from now, whole or fractional, number or text
	FormMilliseconds TimeForm = "milliseconds" // from now
	FormEpoch        TimeForm = "epoch"        // seconds since 1970
	FormEpochMillis  TimeForm = "epoch-ms"     // milliseconds since 1970
	FormISO          TimeForm = "iso"          // RFC 3339
	FormDate         TimeForm = "date"         // as in HTTP headers, RFC 9110 section 5.6.7
	FormDuration     TimeForm = "duration"     // "1h30m"
	FormJWT          TimeForm = "jwt"          // the exp claim of a JWT, RFC 7519 section 4.1.4
)

// maxWait bounds a wait that a provider asks for. Daily quotas are the longest in use.
const maxWait = 24 * time.Hour

// maxLifetime bounds a token's lifetime: more is a provider's way to say "for ever".
const maxLifetime = 10 * 365 * 24 * time.Hour

// length reads a length of time. Moments are measured from now, which is the
// provider's own clock; without it they say nothing. It reports false for what
// cannot be read, and for what is not ahead.
func (f TimeForm) length(text string, now time.Time, limit time.Duration) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, false
	}
	switch f {
	case FormSeconds, "":
		return scaled(text, time.Second, limit)
	case FormMilliseconds:
		return scaled(text, time.Millisecond, limit)
	case FormDuration:
		d, err := time.ParseDuration(text)
		return min(d, limit), err == nil && d > 0
	case FormEpoch, FormEpochMillis:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || n <= 0 || n > 1e15 {
			return 0, false
		}
		if f == FormEpochMillis {
			n /= 1000
		}
		return until(time.Unix(int64(n), 0), now, limit)
	case FormJWT:
		return FormEpoch.length(Path("exp").text(jwtClaims(text)), now, limit)
	case FormISO:
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return 0, false
		}
		return until(moment, now, limit)
	case FormDate:
		moment, err := http.ParseTime(text)
		if err != nil {
			return 0, false
		}
		return until(moment, now, limit)
	default:
		return 0, false
	}
}

// scaled reads a number of units.
func scaled(text string, unit, limit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || n <= 0 {
		return 0, false
	}
	if n >= float64(limit/unit) {
		return limit, true
	}
	d := time.Duration(n * float64(unit)) // below a nanosecond it is as good as zero
	return d, d > 0
}

func until(moment, now time.Time, limit time.Duration) (time.Duration, bool) {
	if now.IsZero() {
		return 0, false
	}
	d := moment.Sub(now)
	return min(d, limit), d > 0
}

// RetryAfter is how long an answer's Retry-After header asks to wait, a day at most;
// false when it does not say.
func RetryAfter(header http.Header) (time.Duration, bool) {
	return retryAfter(header, (&answer{header: header}).date())
}

// retryAfter reads the Retry-After header: seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	text := header.Get("Retry-After")
	if wait, ok := FormSeconds.length(text, now, maxWait); ok {
		return wait, true
	}
	return FormDate.length(text, now, maxWait)
}

// wait is how long the answer asks to wait; 0 when it does not say.
func (a *answer) wait(hints []WaitHint) time.Duration {
	if wait, ok := retryAfter(a.header, a.date()); ok {
		return wait
	}
	for _, hint := range hints {
		text := a.header.Get(hint.Header)
		if hint.Body != "" {
			text = hint.Body.text(a.body)
		}
		if wait, ok := hint.Form.length(text, a.date(), maxWait); ok {
			return wait
		}
	}
	return 0
}
