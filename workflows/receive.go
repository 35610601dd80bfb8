package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"
)

// receive handles every signal of a name, in order; see [receiveAll].
func receive[T any](ctx workflow.Context, name string, take func(T)) {
	receiveAll(ctx, taking(ctx, name, take))
}

// signals are those of one name that wait to be taken.
type signals struct {
	waiting func() bool
	take    func()
}

// taking takes the signals of a name. take must not block: a signal behind it would be
// lost when the workflow continues as new.
func taking[T any](ctx workflow.Context, name string, take func(T)) signals {
	channel := workflow.GetSignalChannel(ctx, name)
	return signals{
		waiting: func() bool { return channel.Len() > 0 },
		take: func() {
			for {
				var in T
				if !channel.ReceiveAsync(&in) {
					return
				}
				take(in)
			}
		},
	}
}

// receiveAll handles the signals of several names, those of one name in order, in one
// coroutine: each costs a workflow that is cached about seven kilobytes.
func receiveAll(ctx workflow.Context, all ...signals) {
	ctx, _ = workflow.NewDisconnectedContext(ctx) // who was cancelled is told things all the same
	workflow.Go(ctx, func(ctx workflow.Context) {
		waiting := func() bool { return slices.ContainsFunc(all, func(s signals) bool { return s.waiting() }) }
		for workflow.Await(ctx, waiting) == nil {
			for _, s := range all {
				s.take()
			}
		}
	})
}

// takeUpdates has every update of a name answered by its handler.
func takeUpdates(ctx workflow.Context, handlers map[string]any) error {
	for _, name := range workflow.DeterministicKeys(handlers) {
		if err := workflow.SetUpdateHandler(ctx, name, handlers[name]); err != nil {
			return err
		}
	}
	return nil
}

// afterOthers is a condition for [workflow.Await] that holds no sooner than every
// other coroutine has had its turn. What arrives in one workflow task is handed out
// together, and the coroutine that was woken by one thing may run before those that
// take the others: a workflow that continued as new at once would lose a signal that
// came beside what woke it.
func afterOthers(condition func() bool) func() bool {
	asked := false
	return func() bool {
		again := asked
		asked = true
		return again && condition()
	}
}
