package workflows

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"connectedapps/connection"

	"go.temporal.io/api/operatorservice/v1"
)

// CheckNamespace reports what the environment's namespace lacks: that it exists
// itself, or search attributes; then with the command that creates them.
func (c *Client) CheckNamespace(ctx context.Context) error {
	namespace := c.Namespace()
	answer, err := c.Temporal.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return problem(err, connection.Internal("search attributes"))
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(SearchAttributes())) {
		if _, ok := answer.GetCustomAttributes()[name]; !ok {
			missing = append(missing, fmt.Sprintf("--name %s --type %s", name, SearchAttributes()[name]))
		}
	}
	if len(missing) > 0 {
		return connection.Refused(connection.ErrInvalidInput, "the namespace "+namespace+" lacks search attributes",
			"temporal operator search-attribute create --namespace "+namespace+" "+strings.Join(missing, " "))
	}
	return nil
}

// Namespace is the Temporal namespace of the environment; it is the environment's name unless NamespaceName says otherwise.
func (c *Client) Namespace() string {
	if c.NamespaceName != "" {
		return c.NamespaceName
	}
	return c.Environment
}
