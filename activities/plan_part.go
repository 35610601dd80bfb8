package activities

import (
	"slices"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// CheckPart reports what is wrong with a request that somebody else will complete:
// what it says must hold, and what it leaves out is not missed. It answers the method,
// nil where that is left open; at least one of the app's must then go with the rest.
// The whole of it is checked by [Plan] once it is complete.
func CheckPart(catalogue *connectors.Catalogue, in ConnectRequest) (*connectors.Method, error) {
	if _, err := connection.ParseID(in.Connection.String()); err != nil {
		return nil, err
	}
	app, err := catalogue.App(in.Connection.App())
	if err != nil {
		return nil, err
	}
	for _, named := range []struct{ field, value string }{{"auth_config", in.AuthConfig}, {"toolkit", in.Toolkit}} {
		if named.value == "" {
			continue
		}
		if err := connection.CheckSlug(named.field, named.value); err != nil {
			return nil, err
		}
	}
	if in.Method != "" {
		method, err := app.Method(in.Method)
		if err != nil {
			return nil, err
		}
		return method, fits(app, method, in)
	}
	return nil, anyFits(app, in)
}

// anyFits reports why no method goes with what is said. A value that is a secret for one
// of them is refused whatever the others make of it: it would be written down.
func anyFits(app *connectors.App, in ConnectRequest) error {
	var first error
	found := false
	for _, method := range app.Methods {
		_, secret := split(method.Inputs)
		for _, input := range secret {
			if _, given := in.Values[input.Name]; given {
				return fits(app, method, in)
			}
		}
		err := fits(app, method, in)
		found = found || err == nil
		if first == nil {
			first = err
		}
	}
	if found {
		return nil
	}
	return first
}

// fits checks actions and values, as far as they are given.
func fits(app *connectors.App, method *connectors.Method, in ConnectRequest) error {
	given := slices.DeleteFunc(slices.Clone(method.Inputs), func(input connectors.Input) bool {
		_, ok := in.Values[input.Name]
		return !ok
	})
	if _, _, err := connectors.CheckInputs(given, in.Values, nil); err != nil {
		return err
	}
	_, err := chosen(app, method, in)
	return err
}
