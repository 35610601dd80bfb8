package connectors

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"connectedapps/connection"
)

// result makes what an action answers of what the provider did. Secrets are
// taken out first, so that no path and no projection can bring them back.
func (a *Action) result(received *answer, arguments map[string]any, in CallInput) (*CallResult, error) {
	result := &CallResult{Status: received.status, NextCursor: a.Paging.next(received, arguments, in.Cursor)}
	for _, path := range a.SecretOutputs {
		if result.Secrets == nil {
			result.Secrets = map[string]connection.Secret{}
		}
		steps := strings.Split(path, ".")
		found := len(result.Secrets)
		received.body = takeSecrets(received.body, steps, "", result.Secrets)
		if len(result.Secrets) == found && !begins(received.body, steps[0]) {
			// The definition is wrong about where it stands; what has its name is not shown either.
			name := strings.TrimSuffix(steps[len(steps)-1], "[]")
			received.body = takeNamed(received.body, name, "", result.Secrets)
		}
	}
	data, value, err := a.data(received, in.Projection)
	if err != nil {
		return nil, err
	}
	limit := in.MaxBytes
	if limit <= 0 {
		limit = DefaultMaxResult
	}
	result.Data = received.scrub.data(data)
	if len(result.Data) > limit {
		result.Truncated, result.NextCursor = true, ""
		result.Data = received.scrub.data(shorten(value, limit))
	}
	return result, nil
}

// data is the result as JSON and as a value: the provider's own text where
// nothing was picked from it, so that its numbers and order stay.
func (a *Action) data(received *answer, projection string) (json.RawMessage, any, error) {
	value := received.body
	switch {
	case received.raw == nil:
		return json.RawMessage("null"), nil, nil
	case !received.isJSON && value == nil:
		value = map[string]any{
			"content_type": received.header.Get("Content-Type"),
			"base64":       base64.StdEncoding.EncodeToString(received.raw),
		}
	}
	picked := value
	if a.Result != "" {
		picked = a.Result.find(picked)
	}
	if projection != "" {
		found, err := project(projection, picked)
		if err != nil {
			if a.ReadOnly {
				return nil, nil, connection.InvalidInput("projection", err.Error(), "ask without a projection to see the answer")
			}
			// The change has happened; its whole result is better than an error.
			found = picked
		}
		picked = found
	}
	if received.isJSON && a.Result == "" && projection == "" && len(a.SecretOutputs) == 0 {
		return json.RawMessage(received.raw), picked, nil
	}
	text, err := marshal(picked)
	if err != nil {
		return nil, nil, connection.Internal("result of " + a.ID)
	}
	return text, picked, nil
}

// shorten keeps the first items of a list that fit; anything else becomes null.
func shorten(value any, limit int) json.RawMessage {
	list, ok := value.([]any)
	if !ok {
		return json.RawMessage("null")
	}
	var kept []string
	size := len("[]")
	for _, item := range list {
		text, err := marshal(item)
		if err != nil || size+len(text)+1 > limit {
			break
		}
		size += len(text) + 1
		kept = append(kept, string(text))
	}
	return json.RawMessage("[" + strings.Join(kept, ",") + "]")
}

// takeSecrets replaces what stands at a path by null, wherever lists on the way
// lead, and notes it under its own place, such as "keys[0].value".
func takeSecrets(value any, path []string, place string, secrets map[string]connection.Secret) any {
	if len(path) == 0 {
		if value != nil {
			secrets[place] = connection.NewSecret(secretText(value))
		}
		return nil
	}
	name, isList := strings.CutSuffix(path[0], "[]")
	object, ok := value.(map[string]any)
	if name != "" {
		if !ok {
			return value
		}
		if place != "" {
			place += "."
		}
		place += name
	}
	inner := value
	if name != "" {
		if inner, ok = object[name]; !ok {
			return value
		}
	}
	if isList {
		list, _ := inner.([]any)
		for i, item := range list {
			list[i] = takeSecrets(item, path[1:], fmt.Sprintf("%s[%d]", place, i), secrets)
		}
	} else {
		inner = takeSecrets(inner, path[1:], place, secrets)
	}
	if name == "" {
		return inner
	}
	object[name] = inner
	return object
}

func secretText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, err := marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

// begins reports whether an answer has what a path begins with.
func begins(value any, step string) bool {
	name := strings.TrimSuffix(step, "[]")
	if object, ok := value.(map[string]any); ok && name != "" {
		_, there := object[name]
		return there
	}
	_, isList := value.([]any)
	return isList && name == ""
}

// takeNamed replaces whatever has a name by null, at any depth, and notes it under its place.
func takeNamed(value any, name, place string, secrets map[string]connection.Secret) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			at := strings.TrimPrefix(place+"."+key, ".")
			if key == name && inner != nil {
				secrets[at] = connection.NewSecret(secretText(inner))
				v[key] = nil
				continue
			}
			v[key] = takeNamed(inner, name, at, secrets)
		}
	case []any:
		for i, inner := range v {
			v[i] = takeNamed(inner, name, fmt.Sprintf("%s[%d]", place, i), secrets)
		}
	}
	return value
}
