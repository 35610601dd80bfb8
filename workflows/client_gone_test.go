package workflows

import (
	"context"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// closed is a Temporal whose only workflow is over, or open; it takes no update.
type closed struct {
	client.Client
	status enumspb.WorkflowExecutionStatus
	of     connection.Status
	fault  error
	update error
}

var closedAt = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func (c closed) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if c.fault != nil {
		return nil, c.fault
	}
	status, _ := converter.GetDefaultDataConverter().ToPayload(string(c.of))
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Status: c.status, CloseTime: timestamppb.New(closedAt),
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{AttributeStatus.GetName(): status}},
	}}, nil
}

func (c closed) UpdateWorkflow(context.Context, client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	return nil, c.update
}

func TestPeopleAreToldWhyThereIsNoConnection(t *testing.T) {
	const (
		plain        = "there is no connection"
		disconnected = "was disconnected on 2026-11-22 10:00 UTC"
		under        = "is being disconnected"
	)
	missing := serviceerror.NewNotFound("workflow execution already completed")
	for name, test := range map[string]struct {
		temporal closed
		want     string
	}{
		"disconnected":           {closed{status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, of: connection.Active}, disconnected},
		"and not revoked":        {closed{status: enumspb.WORKFLOW_EXECUTION_STATUS_FAILED, of: connection.Expired}, disconnected},
		"never connected":        {closed{status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, of: connection.Pending}, plain},
		"terminated":             {closed{status: enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, of: connection.Active}, plain},
		"never made":             {closed{fault: missing}, plain},
		"Temporal cannot tell":   {closed{fault: serviceerror.NewUnavailable("away")}, plain},
		"in the midst of ending": {closed{status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, update: connection.Disconnecting(testID)}, under},
	} {
		t.Run(name, func(t *testing.T) {
			if test.temporal.update == nil {
				test.temporal.update = missing
			}
			c := &Client{Temporal: test.temporal, Environment: "development"}
			_, err := c.Test(context.Background(), testID)
			if connection.TypeOf(err) != connection.ErrConnectionNotFound || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want: %s", err, test.want)
			}
			at, err := c.Disconnected(context.Background(), testID)
			if test.temporal.fault == nil && (err != nil || at.IsZero() == (test.want == disconnected)) {
				t.Errorf("disconnected at %s, %v", at, err)
			}
			if test.want == under || name == "Temporal cannot tell" {
				return
			}
			if _, err = c.Describe(context.Background(), testID); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("described as %v, want: %s", err, test.want)
			}
		})
	}
}

func TestAHandlerSaysThatItIsBeingDisconnected(t *testing.T) {
	r := &recorder{}
	env := entityEnvironment(t, r)
	late := &reply{}
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(UpdateDisconnect, "end", &reply{}, Reason{})
		env.UpdateWorkflow(UpdateTest, "late", late, struct{}{})
	}, time.Minute)
	env.ExecuteWorkflow("entity", activeState())
	if connection.TypeOf(late.err) != connection.ErrConnectionNotFound || !strings.Contains(late.err.Error(), "is being disconnected") {
		t.Errorf("told %v", late.err)
	}
}
