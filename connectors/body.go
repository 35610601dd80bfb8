package connectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"connectedapps/connection"
)

// encodingForm is the encoding "form"; anything else is JSON.
const encodingForm = "form"

// How lists of a form are written, beside "indexed", the default: a[0]=b.
const (
	listsBrackets = "brackets" // a[]=b
	listsRepeat   = "repeat"   // a=b&a=c
)

// payload is a body before it is written.
type payload struct {
	encoding string
	lists    string
	// value is JSON as Go has it. Without given there is no body yet, and only
	// fields of the credential make one.
	value any
	given bool
}

// makeBody makes an action's body: what its template says, or one argument as it
// is, or every argument that is used nowhere else; over them the cursor, where
// it belongs here, and the static parts.
func makeBody(body *Body, names bodyNames, used map[string]bool, cursor map[string]any) (*payload, error) {
	out := &payload{encoding: body.Encoding, lists: body.Lists, given: true}
	if body.Template != nil {
		value, err := fillBody(body.Template, names, cursor)
		out.value = value
		return out, err
	}
	if body.From != "" {
		out.value, out.given = names.arguments[body.From]
		return out, nil
	}
	object := map[string]any{}
	for name, value := range names.arguments {
		if !used[name] {
			object[name] = value
		}
	}
	maps.Copy(object, cursor)
	for name, value := range body.Static {
		object[name] = merge(object[name], value)
	}
	out.value = object
	return out, nil
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

// encode writes the body, with the credential's fields in it, which nothing
// overrides. Nil is no body.
func (o *outgoing) encode(fields map[string]string) (body []byte, contentType string, err error) {
	c := o.body
	if len(fields) > 0 {
		if c, err = o.withFields(fields); err != nil {
			return nil, "", err
		}
	}
	if c == nil || !c.given {
		return nil, "", nil
	}
	if c.encoding == encodingForm {
		object, ok := c.value.(map[string]any)
		if !ok {
			return nil, "", invalidArguments("$", "the body must be an object")
		}
		form := url.Values{}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			c.addField(form, name, object[name])
		}
		return []byte(form.Encode()), "application/x-www-form-urlencoded", nil
	}
	text, err := marshal(c.value)
	if err != nil {
		return nil, "", invalidArguments("$", "the body cannot be written as JSON")
	}
	return text, "application/json", nil
}

// withFields is the body with fields of the credential. A request that has no
// body gets one of them alone, unless its method has no use for a body (RFC 9110
// section 9.3): a credential left out would look like a wrong one.
func (o *outgoing) withFields(fields map[string]string) (*payload, error) {
	out := payload{}
	if o.body != nil {
		out = *o.body
	}
	if !out.given {
		if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace}, o.method) {
			return nil, connection.InvalidInput("", "the credential goes into the body, and this request has none", "use another way to authenticate")
		}
		out.value, out.given = map[string]any{}, true
	}
	object, ok := out.value.(map[string]any)
	if !ok {
		return nil, connection.InvalidInput("", "the credential goes into the body, and this body is no object", "use another way to authenticate")
	}
	object = maps.Clone(object)
	for name, value := range fields {
		object[name] = value
	}
	out.value = object
	return &out, nil
}

// addField writes nested values in brackets, as Stripe and others read them: a[b]=c.
func (c *payload) addField(form url.Values, name string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			c.addField(form, name+"["+key+"]", v[key])
		}
	case []any:
		for i, item := range v {
			switch c.lists {
			case listsBrackets:
				c.addField(form, name+"[]", item)
			case listsRepeat:
				c.addField(form, name, item)
			default:
				c.addField(form, fmt.Sprintf("%s[%d]", name, i), item)
			}
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
