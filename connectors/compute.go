package connectors

import (
	"slices"

	"connectedapps/connection"
)

// lookup finds a variable of a placement or a header: what was computed for the
// request, the access token of a set, a secret input of the connection or of
// the auth config, a token set by its name, then what is not secret.
func (s Session) lookup(set string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if value, ok := s.worked[name]; ok {
			return value, value != ""
		}
		if name == "token" && (s.Method.OAuth != nil || s.Method.OAuth1 != nil || set != "") {
			if set == "" {
				set = connection.DefaultToken
			}
			text := s.Credential.Tokens[set].Access.Reveal()
			return text, text != ""
		}
		for _, secret := range []connection.Secret{s.Credential.Fields[name], s.Client.Fields[name], s.Credential.Tokens[name].Access} {
			if !secret.Empty() {
				return secret.Reveal(), true
			}
		}
		if name == "client_id" && s.Client.ID != "" {
			return s.Client.ID, true
		}
		value := s.Values[name]
		return value, value != ""
	}
}

// computing is the session with what the method computes for one request. It is
// worked out once for each, so that a nonce is the same wherever it stands.
func (s Session) computing() (Session, error) {
	if s.worked != nil || len(s.Method.Compute) == 0 {
		return s, nil
	}
	worked, err := computed(s.Method.Compute, s.lookup(""))
	if err != nil {
		return s, unauthorized("the credential stored for " + s.App.Name + " is not what is needed here: " + err.Error())
	}
	s.worked = worked
	return s, nil
}

// scrubber knows every secret that a request of this session may carry. What
// was computed without any secret, such as a nonce, is kept out of errors too,
// but not out of results: the time of day in them is honest data.
func (s Session) scrubber(injected ...string) *scrubber {
	secrets := slices.Concat(injected, s.Credential.Secrets(), s.Client.secrets())
	var public []string
	tainted := map[string]bool{"token": true}
	for _, c := range s.Method.Compute {
		value := s.worked[c.Name]
		if slices.ContainsFunc(c.Value.variables(), func(name string) bool { return tainted[name] || s.secret(name) }) {
			tainted[c.Name] = true
			secrets = append(secrets, value)
		} else if len(value) >= dataSecret {
			public = append(public, value)
		}
	}
	out := newScrubber(secrets...)
	out.forms = append(newScrubber(public...).forms, out.forms...)
	slices.SortStableFunc(out.forms, func(a, b string) int { return len(b) - len(a) })
	return out
}

// secret reports whether a name stands for a secret.
func (s Session) secret(name string) bool {
	return !s.Credential.Fields[name].Empty() || !s.Client.Fields[name].Empty() || !s.Credential.Tokens[name].Access.Empty()
}
