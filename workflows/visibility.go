package workflows

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"connectedapps/connection"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// visibilityQuery is a question to Temporal's visibility store: its conditions, which
// hold together.
type visibilityQuery []string

// openQuery asks for the open workflows of a type in an environment.
func openQuery(workflowType, environment string) visibilityQuery {
	return visibilityQuery{"WorkflowType = '" + workflowType + "'", "ExecutionStatus = 'Running'"}.with(AttributeEnvironment, environment)
}

// with narrows it to those whose attribute is the value; "" leaves the attribute open.
func (q visibilityQuery) with(attribute temporal.SearchAttributeKey, value string) visibilityQuery {
	if value == "" {
		return q
	}
	return q.and("%s = '%s'", attribute.GetName(), quote(value))
}

func (q visibilityQuery) and(format string, arguments ...any) visibilityQuery {
	return append(q, fmt.Sprintf(format, arguments...))
}

func (q visibilityQuery) String() string { return strings.Join(q, " AND ") }

// quoting keeps text inside a visibility query's quotation marks, where a backslash escapes too.
var quoting = strings.NewReplacer(`\`, `\\`, `'`, `''`)

func quote(text string) string { return quoting.Replace(text) }

// listPage asks for one page of workflows and reads each as a row; row says of which it
// is none. It answers the token of the next page too, nil at the end.
func listPage[R any](ctx context.Context, c *Client, query visibilityQuery, pageSize int, page []byte,
	row func(*workflowpb.WorkflowExecutionInfo) (R, bool),
) ([]R, []byte, error) {
	answer, err := c.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: int32(pageSize), NextPageToken: page, Query: query.String(),
	})
	if err != nil && len(page) > 0 && notAPage(err) {
		return nil, nil, connection.InvalidInput("cursor", "this is not a page of this list", "begin anew without a cursor")
	}
	if err != nil {
		return nil, nil, problem(err, connection.Internal("list"))
	}
	rows := make([]R, 0, len(answer.GetExecutions()))
	for _, execution := range answer.GetExecutions() {
		if r, ok := row(execution); ok {
			rows = append(rows, r)
		}
	}
	return rows, answer.GetNextPageToken(), nil
}

// notAPage reports whether Temporal could not read the token of a page. Some of its
// stores say that it is invalid, and SQL's only that something is wrong; what is away
// is said in other words.
func notAPage(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	switch serviceerror.ToStatus(err).Code().String() {
	case "InvalidArgument", "Unknown":
		return true
	}
	return false
}

func (c *Client) count(ctx context.Context, query visibilityQuery) (int, error) {
	answer, err := c.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query.String()})
	if err != nil {
		return 0, problem(err, connection.Internal("count"))
	}
	return int(answer.GetCount()), nil
}

func text(fields map[string]*commonpb.Payload, key temporal.SearchAttributeKeyKeyword) string {
	return value[string](fields, key.GetName())
}

// value reads a search attribute. The server indexes and compares these, so the SDK
// never passes them through a codec: the default converter is right with any client.
func value[T any](fields map[string]*commonpb.Payload, name string) T {
	var v T
	if payload, ok := fields[name]; ok {
		_ = converter.GetDefaultDataConverter().FromPayload(payload, &v) // absent or of another type: the zero value
	}
	return v
}

// remembered reads a field of a memo; one that is absent or cannot be opened is the zero value.
func remembered[T any](values converter.DataConverter, fields map[string]*commonpb.Payload, name string) T {
	var v, none T
	if payload, ok := fields[name]; !ok || values.FromPayload(payload, &v) != nil {
		return none
	}
	return v
}
