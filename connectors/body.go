package connectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
)

// bodyForm is the encoding "form"; anything else is JSON.
const bodyForm = "form"

// addBody makes the body: one argument as it is, or every argument that is used
// nowhere else; over them the cursor, where it belongs here, and the static parts.
func addBody(out *outgoing, a *Action, arguments map[string]any, used map[string]bool, cursor map[string]any) error {
	body := a.Request.Body
	if body.From != "" {
		whole, given := arguments[body.From]
		if !given {
			return nil
		}
		return out.setBody(body.Encoding, whole)
	}
	object := map[string]any{}
	for name, value := range arguments {
		if !used[name] {
			object[name] = value
		}
	}
	maps.Copy(object, cursor)
	for name, value := range body.Static {
		object[name] = merge(object[name], value)
	}
	return out.setBody(body.Encoding, object)
}

// merge lays static parts over an argument: objects are merged at every depth, anything else replaces.
func merge(argument, static any) any {
	under, ok := argument.(map[string]any)
	over, isObject := static.(map[string]any)
	if !ok || !isObject {
		return static
	}
	merged := maps.Clone(under)
	for name, value := range over {
		merged[name] = merge(merged[name], value)
	}
	return merged
}

func (o *outgoing) setBody(encoding string, content any) error {
	if encoding == bodyForm {
		form := url.Values{}
		object, ok := content.(map[string]any)
		if !ok {
			return invalidArguments("$", "the body must be an object")
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			addFormField(form, name, object[name])
		}
		o.body, o.contentType = []byte(form.Encode()), "application/x-www-form-urlencoded"
		return nil
	}
	text, err := marshal(content)
	if err != nil {
		return invalidArguments("$", "the body cannot be written as JSON")
	}
	o.body, o.contentType = text, "application/json"
	return nil
}

// addFormField writes nested values in brackets, as Stripe and others read them: a[b]=c, a[0]=d.
func addFormField(form url.Values, name string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			addFormField(form, name+"["+key+"]", v[key])
		}
	case []any:
		for i, item := range v {
			addFormField(form, fmt.Sprintf("%s[%d]", name, i), item)
		}
	default:
		form.Add(name, fmt.Sprint(v))
	}
}

// marshal writes JSON without escaping what only HTML needs escaped.
func marshal(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
