package console

import (
	"context"
	"slices"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

const (
	// maxConfigs is how many auth configs of an app are offered to choose from.
	maxConfigs = 100
	// maxDescribed bounds how many are asked for their method, where the kind does not tell.
	maxDescribed = 20
)

// config is an auth config to choose.
type config struct {
	Name string
	// Scopes replace those of the access level, where it names any.
	Scopes []string
	// Refused: the app does not take the client.
	Refused bool
}

// completeConfig finds the auth configs to choose from, and what the chosen one says.
func (c *Console) completeConfig(ctx context.Context, e backend.Environment, f *connectForm, fixed bool) error {
	f.config, f.Configs = nil, nil
	guest := f.Purpose == forGuest && !fixed
	if !fixed && !(guest && activities.LendsAccess(f.Way)) { // nobody lends a guest what the link does not
		configs, err := configsFor(ctx, e.Client, f.Way)
		if err != nil {
			return err
		}
		f.Configs = configs
	}
	if guest && !slices.ContainsFunc(f.Configs, func(offered config) bool { return offered.Name == f.Config }) {
		f.Config = "" // it was not offered, or is not any more
	}
	if f.Config == "" {
		f.Config = f.proposedConfig()
	}
	found, err := f.describeConfig(ctx, e.Client)
	if err == nil && !found && !fixed { // it was chosen for another method
		f.Config = f.proposedConfig()
		_, err = f.describeConfig(ctx, e.Client)
	}
	return err
}

// proposedConfig is the first, where one is needed; a reconnect keeps what there is.
func (f *connectForm) proposedConfig() string {
	if f.keepsMethod() {
		return f.Kept.AuthConfig
	}
	if !f.Way.NeedsClient() || len(f.Configs) == 0 {
		return ""
	}
	return f.Configs[0].Name
}

// describeConfig asks what the chosen auth config says; false when it is not for the method.
func (f *connectForm) describeConfig(ctx context.Context, client backend.Client) (bool, error) {
	if f.Config == "" {
		return true, nil
	}
	state, err := client.DescribeAuthConfig(ctx, f.App.ID, f.Config)
	switch {
	case connection.TypeOf(err) == connection.ErrAuthConfigNotFound:
		f.wrong(controlConfig, err)
		f.Config = ""
		return true, nil
	case err != nil:
		return false, err
	case state.Method != f.Way.ID:
		return false, nil
	}
	f.config = &config{Name: state.Name, Scopes: state.Scopes, Refused: state.Status == connection.Error}
	known := func(other config) bool { return other.Name == f.Config }
	kept := f.keepsMethod() && f.Kept.AuthConfig == f.Config
	if f.Purpose != forGuest && (kept || !state.Retired) && !slices.ContainsFunc(f.Configs, known) { // just made: the list comes later
		f.Configs = append([]config{*f.config}, f.Configs...)
	}
	return true, nil
}

// configsFor are the auth configs of a method that take new connections.
func configsFor(ctx context.Context, client backend.Client, method *connectors.Method) ([]config, error) {
	app := method.App()
	rows, _, err := client.ListAuthConfigs(ctx, app.ID, maxConfigs, nil)
	if err != nil {
		return nil, err
	}
	alike := 0
	for _, other := range app.Methods {
		if other.Kind == method.Kind {
			alike++
		}
	}
	var configs []config
	described := 0
	for _, row := range rows {
		if row.Kind != method.Kind || row.Status == workflows.StatusRetired {
			continue
		}
		if alike > 1 {
			if described++; described > maxDescribed {
				break
			}
			state, err := client.DescribeAuthConfig(ctx, app.ID, row.Name)
			if err != nil || state.Method != method.ID {
				continue
			}
		}
		configs = append(configs, config{Name: row.Name, Refused: row.Status == connection.Error})
	}
	return configs, nil
}
