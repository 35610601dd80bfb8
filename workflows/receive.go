package workflows

import "go.temporal.io/sdk/workflow"

// receive handles every signal of a name, in order. take must not block: a signal
// behind it would be lost when the workflow continues as new.
func receive[T any](ctx workflow.Context, name string, take func(T)) {
	workflow.Go(ctx, func(ctx workflow.Context) {
		channel := workflow.GetSignalChannel(ctx, name)
		for {
			var in T
			if !channel.Receive(ctx, &in) {
				return
			}
			take(in)
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
