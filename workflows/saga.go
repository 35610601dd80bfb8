package workflows

import "go.temporal.io/sdk/workflow"

// saga undoes what has been done, in reverse. A compensation is added before the
// step it undoes, since a step may succeed and its answer be lost; each is idempotent.
type saga struct{ steps []compensation }

type compensation struct {
	what string
	do   func(workflow.Context) error
}

func (s *saga) add(what string, do func(workflow.Context) error) {
	s.steps = append(s.steps, compensation{what, do})
}

// run does every compensation, on a context that a cancelled workflow leaves
// alone. One that fails is logged and does not keep the others from running.
func (s *saga) run(ctx workflow.Context) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	for i := len(s.steps) - 1; i >= 0; i-- {
		if err := s.steps[i].do(ctx); err != nil {
			workflow.GetLogger(ctx).Warn("a compensation did not succeed", "step", s.steps[i].what, "error", err.Error())
		}
	}
	s.steps = nil
}
