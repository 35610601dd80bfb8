package connectors

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"connectedapps/connection"
)

// usualErrorText is where most APIs put their words about a failure.
const usualErrorText Path = "error.message || message || error_description || detail || errors[0].message || error || title"

// ambiguousStatus lists the failures after which a change may have happened:
// the server broke down at it, or a gateway in front of it gave up waiting.
var ambiguousStatus = []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout}

// problem says what an answer means; nil means it is a success. ok replaces the
// app's success predicate where it is set. repeatable says whether asking again
// could do something twice: if so, a failure that leaves the outcome open is
// reported as that.
func (s Session) problem(a *answer, ok Predicate, repeatable bool) *connection.Problem {
	rules, name := s.App.Answers, s.App.Name
	if ok == "" {
		ok = rules.OK
	}
	if ok == "" && a.status/100 == 2 || ok.holds(a) {
		return nil
	}
	message := fmt.Sprintf("%s answered %d", name, a.status)
	if words := a.words(rules.Error); words != "" {
		message += ": " + words
	}
	switch {
	case a.status == http.StatusTooManyRequests || rules.RateLimited.holds(a):
		return rateLimited(message, a.status, a.wait(rules.Waits))
	case rules.ScopeMissing.holds(a): // before the 401 that some providers say it with
		return scopeMissing(message+a.wanted(message), a.status)
	case a.status == http.StatusUnauthorized || rules.Unauthorized.holds(a):
		return unauthorized(message)
	case !repeatable && a.ambiguous(rules.Ambiguous):
		return outcomeUnknown(message+", and it may have done what was asked", a.status)
	case a.status >= 500 || a.status == http.StatusRequestTimeout || a.status == http.StatusTooEarly || rules.Transient.holds(a):
		p := connection.ProviderUnavailable(message, a.status)
		p.RetryAfter = a.wait(rules.Waits)
		return p
	default:
		return rejectedInput(message, a.status)
	}
}

// challengeScope is the attribute that names the scopes a request needs (RFC 6750 section 3).
var challengeScope = regexp.MustCompile(`(?i)\bscope="([^"]*)"`)

// wanted are the scopes that a refusal asks for in its challenge, in words; "" where
// it names none that the message has not.
func (a *answer) wanted(message string) string {
	found := challengeScope.FindStringSubmatch(a.header.Get("WWW-Authenticate"))
	if found == nil || found[1] == "" || strings.Contains(message, found[1]) {
		return ""
	}
	return " (it needs " + a.scrub.text(found[1]) + ")"
}

func (a *answer) ambiguous(declared Predicate) bool {
	if declared != "" {
		return declared.holds(a)
	}
	return slices.Contains(ambiguousStatus, a.status)
}

// words are the provider's own about a failure, fit to be shown. A page of HTML has none.
func (a *answer) words(declared Path) string {
	if text, ok := a.body.(string); ok {
		if strings.HasPrefix(strings.TrimSpace(text), "<") {
			return ""
		}
		return a.scrub.text(text)
	}
	return a.scrub.text(declared.or(usualErrorText).text(a.body))
}
