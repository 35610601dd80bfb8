package console

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/web"
)

// functions are what the templates may call.
var functions = template.FuncMap{
	"asset":    func(name string) string { return assetPaths[name] },
	"sentence": web.Sentence,
	"kind":     kindTitle,
	"effect":   effectOf,
	"category": categoryTitle,
	"alert":    alertTitle,
	"ago":      func(t time.Time) string { return ago(time.Since(t)) },
	"moment":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") },
	"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"join":     strings.Join,
	"lower":    strings.ToLower,
	"initials": initials,
	"hue":      hue,
	"str":      func(v any) string { return fmt.Sprint(v) },
	"pairs":    pairs,
	"remedy":   forPage,
}

// sayings are what a page says after a form, by the key in its address: only these
// words can be put there, whatever somebody writes into a link.
var sayings = map[string]string{}

// kindTitle says a way to authenticate as people know it.
func kindTitle(kind connection.AuthKind) string {
	switch kind {
	case connection.OAuth2Code:
		return "OAuth 2.0"
	case connection.OAuth2ClientCredentials:
		return "OAuth 2.0 client credentials"
	case connection.OAuth2Device:
		return "OAuth 2.0 device code"
	case connection.OAuth2JWTBearer:
		return "Service account (JWT)"
	case connection.OAuth2Grant:
		return "OAuth 2.0, other grant"
	case connection.OAuth1:
		return "OAuth 1.0a"
	case connection.APIKey:
		return "API key"
	case connection.Bearer:
		return "Token"
	case connection.Headers:
		return "Custom headers"
	case connection.Basic:
		return "Basic"
	case connection.Digest:
		return "Digest"
	case connection.SigV4:
		return "AWS signature"
	case connection.MultiStep:
		return "Login in several steps"
	case connection.None:
		return "No authentication"
	}
	return string(kind)
}

// categoryTitle says a category of apps, such as "developer-tools", as people read it.
func categoryTitle(category string) string {
	switch category {
	case "ai", "crm", "hr":
		return strings.ToUpper(category)
	}
	return strings.Replace(inWords(category), "It ", "IT ", 1)
}

// ago says a time that has passed, or, with a minus, one that is to come, in the
// largest unit that fits.
func ago(passed time.Duration) string {
	if passed < 0 {
		return "in " + span(-passed)
	}
	if passed < 45*time.Second {
		return "just now"
	}
	return span(passed) + " ago"
}

func span(d time.Duration) string {
	unit := func(n int, name string) string {
		if n == 1 {
			return "1 " + name
		}
		return fmt.Sprintf("%d %ss", n, name)
	}
	switch {
	case d < time.Minute:
		return unit(max(int(d/time.Second), 1), "second")
	case d < time.Hour:
		return unit(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return unit(int(d/time.Hour), "hour")
	default:
		return unit(int(d/(24*time.Hour)), "day")
	}
}

// initials are the one or two letters that stand for an app, which has no picture here.
func initials(name string) string {
	var out []rune
	for word := range strings.FieldsSeq(name) {
		out = append(out, []rune(strings.ToUpper(word))[0])
		if len(out) == 2 {
			break
		}
	}
	return string(out)
}

// hue is one of twelve colours, always the same for an app.
func hue(id string) int {
	sum := 0
	for _, b := range []byte(id) {
		sum = sum*31 + int(b)
	}
	if sum < 0 {
		sum = -sum
	}
	return sum % 12
}

// pairs makes a map of names and values, to hand several to a template.
func pairs(all ...any) (map[string]any, error) {
	if len(all)%2 != 0 {
		return nil, fmt.Errorf("a name without a value")
	}
	m := map[string]any{}
	for i := 0; i < len(all); i += 2 {
		name, ok := all[i].(string)
		if !ok {
			return nil, fmt.Errorf("%v is not a name", all[i])
		}
		m[name] = all[i+1]
	}
	return m, nil
}

// forPage leaves out of a remedy the command that it ends with: a page has buttons for
// what that does. With it goes a way out that is nothing but the command ("…, or begin
// anew with: …"), and all of a remedy that only names a list to look at.
func forPage(remedy string) string {
	words, _, found := strings.Cut(remedy, "connected-apps ")
	if !found {
		return remedy
	}
	words = strings.TrimRight(words, " :;,(")
	if bare, ok := strings.CutSuffix(words, " with"); ok {
		words = bare
		if at := strings.LastIndex(words, ", or "); at >= 0 {
			words = words[:at]
		}
	}
	if words == "see" || words == "take one of" {
		return ""
	}
	return words
}
