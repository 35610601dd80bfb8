package workflows

import (
	"errors"
	"testing"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

// reply collects what an update answers.
type reply struct {
	accepted, completed bool
	result              any
	err                 error
}

func (r *reply) Accept() { r.accepted = true }

func (r *reply) Reject(err error) { r.err = err }

func (r *reply) Complete(result any, err error) { r.completed, r.result, r.err = true, result, err }

func asContinue(err error, next **workflow.ContinueAsNewError) bool { return errors.As(err, next) }

// carriedFrom is the input of the next run, nil if there is none.
func carriedFrom(t *testing.T, err error) *State {
	t.Helper()
	var next *workflow.ContinueAsNewError
	if !asContinue(err, &next) {
		t.Errorf("it was not continued as new: %v", err)
		return nil
	}
	carried := carriedState(t, next)
	return &carried
}

// carriedState is the input of the next run.
func carriedState(t *testing.T, next *workflow.ContinueAsNewError) State {
	t.Helper()
	var s State
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// described is what the workflow answers to the query describe.
func described[S any](t *testing.T, env *testsuite.TestWorkflowEnvironment) S {
	t.Helper()
	var s S
	value, err := env.QueryWorkflow(QueryDescribe)
	if err == nil {
		err = value.Get(&s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}
