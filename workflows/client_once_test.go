package workflows

import (
	"context"
	"errors"
	"strings"
	"testing"

	"connectedapps/connection"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// memory is a Temporal that remembers the outcomes of updates by their ID.
type memory struct {
	client.Client
	answers []error // of those that are new, in order; the last one stays
	known   map[string]error
	done    int
}

type outcome struct {
	client.WorkflowUpdateHandle
	err error
}

func (o outcome) Get(context.Context, any) error { return o.err }

func (m *memory) GetWorkflowUpdateHandle(in client.GetWorkflowUpdateHandleOptions) client.WorkflowUpdateHandle {
	if err, ok := m.known[in.UpdateID]; ok {
		return outcome{err: err}
	}
	return outcome{err: serviceerror.NewNotFound("update not found")}
}

func (m *memory) UpdateWorkflow(_ context.Context, in client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	err, ok := m.known[in.UpdateID]
	if !ok {
		err = m.answers[min(m.done, len(m.answers)-1)]
		m.known[in.UpdateID], m.done = err, m.done+1
	}
	return outcome{err: err}, nil
}

func TestAnAnswerThatPassesIsNotKept(t *testing.T) {
	away := final(connection.VaultUnavailable("sealed"))
	for name, c := range map[string]struct {
		answers []error
		want    []string // the type of each request's answer
		done    int
	}{
		"an answer is kept":     {[]error{nil, away}, []string{"", "", ""}, 1},
		"a refusal is kept":     {[]error{final(connection.PausedByPerson("development/sandbox/one")), nil}, []string{connection.ErrConnectionPaused, connection.ErrConnectionPaused}, 1},
		"trouble is not":        {[]error{away, away, nil}, []string{connection.ErrVaultUnavailable, connection.ErrVaultUnavailable, "", ""}, 3},
		"for ever it is asked":  {[]error{away}, strings.Split(strings.Repeat(connection.ErrVaultUnavailable+" ", tries+3), " ")[:tries+3], tries},
		"what is unknown stays": {[]error{errors.New("no problem of ours")}, []string{connection.ErrTemporalUnavailable, connection.ErrTemporalUnavailable}, 1},
	} {
		temporal := &memory{answers: c.answers, known: map[string]error{}}
		ctx := Once(context.Background(), "key")
		for i, want := range c.want {
			err := (&Client{Temporal: temporal}).update(ctx, "connection/development/sandbox/one", UpdateTest, struct{}{}, nil)
			if got := connection.TypeOf(err); got != want {
				t.Errorf("%s: request %d: %q, want %q", name, i+1, got, want)
			}
		}
		if temporal.done != c.done {
			t.Errorf("%s: done %d times, want %d", name, temporal.done, c.done)
		}
	}
}
