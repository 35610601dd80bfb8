package connectors

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"connectedapps/connection"
)

// Codes of the OAuth Problem Reporting extension, which providers answer with
// since RFC 5849 has none of its own.
var (
	// problemsOfToken: the token is over, or what a person allowed is.
	problemsOfToken = []string{"token_rejected", "token_revoked", "token_expired", "token_used", "permission_denied", "permission_unknown",
		"user_refused", "verifier_invalid"}
	// problemsOfConsumer: the registration is refused, or what is signed with it.
	problemsOfConsumer = []string{"consumer_key_unknown", "consumer_key_rejected", "consumer_key_refused",
		"signature_invalid", "signature_method_rejected", "parameter_absent", "parameter_rejected", "version_rejected"}
	// problemsOfClocks: a clock is wrong, or a nonce was met twice; another try may do.
	problemsOfClocks = []string{"timestamp_refused", "nonce_used", "consumer_key_refused_temporarily"}
)

// oauthProblem is the code in an answer: in the header, as the extension says, or in the body.
func oauthProblem(a *answer) string {
	for _, line := range a.header.Values("WWW-Authenticate") {
		for _, text := range splitChallenges(line) {
			for text != "" {
				at := authParam.FindStringSubmatchIndex(text)
				if at == nil {
					text = text[1:]
					continue
				}
				found := authParam.FindStringSubmatch(text)
				if found[1] == "oauth_problem" {
					return found[2] + found[3]
				}
				text = text[at[1]:]
			}
		}
	}
	if object, ok := a.body.(map[string]any); ok {
		code, _ := object["oauth_problem"].(string)
		return code
	}
	if form, err := url.ParseQuery(string(a.raw)); err == nil {
		return form.Get("oauth_problem")
	}
	return ""
}

// judge says what an answer of the API means; nil is a success. An OAuth 1.0a
// provider may say of its own what a 401 is about.
func (s Session) judge(a *answer, ok Predicate, repeatable bool) *connection.Problem {
	problem := s.problem(a, ok, repeatable)
	if problem == nil || s.Method.Kind != connection.OAuth1 || a.status/100 != 4 {
		return problem
	}
	code := oauthProblem(a)
	switch {
	case slices.Contains(problemsOfToken, code):
		return unauthorized(problem.Message)
	case slices.Contains(problemsOfConsumer, code) && a.status == http.StatusUnauthorized:
		return clientMisconfigured(problem.Message, a.status)
	case slices.Contains(problemsOfClocks, code):
		return connection.ProviderUnavailable(problem.Message, a.status)
	default:
		return problem
	}
}

// refusal is what an answer of an endpoint without a token means. At the
// beginning only the consumer can be at fault, later what the person brought back.
func (e *oauth1End) refusal(a *answer, beginning bool) *connection.Problem {
	code := oauthProblem(a)
	message := fmt.Sprintf("%s answered %d", e.method.app.Name, a.status)
	if words := a.scrub.text(code); words != "" {
		message += ": " + words
	}
	refused := a.status == http.StatusUnauthorized || a.status == http.StatusForbidden
	switch {
	case a.status == http.StatusTooManyRequests:
		return rateLimited(message, a.status, a.wait(nil))
	case a.status >= 500 || a.status == http.StatusRequestTimeout || a.status == http.StatusTooEarly || slices.Contains(problemsOfClocks, code):
		return connection.ProviderUnavailable(message, a.status)
	case slices.Contains(problemsOfConsumer, code) || beginning && refused && !slices.Contains(problemsOfToken, code):
		return clientMisconfigured(message, a.status)
	default:
		return authorizationFailed(message, a.status)
	}
}
