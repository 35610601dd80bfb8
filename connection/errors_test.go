package connection

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
)

// crossed is an error as it comes out of Temporal's converter on the other side.
func crossed(err error) error {
	converter := temporal.GetDefaultFailureConverter()
	return converter.FailureToError(converter.ErrorToFailure(err))
}

func TestProblemsCrossTemporalWhole(t *testing.T) {
	id := ID("development/sandbox/acme")
	scope := Refused(ErrScopeMissing, "no", "ask for more")
	scope.Verdict, scope.Status = ScopeLost, 403
	tests := map[string]struct {
		problem *Problem
		retried bool
		wait    time.Duration
	}{
		ErrInvalidInput:        {InvalidInput("name", "wrong", "correct it"), false, 0},
		ErrConnectionNotFound:  {NotFound(id), false, 0},
		ErrReconnectRequired:   {ReconnectRequired(id, "revoked"), false, 0},
		ErrScopeMissing:        {scope, false, 0},
		ErrVaultUnavailable:    {VaultUnavailable("sealed"), true, 0},
		ErrProviderUnavailable: {ProviderUnavailable("down", 503), true, 0},
		ErrTemporalUnavailable: {TemporalUnavailable("down"), true, 0},
		ErrRateLimited:         {RateLimited("slow down", 7*time.Second), true, 7 * time.Second},
		ErrLookAgain:           {LookAgain("later", 0), true, time.Second},
		ErrInternal:            {Internal("here"), true, 0},
	}
	for kind, test := range tests {
		t.Run(kind, func(t *testing.T) {
			wrapped := fmt.Errorf("while at it: %w", test.problem)
			for how, err := range map[string]error{"as it is": wrapped, "at the boundary": Boundary("here", wrapped),
				"across": crossed(Boundary("here", wrapped)), "across twice": crossed(Boundary("here", crossed(Boundary("here", wrapped))))} {
				problem, ok := AsProblem(err)
				if !ok || *problem != *test.problem || TypeOf(err) != kind {
					t.Errorf("%s: %+v, type %q", how, problem, TypeOf(err))
				}
			}
			var application *temporal.ApplicationError
			if !errors.As(crossed(Boundary("here", wrapped)), &application) {
				t.Fatal("no application error")
			}
			if application.Type() != kind || application.NonRetryable() == test.retried || application.NextRetryDelay() != test.wait {
				t.Errorf("type %q, non-retryable %v, next in %s", application.Type(), application.NonRetryable(), application.NextRetryDelay())
			}
			benign := application.Category() == temporal.ApplicationErrorCategoryBenign
			if benign != (kind == ErrLookAgain) {
				t.Errorf("benign %v", benign)
			}
			if !errors.Is(wrapped, &Problem{Type: kind}) || errors.Is(wrapped, &Problem{Type: "Other"}) {
				t.Error("errors.Is does not match on the type")
			}
		})
	}
}

func TestNothingForeignCrosses(t *testing.T) {
	foreign := fmt.Errorf("vault says %s: %w", canary, errors.New(canary))
	err := crossed(Boundary("CallAction", foreign))
	if TypeOf(err) != ErrInternal || strings.Contains(fmt.Sprintf("%+v", err), canary) {
		t.Errorf("%+v", err)
	}
	around := &Problem{Type: ErrRejectedInput, Message: "refused"}
	failure := temporal.GetDefaultFailureConverter().ErrorToFailure(Boundary("CallAction", fmt.Errorf("%s: %w", canary, around)))
	if strings.Contains(failure.String(), canary) || failure.GetCause() != nil {
		t.Errorf("%s", failure)
	}
}

func TestWhatIsNoProblem(t *testing.T) {
	if TypeOf(nil) != "" || Boundary("x", nil) != nil {
		t.Error("nil is a problem")
	}
	if _, ok := AsProblem(context.Canceled); ok || TypeOf(context.Canceled) != ErrInternal {
		t.Error("a foreign error is a problem of ours")
	}
	canceled := temporal.NewCanceledError()
	if !temporal.IsCanceledError(Boundary("x", canceled)) {
		t.Error("a cancellation did not stay one")
	}
	other := crossed(temporal.NewApplicationError("no", "TheirType", "details"))
	if _, ok := AsProblem(other); ok {
		t.Error("another's application error is a problem of ours")
	}
}

// A foreign error in this process holds its details as they are.
func TestAForeignErrorIsNoProblem(t *testing.T) {
	foreign := temporal.NewApplicationError("other", "Other", struct{ X int }{1})
	if problem, ok := AsProblem(foreign); ok {
		t.Errorf("%+v", problem)
	}
}
