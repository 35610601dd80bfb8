package vault

import (
	"errors"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"
)

// inWorkflow is a data converter as the SDK hands it to workflow code.
func inWorkflow(c *Codec, id string) converter.DataConverter {
	dc := converter.WithDataConverterSerializationContext(c.steadfast(), converter.WorkflowSerializationContext{Namespace: c.namespace, WorkflowID: id})
	return dc.(workflow.ContextAware).WithWorkflowContext(nil)
}

// panicked is what a function panicked with; nil when it did not.
func panicked(f func()) (what any) {
	defer func() { what = recover() }()
	f()
	return nil
}

func TestWorkflowCodeSeesNoCodecTrouble(t *testing.T) {
	vault := newTransit()
	mine, text := inWorkflow(vault.codec("staging"), "connect/one"), ""
	sealed, err := inWorkflow(vault.codec("staging"), "connect/one").ToPayload("hello")
	if err != nil || mine.FromPayload(sealed, &text) != nil || text != "hello" {
		t.Fatalf("%q, %v", text, err)
	}
	vault.set(func() { vault.away = connection.VaultUnavailable("Vault is sealed") })
	fresh := vault.codec("staging") // a worker that has just started
	for what, f := range map[string]func(){
		"an answer": func() { _ = inWorkflow(fresh, "connect/one").FromPayload(sealed, &text) },
		"arguments": func() {
			_ = inWorkflow(fresh, "connect/one").FromPayloads(&commonpb.Payloads{Payloads: []*commonpb.Payload{sealed}}, &text)
		},
		"a value":    func() { _, _ = inWorkflow(fresh, "connect/one").ToPayload("x") },
		"values":     func() { _, _ = inWorkflow(fresh, "connect/one").ToPayloads("x") },
		"a stranger": func() { _ = inWorkflow(fresh, "connect/two").FromPayload(sealed, &text) },
	} {
		if said, ok := panicked(f).(string); !ok || !strings.HasPrefix(said, "payload codec: ") {
			t.Errorf("%s: workflow code went on: %v", what, said)
		}
	}
	var number int
	if err := mine.FromPayload(sealed, &number); err == nil {
		t.Error("a text is no number, and the workflow was not told")
	}
	outside := fresh.DataConverter()
	if _, err := outside.ToPayload("x"); connection.TypeOf(err) != connection.ErrVaultUnavailable {
		t.Errorf("outside a workflow: %v", err)
	}
	if err := outside.FromPayload(sealed, &text); connection.TypeOf(err) != connection.ErrVaultUnavailable {
		t.Errorf("outside a workflow: %v", err)
	}
}

// crossed sends an error through Temporal and back.
func crossed(t *testing.T, from, to converter.FailureConverter, err error) (*failurepb.Failure, error) {
	t.Helper()
	failure := from.ErrorToFailure(err)
	text, _ := protojson.Marshal(failure)
	kept := new(failurepb.Failure)
	if err := protojson.Unmarshal(text, kept); err != nil {
		t.Fatal(err)
	}
	return kept, to.FailureToError(kept)
}

func TestFailuresCrossSealed(t *testing.T) {
	vault := newTransit()
	problem := connection.RateLimited("canary: contact ada", 7*time.Second)
	failure := vault.codec("staging").FailureConverter().ErrorToFailure(problem.Temporal())
	text, _ := protojson.Marshal(failure)
	if strings.Contains(string(text), "canary") || failure.Message != "Encoded failure" || failure.StackTrace != "" {
		t.Errorf("the failure is readable: %s", text)
	}
	if info := failure.GetApplicationFailureInfo(); info.GetType() != connection.ErrRateLimited || info.GetNextRetryDelay().AsDuration() != 7*time.Second || info.GetNonRetryable() {
		t.Errorf("the server cannot retry by it: %s", text)
	}
	_, err := crossed(t, vault.codec("staging").FailureConverter(), vault.codec("staging").FailureConverter(), problem.Temporal())
	if told, ok := connection.AsProblem(err); !ok || *told != *problem || !strings.Contains(err.Error(), "canary") {
		t.Errorf("it came back as %v", err)
	}
	again, err := crossed(t, vault.codec("staging").FailureConverter(), vault.codec("staging").WorkerFailureConverter(), err)
	if told, ok := connection.AsProblem(err); !ok || *told != *problem || again.Message != problem.Error() {
		t.Errorf("passed on it came back as %v", err) // FailureToError writes what it opened into what it was given
	}
	cause := temporal.NewApplicationErrorWithCause("outer canary", "Outer", errors.New("inner canary"), "detail")
	_, err = crossed(t, vault.codec("staging").FailureConverter(), vault.codec("staging").FailureConverter(), cause)
	if err == nil || !strings.Contains(err.Error(), "outer canary") || errors.Unwrap(err) == nil || !strings.Contains(errors.Unwrap(err).Error(), "inner canary") {
		t.Errorf("the cause is lost: %v", err)
	}
	// The control: without sealing the canary is found.
	plain := NewCodec(CodecOptions{Namespace: "staging", Keys: vault}).FailureConverter().ErrorToFailure(problem.Temporal())
	if text, _ := protojson.Marshal(plain); !strings.Contains(string(text), "canary") {
		t.Error("a failure that is not sealed cannot be read")
	}
}

// One who does not seal understands those who do, and the other way round.
func TestFailuresOfOthersAreRead(t *testing.T) {
	vault := newTransit()
	on, off := vault.codec("staging"), NewCodec(CodecOptions{Namespace: "staging", Keys: vault})
	problem := connection.NotFound("staging/sandbox/demo")
	for _, pair := range [][2]*Codec{{on, off}, {off, on}} {
		_, err := crossed(t, pair[0].FailureConverter(), pair[1].FailureConverter(), problem.Temporal())
		if told, ok := connection.AsProblem(err); !ok || *told != *problem {
			t.Errorf("sealing %t, reading %t: %v", pair[0].seals, pair[1].seals, err)
		}
	}
}

func TestFailuresWithoutVault(t *testing.T) {
	vault := newTransit()
	failure := vault.codec("staging").FailureConverter().ErrorToFailure(connection.NotFound("staging/sandbox/demo").Temporal())
	vault.set(func() { vault.away = connection.VaultUnavailable("Vault is sealed") })
	fresh := vault.codec("staging")
	if what := panicked(func() { _ = fresh.WorkerFailureConverter().FailureToError(failure) }); what == nil {
		t.Error("a workflow would take this failure for another")
	}
	if what := panicked(func() { _ = fresh.FailureConverter().FailureToError(failure) }); what != nil {
		t.Errorf("a caller's process panicked: %v", what)
	}
	unsealable := fresh.FailureConverter().ErrorToFailure(connection.RateLimited("canary", time.Second).Temporal())
	if text, _ := protojson.Marshal(unsealable); strings.Contains(string(text), "canary") ||
		unsealable.GetApplicationFailureInfo().GetType() != connection.ErrVaultUnavailable || unsealable.GetApplicationFailureInfo().GetNonRetryable() {
		t.Errorf("without a key it says %s", text)
	}
}
