package vault

import (
	"context"
	"fmt"

	"connectedapps/connection"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// DataConverter is the codec as Temporal's clients and workers take it.
//
// In workflow code it may wait for Vault, which the deadlock detector does not count. A
// payload that cannot be sealed or opened there fails the workflow task, so that Temporal
// tries it again until Vault answers: as an error it would be the answer of an activity,
// or lose a signal, and the workflow would go on by it.
func (c *Codec) DataConverter() converter.DataConverter {
	return workflow.DataConverterWithoutDeadlockDetection(c.steadfast())
}

func (c *Codec) steadfast() converter.DataConverter {
	return &steadfast{DataConverter: converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), c)}
}

// FailureConverter seals messages and stack traces of failures where the codec seals.
// Error types stay in clear, since retry policies of the server match on them.
//
// Failures are not bound to a workflow: the SDK passes on the failure of a child to the
// parent's parent as it is.
func (c *Codec) FailureConverter() converter.FailureConverter {
	return unbound{temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: c.DataConverter(), EncodeCommonAttributes: c.seals})}
}

// WorkerFailureConverter is FailureConverter for the client that a worker polls with:
// there a failure that cannot be opened just now panics, which fails the workflow task.
func (c *Codec) WorkerFailureConverter() converter.FailureConverter {
	return &steadfastFailures{c.FailureConverter(), c}
}

// steadfastFailures does not let workflow code take a failure for another one.
type steadfastFailures struct {
	converter.FailureConverter
	codec *Codec
}

func (s *steadfastFailures) FailureToError(failure *failurepb.Failure) error {
	for part := failure; part != nil; part = part.GetCause() {
		sealed := append([]*commonpb.Payload{part.GetEncodedAttributes()}, part.GetApplicationFailureInfo().GetDetails().GetPayloads()...)
		if _, err := s.codec.Decode(sealed); err != nil {
			panic(fmt.Sprintf("payload codec: %v", err))
		}
	}
	return s.FailureConverter.FailureToError(failure)
}

// steadfast is a data converter that does not let workflow code see a codec that cannot
// do its work just now.
type steadfast struct {
	converter.DataConverter
	inWorkflow bool
}

var (
	_ workflow.ContextAware                           = (*steadfast)(nil)
	_ converter.DataConverterWithSerializationContext = (*steadfast)(nil)
)

func (s *steadfast) WithWorkflowContext(workflow.Context) converter.DataConverter {
	return &steadfast{DataConverter: s.DataConverter, inWorkflow: true}
}

func (s *steadfast) WithContext(context.Context) converter.DataConverter { return s }

func (s *steadfast) WithSerializationContext(about converter.SerializationContext) converter.DataConverter {
	return &steadfast{DataConverter: converter.WithDataConverterSerializationContext(s.DataConverter, about), inWorkflow: s.inWorkflow}
}

// told is a converter's error. One of the codec ends a workflow task; one of the values
// themselves, such as a text where a number is wanted, is the workflow's to know.
func (s *steadfast) told(err error) error {
	if s.inWorkflow {
		switch connection.TypeOf(err) {
		case connection.ErrVaultUnavailable, connection.ErrPayloadUnreadable:
			panic(fmt.Sprintf("payload codec: %v", err))
		}
	}
	return err
}

func (s *steadfast) ToPayload(value any) (*commonpb.Payload, error) {
	payload, err := s.DataConverter.ToPayload(value)
	if err != nil {
		return nil, s.told(err) // never the payload as it was before it should have been sealed
	}
	return payload, nil
}

func (s *steadfast) ToPayloads(values ...any) (*commonpb.Payloads, error) {
	payloads, err := s.DataConverter.ToPayloads(values...)
	if err != nil {
		return nil, s.told(err)
	}
	return payloads, nil
}

func (s *steadfast) FromPayload(payload *commonpb.Payload, value any) error {
	return s.told(s.DataConverter.FromPayload(payload, value))
}

func (s *steadfast) FromPayloads(payloads *commonpb.Payloads, values ...any) error {
	return s.told(s.DataConverter.FromPayloads(payloads, values...))
}

// unbound hides from the SDK that its failure converter could be told of a workflow, and
// keeps a process alive whose failure cannot be sealed, for which the SDK's panics.
type unbound struct{ converter.FailureConverter }

func (u unbound) ErrorToFailure(err error) (failure *failurepb.Failure) {
	defer func() {
		if trouble := recover(); trouble != nil {
			failure = &failurepb.Failure{Source: "GoSDK", Message: "Encoded failure", FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
				ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: connection.ErrVaultUnavailable,
					Category: enumspb.APPLICATION_ERROR_CATEGORY_UNSPECIFIED}}}
		}
	}()
	return u.FailureConverter.ErrorToFailure(err)
}
