package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// maxSecretFile bounds what is read as secrets: the largest is a chain of certificates.
const maxSecretFile = 256 << 10

// collect gets the wanted secrets from a file, from standard input ("-"), or from
// the person. It never takes them from arguments.
func (p *program) collect(ctx context.Context, wanted []connectors.Input, file string) (map[string]connection.Secret, error) {
	if len(wanted) == 0 {
		if file != "" {
			return nil, connection.InvalidInput("secret-file", "nothing secret is asked for here", "leave --secret-file out")
		}
		return nil, nil
	}
	if file != "" {
		raw, err := p.readFile("secret-file", file, maxSecretFile)
		if err != nil {
			return nil, err
		}
		return parseSecrets(wanted, raw)
	}
	if !p.interactive() {
		return nil, connection.InvalidInput("secret-file", "there is no terminal to ask for "+strings.Join(names(wanted), ", "),
			"give --secret-file FILE, or --secret-file - for standard input")
	}
	secrets := map[string]connection.Secret{}
	for _, input := range wanted {
		for {
			secret, err := p.askSecret(ctx, label(input))
			if err != nil {
				return nil, err
			}
			if _, _, err = connectors.CheckInputs([]connectors.Input{input}, nil, given(input.Name, secret)); err != nil {
				p.note("%s", err)
				continue
			}
			if !secret.Empty() {
				secrets[input.Name] = secret
			}
			break
		}
	}
	return secrets, nil
}

func given(name string, secret connection.Secret) map[string]connection.Secret {
	return map[string]connection.Secret{name: secret}
}

// parseSecrets reads a JSON object of the wanted secrets, or the one secret that
// is wanted as it stands, without a last line break. No error repeats any of it.
func parseSecrets(wanted []connectors.Input, raw []byte) (map[string]connection.Secret, error) {
	text := strings.TrimRight(string(raw), "\r\n")
	var fields map[string]string
	decoder := json.NewDecoder(bytes.NewReader(raw))
	err := decoder.Decode(&fields)
	_, after := decoder.Token()
	isObject := err == nil && fields != nil && errors.Is(after, io.EOF)
	if len(wanted) == 1 && (!isObject || !mentions(fields, wanted)) {
		return given(wanted[0].Name, connection.NewSecret(text)), nil
	}
	if !isObject {
		return nil, connection.InvalidInput("secret-file", "this is not a JSON object of strings",
			`write {"`+strings.Join(names(wanted), `": "…", "`)+`": "…"}`)
	}
	secrets := map[string]connection.Secret{}
	for name, value := range fields {
		if !slices.Contains(names(wanted), name) {
			return nil, connection.InvalidInput("secret-file", fmt.Sprintf("%q is not asked for", connection.Bound(name, 63)),
				"it may hold: "+strings.Join(names(wanted), ", "))
		}
		secrets[name] = connection.NewSecret(value)
	}
	return secrets, nil
}

// mentions reports whether an object speaks of what is wanted: a key file that
// happens to be JSON does not, and is one secret as a whole.
func mentions(fields map[string]string, wanted []connectors.Input) bool {
	for _, name := range names(wanted) {
		if _, ok := fields[name]; ok {
			return true
		}
	}
	return false
}

// readFile reads a file, or standard input for "-", up to a limit.
func (p *program) readFile(flag, path string, limit int64) ([]byte, error) {
	source := p.in
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, connection.InvalidInput(flag, "the file "+path+" cannot be read", "name a file that you may read, or - for standard input")
		}
		defer func() { _ = file.Close() }() // only read
		source = file
	} else if p.interactive() {
		p.note("reading standard input; end it with Ctrl-D")
	}
	raw, err := io.ReadAll(io.LimitReader(source, limit+1))
	if err != nil {
		return nil, connection.InvalidInput(flag, "it cannot be read", "name a file that you may read, or - for standard input")
	}
	if int64(len(raw)) > limit {
		return nil, connection.InvalidInput(flag, fmt.Sprintf("it is larger than %d bytes", limit), "name the right file")
	}
	return raw, nil
}

// secretInputs are those of the inputs that a person is asked for without echo.
func secretInputs(inputs []connectors.Input) []connectors.Input {
	return slices.DeleteFunc(slices.Clone(inputs), func(input connectors.Input) bool { return !input.Secret || input.Hidden })
}

func names(inputs []connectors.Input) []string {
	all := make([]string, len(inputs))
	for i, input := range inputs {
		all[i] = input.Name
	}
	return all
}

func label(input connectors.Input) string {
	text := input.Title
	if text == "" {
		text = input.Name
	}
	if input.Optional {
		text += ", optional"
	}
	return text
}

// pairs reads the values of --set. A flag that names a secret is refused by name,
// without repeating the value that should not have been there.
func pairs(flag string, given []string, inputs []connectors.Input) (map[string]string, error) {
	values := map[string]string{}
	for _, text := range given {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, connection.InvalidInput(flag, "it has no name and value", "write --"+flag+" NAME=VALUE")
		}
		if _, twice := values[name]; twice {
			return nil, connection.InvalidInput(flag, fmt.Sprintf("%q is given twice", connection.Bound(name, 63)), "give it once")
		}
		for _, input := range inputs {
			if input.Name == name && input.Secret {
				return nil, connection.InvalidInput(name, "it is a secret, and secrets are not taken from arguments",
					"leave it out to be asked for it, or use --secret-file; change it at the app, since it is in your shell's history now")
			}
		}
		values[name] = value
	}
	return values, nil
}
