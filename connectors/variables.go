package connectors

import (
	"slices"

	"connectedapps/connection"
)

// variables are what the texts of one token request may be made of. Computed
// values are worked out when they are first asked for, once.
type variables struct {
	plain    map[string]string
	secret   map[string]string
	compute  []Computed
	computed map[string]string
	// failed is the first computed value that could not be worked out.
	failed error
}

// variables gathers what is known of a client and a connection. The
// connection's own inputs win over the auth config's.
func (m *Method) variables(client Client, values map[string]string, fields map[string]connection.Secret) *variables {
	v := &variables{plain: map[string]string{}, secret: map[string]string{}, compute: m.Compute, computed: map[string]string{}}
	for name, value := range values {
		v.set(name, value)
	}
	for _, secrets := range []map[string]connection.Secret{client.Fields, fields} {
		for name, field := range secrets {
			v.hide(name, field.Reveal())
		}
	}
	v.set("client_id", client.ID)
	v.hide("client_secret", client.Secret.Reveal())
	return v
}

// set makes a plain value known; an empty one changes nothing.
func (v *variables) set(name, value string) {
	if value != "" {
		v.plain[name] = value
		delete(v.secret, name)
	}
}

// hide makes a secret value known; an empty one changes nothing.
func (v *variables) hide(name, value string) {
	if value != "" {
		v.secret[name] = value
	}
}

// lookup finds a value by name: computed, secret, then plain.
func (v *variables) lookup(name string) (string, bool) { return v.among(name, len(v.compute)) }

// among is lookup with the first computed values only, so that none can be made of itself.
func (v *variables) among(name string, computed int) (string, bool) {
	if value, ok := v.computed[name]; ok {
		return value, value != ""
	}
	for i := range v.compute[:computed] {
		if v.compute[i].Name == name {
			value := v.work(i)
			return value, value != ""
		}
	}
	if value, ok := v.secret[name]; ok {
		return value, true
	}
	value := v.plain[name]
	return value, value != ""
}

// work works one computed value out. What is made of a secret is a secret.
func (v *variables) work(i int) string {
	c := v.compute[i]
	hidden := false
	text, err := c.Value.text(func(name string) (string, bool) {
		value, ok := v.among(name, i)
		hidden = hidden || v.secret[name] != ""
		return value, ok
	})
	if err != nil {
		if v.failed == nil {
			v.failed = connection.InvalidInput(c.Name, err.Error(), "check the values it is made of")
		}
		text = ""
	}
	v.computed[c.Name] = text
	if hidden {
		v.hide(c.Name, text)
	}
	return text
}

// secrets lists every secret text, for scrubbing.
func (v *variables) secrets() []string {
	all := make([]string, 0, len(v.secret))
	for _, value := range v.secret {
		all = append(all, value)
	}
	return all
}

// expand fills a set of texts in; those without a value are left out.
func (v *variables) expand(texts map[string]Text) map[string]string {
	out := map[string]string{}
	for name, text := range texts {
		if value, ok := text.expand(v.lookup); ok && value != "" {
			out[name] = value
		}
	}
	return out
}

// headers fills headers in. A value that would break out of its header is refused.
func (v *variables) headers(texts map[string]Text) (map[string]string, error) {
	out := v.expand(texts)
	for name, value := range out {
		if !fieldToken.MatchString(name) || framing(name) {
			return nil, connection.InvalidInput("", "the header "+connection.Bound(name, maxEcho)+" cannot be set", "")
		}
		if slices.ContainsFunc([]byte(value), isControl) {
			return nil, connection.InvalidInput("", "the header "+name+" would hold a control character", "")
		}
	}
	return out, nil
}

// expandJSON fills in the texts of a JSON value. A text with a variable that
// has no value is left out, and so is null.
func expandJSON(value any, lookup func(string) (string, bool)) (any, bool) {
	switch v := value.(type) {
	case nil:
		return nil, false
	case string:
		return Text(v).expand(lookup)
	case map[string]any:
		out := map[string]any{}
		for name, item := range v {
			if filled, ok := expandJSON(item, lookup); ok {
				out[name] = filled
			}
		}
		return out, true
	case []any:
		out := []any{}
		for _, item := range v {
			if filled, ok := expandJSON(item, lookup); ok {
				out = append(out, filled)
			}
		}
		return out, true
	default:
		return v, true
	}
}

// known is the client of a request: the auth config's, or, for a method
// without one, what the connection's inputs client_id and client_secret say.
func (c Client) known(values map[string]string, fields map[string]connection.Secret) Client {
	if c.ID == "" {
		c.ID = values["client_id"]
	}
	if c.ID == "" {
		c.ID = fields["client_id"].Reveal()
	}
	if c.Secret.Empty() {
		c.Secret = fields["client_secret"]
	}
	return c
}
