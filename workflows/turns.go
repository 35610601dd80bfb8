package workflows

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
