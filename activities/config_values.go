package activities

import (
	"fmt"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// valuesBy are the values of a connect by an auth config. What the auth config holds
// is as it holds it: a connection that is reconnected may have been made with another.
func (a *Activities) valuesBy(config connection.AuthConfig, methodID string, in ConnectRequest) (map[string]string, error) {
	method, err := a.method(in.Connection.App(), methodID)
	if err != nil {
		return nil, err
	}
	open, _ := split(method.Inputs)
	if err := agrees(in.AuthConfig, config, open, in.Values); err != nil {
		return nil, err
	}
	values, _, err := connectors.CheckInputs(open, overlay(in.Kept.values(open, in.Values), held(config, open)), nil)
	return values, err
}

// agrees refuses a value that is another than the auth config's: its secrets go where
// whoever made it has said, and nowhere else. An input's own default is taken for one
// that was not given, since forms send it along; the auth config's is used then.
func agrees(name string, config connection.AuthConfig, open []connectors.Input, given map[string]string) error {
	fixed := held(config, open)
	for _, input := range open {
		value, ok := fixed[input.Name]
		if !ok || given[input.Name] == "" || given[input.Name] == value {
			continue
		}
		said, err := standard(input, given[input.Name])
		if err != nil {
			return err
		}
		if ordinary, err := standard(input, ""); said == value || err == nil && said == ordinary {
			continue
		}
		return connection.InvalidInput(input.Name, fmt.Sprintf("auth config %q has another value for it", name),
			"leave it out or give the same, or choose an auth config that has this one")
	}
	return nil
}

// standard is one value as it is stored; "" asks for the input's default.
func standard(input connectors.Input, value string) (string, error) {
	checked, _, err := connectors.CheckInputs([]connectors.Input{input}, map[string]string{input.Name: value}, nil)
	return checked[input.Name], err
}

// held are those of the inputs that an auth config has a value for.
func held(config connection.AuthConfig, open []connectors.Input) map[string]string {
	values := map[string]string{}
	all := shared(config)
	for _, input := range open {
		if value := all[input.Name]; value != "" {
			values[input.Name] = value
		}
	}
	return values
}
