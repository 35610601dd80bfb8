package workflows

import (
	"cmp"
	"fmt"
	"slices"

	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

func (e *entity) putToolkit(ctx workflow.Context, in PutToolkit) (connection.Toolkit, error) {
	if err := connection.CheckSlug("name", in.Name); err != nil {
		return connection.Toolkit{}, final(why(err))
	}
	if len(in.Actions) == 0 {
		return connection.Toolkit{}, final(connection.InvalidInput("actions", "a toolkit needs an action", "name at least one"))
	}
	if err := e.ready(ctx); err != nil {
		return connection.Toolkit{}, err
	}
	defer e.mutex.Unlock()
	toolkit := connection.Toolkit{Name: in.Name, Actions: slices.Compact(slices.Sorted(slices.Values(in.Actions)))}
	e.state.Toolkits = withToolkit(e.state.Toolkits, toolkit)
	e.note(ctx, "Toolkit", "set "+in.Name)
	e.openGate(ctx)
	e.publish(ctx)
	return toolkit, nil
}

func (e *entity) deleteToolkit(ctx workflow.Context, in DeleteToolkit) error {
	if err := e.ready(ctx); err != nil {
		return err
	}
	defer e.mutex.Unlock()
	rest := withoutToolkit(e.state.Toolkits, in.Name)
	if len(rest) == len(e.state.Toolkits) {
		return final(connection.Refused(connection.ErrToolkitNotFound, fmt.Sprintf("%s has no toolkit %q", e.state.ID, connection.Bound(in.Name, 63)), "list its toolkits first"))
	}
	e.state.Toolkits = rest
	e.note(ctx, "Toolkit", "deleted "+in.Name)
	e.openGate(ctx)
	e.publish(ctx)
	return nil
}

func withToolkit(toolkits []connection.Toolkit, one connection.Toolkit) []connection.Toolkit {
	rest := withoutToolkit(toolkits, one.Name)
	rest = append(rest, one)
	slices.SortFunc(rest, func(a, b connection.Toolkit) int { return cmp.Compare(a.Name, b.Name) })
	return rest
}

func withoutToolkit(toolkits []connection.Toolkit, name string) []connection.Toolkit {
	return slices.DeleteFunc(slices.Clone(toolkits), func(t connection.Toolkit) bool { return t.Name == name })
}
