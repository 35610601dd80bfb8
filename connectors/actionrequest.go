package connectors

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"connectedapps/connection"
)

// outgoing builds an action's request from checked arguments.
func (s Session) outgoing(a *Action, arguments map[string]any, in CallInput) (outgoing, error) {
	used := map[string]bool{}
	if !a.OfferedBy(s.Method) {
		return outgoing{}, a.notOffered(s.Method)
	}
	worked, err := s.actionValues(a, arguments)
	if err != nil {
		return outgoing{}, err
	}
	lookup := overlaid(worked, argumentLookup(arguments, s.Values, used))
	path, query, err := expandPath(a.Request.Path, arguments, s.Values, used)
	if err != nil {
		return outgoing{}, argumentProblem(err)
	}
	method, _ := a.Request.Method.expand(lookup)
	out := outgoing{method: strings.ToUpper(method), base: a.Request.BaseURL, path: path, query: query, header: http.Header{}}
	if err := addQuery(&out, a, arguments, used); err != nil {
		return outgoing{}, err
	}
	cursorBody, err := a.applyCursor(&out, arguments, in.Cursor)
	if err != nil {
		return outgoing{}, err
	}
	for name := range out.paged {
		used[name] = true
	}
	if err := addTexts(&out, a, overlaid(out.paged, lookup), worked, arguments, used); err != nil {
		return outgoing{}, err
	}
	if err := s.addHeaders(&out, a, arguments, used, lookup); err != nil {
		return outgoing{}, err
	}
	if a.IdempotencyKey != "" && in.IdempotencyKey != "" {
		if slices.ContainsFunc([]byte(in.IdempotencyKey), isControl) || len(in.IdempotencyKey) > maxIdempotencyKey {
			return outgoing{}, connection.InvalidInput("idempotency_key",
				fmt.Sprintf("it holds a control character or is longer than %d bytes", maxIdempotencyKey), "")
		}
		out.header.Set(a.IdempotencyKey, in.IdempotencyKey)
	}
	if a.Request.Body != nil {
		out.body, err = makeBody(a.Request.Body, bodyNames{worked, arguments, s.Values}, used, cursorBody)
	}
	return out, err
}

// actionValues works out what the action computes, of arguments and values.
func (s Session) actionValues(a *Action, arguments map[string]any) (map[string]string, error) {
	worked, err := computed(a.Compute, func(name string) (string, bool) {
		if argument, ok := arguments[name]; ok {
			return argumentText(argument)
		}
		value := s.Values[name]
		return value, value != ""
	})
	if err != nil {
		return nil, argumentProblem(err)
	}
	return worked, nil
}

// argumentText is an argument as expressions see it: a list or an object is its JSON.
func argumentText(argument any) (string, bool) {
	if text, err := scalarText(argument); err == nil {
		return text, text != ""
	}
	raw, err := marshal(argument)
	return string(raw), err == nil
}

// maxIdempotencyKey is the least that providers in use allow (Stripe: 255 characters).
const maxIdempotencyKey = 255

// argumentLookup finds a text variable among arguments, then values, and notes its use.
func argumentLookup(arguments map[string]any, values map[string]string, used map[string]bool) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if argument, ok := arguments[name]; ok {
			used[name] = true
			text, err := scalarText(argument)
			return text, err == nil && argument != nil
		}
		value := values[name]
		return value, value != ""
	}
}

// argumentProblem makes an InvalidArguments of "name: reason".
func argumentProblem(err error) error {
	name, reason, found := strings.Cut(err.Error(), ": ")
	if !found {
		return invalidArguments("$", err.Error())
	}
	return invalidArguments("$."+name, reason)
}

// addTexts adds the declared parameters. One that is nothing but a list is repeated.
func addTexts(out *outgoing, a *Action, lookup func(string) (string, bool), worked map[string]string, arguments map[string]any, used map[string]bool) error {
	for parameter, text := range a.Request.Query {
		name := text.alone()
		list, isList := arguments[name].([]any)
		_, hidden := worked[name]
		if _, paged := out.paged[name]; !isList || hidden || paged {
			if value, ok := text.expand(lookup); ok {
				out.query.Set(parameter, value)
			}
			continue
		}
		used[name] = true
		for _, item := range list {
			value, err := scalarText(item)
			if err != nil {
				return invalidArguments("$."+name, err.Error())
			}
			out.query.Add(parameter, value)
		}
	}
	return nil
}

// alone is the name that a text is nothing else than, "" for every other text.
func (t Text) alone() string {
	if names := t.variables(); len(names) == 1 && string(t) == "{"+names[0]+"}" {
		return names[0]
	}
	return ""
}

// addQuery adds the argument that is an object of parameters.
func addQuery(out *outgoing, a *Action, arguments map[string]any, used map[string]bool) error {
	name := a.Request.QueryFrom
	if name == "" {
		return nil
	}
	used[name] = true
	object, _ := arguments[name].(map[string]any)
	for key, value := range object {
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, item := range list {
			text, err := scalarText(item)
			if err != nil {
				return invalidArguments("$."+name+"."+key, err.Error())
			}
			out.query.Add(key, text)
		}
	}
	return nil
}

// addHeaders adds declared headers, and the argument that is an object of
// headers: those can neither touch the framing of the request, nor the app's
// own headers, nor anything that carries a credential.
func (s Session) addHeaders(out *outgoing, a *Action, arguments map[string]any, used map[string]bool, lookup func(string) (string, bool)) error {
	if name := a.Request.HeadersFrom; name != "" {
		used[name] = true
		object, _ := arguments[name].(map[string]any)
		for key, value := range object {
			text, err := scalarText(value)
			switch {
			case err != nil:
				return invalidArguments("$."+name+"."+key, err.Error())
			case !fieldToken.MatchString(key) || framing(key) || credentialHeader(key) || s.sets(key):
				return invalidArguments("$."+name, "a header of this name cannot be set here")
			case slices.ContainsFunc([]byte(text), isControl):
				return invalidArguments("$."+name+"."+key, "it may not hold a control character")
			}
			out.header.Set(key, text)
		}
	}
	return setHeaders(out.header, a.Request.Headers, lookup)
}
