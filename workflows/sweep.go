package workflows

import (
	"context"
	"errors"
	"time"

	"connectedapps/activities"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// SweepEvery is how often an environment's Vault paths are swept: as long as an inbox entry lives.
const SweepEvery = 15 * time.Minute

// sweepSchedule is the ID of the schedule in each environment's namespace.
const sweepSchedule = "connected-apps/sweep-vault"

// SweepVault removes what nobody will collect, and names credentials without an owner.
func SweepVault(ctx workflow.Context) (*activities.SweepReport, error) {
	var report activities.SweepReport
	options := sweeping
	options.Summary = "remove what nobody will collect"
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), "SweepVault").Get(ctx, &report)
	return &report, err
}

// EnsureSweep makes the schedule that sweeps this environment, if it is not there yet.
func (c *Client) EnsureSweep(ctx context.Context) error {
	_, err := c.Temporal.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:      sweepSchedule,
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: SweepEvery}}},
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action:  &client.ScheduleWorkflowAction{ID: "sweep-vault", Workflow: TypeSweepVault, TaskQueue: Queue},
	})
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return nil
	}
	return err
}
