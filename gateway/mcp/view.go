package mcp

import (
	"fmt"
	"net/url"

	"connectedapps/connection"
	"connectedapps/gateway/access"
)

// Parameters of the address of the MCP server.
const (
	// ParamToolkit names a toolkit, as ENVIRONMENT/APP/NAME[/TOOLKIT]; it may be repeated. An
	// agent's token has its own, of which this picks some.
	ParamToolkit = "toolkit"
	// ParamMode with the value "search" offers search_actions, describe_action and run_action
	// in place of a tool for each action; "list" is the default.
	ParamMode = "mode"
	// ParamOutput with the value "schema" adds the schema of results to each tool.
	ParamOutput = "output"
	// maxToolkits bounds the toolkits of one caller.
	maxToolkits = 50
)

// parseView reads what a caller wants to see, and refuses what they may not use.
func parseView(query url.Values, person access.Person) (view, error) {
	v, err := parseMode(query.Get(ParamMode))
	if err != nil {
		return v, err
	}
	switch output := query.Get(ParamOutput); output {
	case "":
	case "schema":
		v.output = true
	default:
		return v, connection.InvalidInput(ParamOutput, "there is no output "+connection.Bound(output, 40), "write schema, or leave it out")
	}
	refs, err := ParseToolkits(query[ParamToolkit])
	if err != nil {
		return v, err
	}
	if len(refs) == 0 {
		refs = connection.SortToolkits(person.Toolkits)
	}
	if len(refs) == 0 && person.Agent() {
		return v, connection.Refused(connection.ErrNotAllowed, "this agent has no toolkit", "an administrator makes a token with: connected-apps access create --agent --toolkit ENVIRONMENT/APP/NAME")
	}
	if len(refs) == 0 {
		return v, connection.InvalidInput(ParamToolkit, "no toolkit is named", "add ?toolkit=ENVIRONMENT/APP/NAME to the address, once for each toolkit")
	}
	for _, ref := range refs {
		if err := person.CheckToolkit(ref); err != nil {
			return v, err
		}
	}
	v.refs = refs
	return v, nil
}

func parseMode(mode string) (view, error) {
	switch mode {
	case "", "list":
		return view{}, nil
	case "search":
		return view{search: true}, nil
	}
	return view{}, connection.InvalidInput(ParamMode, "there is no mode "+connection.Bound(mode, 40), "write list or search")
}

// ParseToolkits reads toolkits, sorted and each once; ErrInvalidInput names what is none.
func ParseToolkits(texts []string) ([]connection.ToolkitRef, error) {
	if len(texts) > maxToolkits {
		return nil, connection.InvalidInput(ParamToolkit, fmt.Sprintf("there are more than %d", maxToolkits), "name fewer")
	}
	refs := make([]connection.ToolkitRef, 0, len(texts))
	for _, text := range texts {
		ref, err := connection.ParseToolkitRef(ParamToolkit, text)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return connection.SortToolkits(refs), nil
}
