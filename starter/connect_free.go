package main

import (
	"context"
	"errors"
	"fmt"

	"connectedapps/connection"
	"connectedapps/workflows"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
)

// free makes sure that Temporal is there and that the ID is not a finished
// connection's, before a secret is left for it. An open connect of the same ID
// decides by itself whether this is the same one. The workflow has the last word.
func (e *environment) free(ctx context.Context, id connection.ID) error {
	if err := e.reachable(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	taken, err := e.runs(ctx, workflows.ConnectionWorkflowID(id))
	if err != nil || !taken {
		return err
	}
	connecting, err := e.runs(ctx, workflows.ConnectWorkflowID(id))
	if err != nil || connecting {
		return err
	}
	return connection.Refused(connection.ErrConnectionIDTaken, fmt.Sprintf("there is a connection %s already", id),
		"choose another name, or disconnect that one first")
}

func (e *environment) runs(ctx context.Context, workflowID string) (bool, error) {
	described, err := e.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	var missing *serviceerror.NotFound
	var namespace *serviceerror.NamespaceNotFound
	switch {
	case errors.As(err, &namespace):
		return false, connection.Refused(connection.ErrUnknownEnvironment, "Temporal has no namespace "+namespace.Namespace,
			"create it, or set CONNECTED_APPS_NAMESPACE_<ENVIRONMENT>")
	case errors.As(err, &missing):
		return false, nil
	case err != nil:
		return false, connection.TemporalUnavailable("Temporal did not say whether the name is free")
	}
	return described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}
