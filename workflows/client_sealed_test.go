package workflows

import (
	"errors"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"
)

// shut is a codec whose keys are away.
type shut struct{ converter.PayloadCodec }

func (shut) Decode([]*commonpb.Payload) ([]*commonpb.Payload, error) { return nil, errors.New("away") }

// A list reads what a codec has encoded by the client's own converter, and goes on
// without what it cannot read.
func TestAlertRowsAreReadThroughTheCodec(t *testing.T) {
	codec := converter.NewZlibCodec(converter.ZlibCodecOptions{AlwaysEncode: true})
	values := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codec)
	since := time.Date(2026, 11, 28, 19, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		written, read converter.DataConverter
		reason        string
	}{
		"encoded":           {values, values, "revoked"},
		"in clear":          {converter.GetDefaultDataConverter(), values, "revoked"},
		"keys away":         {values, converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), shut{codec}), ""},
		"without any codec": {converter.GetDefaultDataConverter(), nil, "revoked"},
	} {
		execution := &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{WorkflowId: "alert/development/sandbox/demo/expired-1"},
			Memo: &commonpb.Memo{Fields: map[string]*commonpb.Payload{}}}
		for key, value := range map[string]any{memoReason: "revoked", memoSince: since} {
			payload, err := c.written.ToPayload(value)
			if err != nil {
				t.Fatal(err)
			}
			execution.Memo.Fields[key] = payload
		}
		row, ok := (&Client{Values: c.read}).alertRow(execution)
		if !ok || row.Reason != c.reason || row.Since.Equal(since) != (c.reason != "") {
			t.Errorf("%s: %+v", name, row)
		}
	}
}
