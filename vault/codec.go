package vault

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"connectedapps/connection"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// Metadata of a sealed payload. All of it is authenticated: none of it can be changed,
// left out or taken from another payload without the payload no longer opening.
const (
	// EncodingSealed is the value that converter.MetadataEncoding has; Temporal's own
	// samples and tools know it by this name.
	EncodingSealed = "binary/encrypted"
	// MetadataFormat is the format's version, "1".
	MetadataFormat = "encryption-format"
	// MetadataKey is the wrapped data key. It is the key's ID as well, and names the
	// version of the transit key that it is wrapped with.
	MetadataKey = "encryption-key"
	// MetadataWorkflow is the workflow that the payload belongs to; absent in one that
	// belongs to none, or whose maker did not know.
	MetadataWorkflow = "encryption-workflow"
)

const (
	format    = "1"
	nonceSize = 12 // 96 bits, random for each payload
)

// Codec seals payloads with AES-256-GCM for one namespace, and opens them. It opens
// what is sealed whether it seals itself or not, and leaves alone what is not sealed:
// histories may be older than the codec. It is safe for concurrent use.
type Codec struct {
	*codec
	// workflow is whose payloads these are; "" where that is not known.
	workflow string
}

// codec is what the views of a Codec for different workflows share.
type codec struct {
	namespace string
	seals     bool
	keys      *keyring
	strangers strangers
}

// CodecOptions are for [NewCodec]. Namespace and Keys are required.
type CodecOptions struct {
	// Namespace is Temporal's. A payload of another one does not open.
	Namespace string
	Keys      DataKeys
	// Seal switches sealing on. Without it payloads are sent as they are, and sealed
	// ones of others are still opened.
	Seal bool
	// Log is silent when nil.
	Log *zap.Logger
}

// NewCodec makes a codec. It asks nothing of Vault before a payload needs a key.
func NewCodec(options CodecOptions) *Codec {
	log := options.Log
	if log == nil {
		log = zap.NewNop()
	}
	return &Codec{codec: &codec{namespace: options.Namespace, seals: options.Seal, keys: newKeyring(options.Keys, log),
		strangers: strangers{log: log}}}
}

var _ converter.PayloadCodecWithSerializationContext = (*Codec)(nil)

// WithSerializationContext is the codec for the payloads of one workflow, where the
// context names one.
func (c *Codec) WithSerializationContext(about converter.SerializationContext) converter.PayloadCodec {
	view := &Codec{codec: c.codec}
	switch about := about.(type) {
	case converter.WorkflowSerializationContext:
		view.workflow = about.WorkflowID
	case converter.ActivitySerializationContext:
		view.workflow = about.WorkflowID // "" for a standalone one
	}
	if view.workflow == c.workflow {
		return c
	}
	return view
}

// Ready reports whether payloads could be sealed now; nil where none are to be. Once it
// has answered nil, a Vault that goes away holds no sealing up.
func (c *Codec) Ready(ctx context.Context) error {
	if !c.seals {
		return nil
	}
	_, err := c.keys.sealing(ctx)
	return err
}

// Seals reports whether payloads are sealed.
func (c *Codec) Seals() bool { return c.seals }

// Encode seals payloads, where the codec seals. Its error is an ErrVaultUnavailable
// where there has been no data key yet; then nothing was encoded.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	if !c.seals {
		return payloads, nil
	}
	return c.Seal(context.Background(), payloads)
}

// Seal is Encode whether the codec seals or not, for those who ask for it.
func (c *Codec) Seal(ctx context.Context, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	sealed := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		key, err := c.keys.sealing(ctx)
		if err != nil {
			return nil, err
		}
		if sealed[i], err = c.seal(key, payload); err != nil {
			return nil, err
		}
	}
	return sealed, nil
}

func (c *Codec) seal(key *dataKeyInUse, payload *commonpb.Payload) (*commonpb.Payload, error) {
	plain, err := proto.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("a payload cannot be written: %w", err)
	}
	data := make([]byte, nonceSize, nonceSize+len(plain)+key.aead.Overhead())
	if _, err := rand.Read(data); err != nil {
		return nil, err
	}
	metadata := map[string][]byte{converter.MetadataEncoding: []byte(EncodingSealed), MetadataFormat: []byte(format), MetadataKey: []byte(key.wrapped)}
	if c.workflow != "" {
		metadata[MetadataWorkflow] = []byte(c.workflow)
	}
	return &commonpb.Payload{Metadata: metadata, Data: key.aead.Seal(data, data, plain, c.bound(key.wrapped, c.workflow))}, nil
}

// Decode opens the payloads that are sealed. Its error is an ErrPayloadUnreadable for
// one that was changed, or is of another namespace, workflow or Vault, and an
// ErrVaultUnavailable where Vault must be asked for a key and does not answer.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	opened := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		var err error
		if opened[i], err = c.Open(context.Background(), payload); err != nil {
			return nil, err
		}
	}
	return opened, nil
}

// Open opens one payload, as Decode does.
func (c *Codec) Open(ctx context.Context, payload *commonpb.Payload) (*commonpb.Payload, error) {
	metadata := payload.GetMetadata()
	if string(metadata[converter.MetadataEncoding]) != EncodingSealed {
		return payload, nil
	}
	c.strangers.seen(c.seals)
	if string(metadata[MetadataFormat]) != format {
		return nil, unreadable("it was not sealed by this codec, or by a newer one")
	}
	wrapped, workflow, data := string(metadata[MetadataKey]), string(metadata[MetadataWorkflow]), payload.GetData()
	if wrapped == "" || len(wrapped) > maxWrapped || len(data) < nonceSize {
		return nil, unreadable("a part of it is missing")
	}
	if !belongs(workflow, c.workflow) {
		return nil, unreadable("it belongs to another workflow")
	}
	key, err := c.keys.opening(ctx, wrapped)
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(nil, data[:nonceSize], data[nonceSize:], c.bound(wrapped, workflow))
	if err != nil {
		return nil, unreadable("it was changed, or sealed for another namespace")
	}
	opened := new(commonpb.Payload)
	if err := proto.Unmarshal(plain, opened); err != nil {
		return nil, unreadable("what was sealed is no payload")
	}
	return opened, nil
}

// bound is the additional authenticated data: format, namespace, key and workflow, each
// with its length, so that no two of them can be taken for one another.
func (c *codec) bound(wrapped, workflow string) []byte {
	bound := []byte("connected-apps/payload/" + format)
	for _, part := range []string{c.namespace, wrapped, workflow} {
		bound = binary.BigEndian.AppendUint32(bound, uint32(len(part)))
		bound = append(bound, part...)
	}
	return bound
}

// belongs reports whether a payload of one workflow may be read by another. One that is
// bound to none may be read by all, and all may be read where the reader is not known:
// what a list shows, or a person looks at. A schedule seals the input for the ID that it
// was given, and starts workflows of that ID with the time after it.
func belongs(bound, reader string) bool {
	if bound == "" || reader == "" || bound == reader {
		return true
	}
	const stamp = "-2006-01-02T15:04:05Z"
	if len(reader) != len(bound)+len(stamp) || reader[:len(bound)] != bound {
		return false
	}
	_, err := time.Parse(stamp, reader[len(bound):])
	return err == nil
}

func unreadable(why string) *connection.Problem {
	return connection.Refused(connection.ErrPayloadUnreadable, "a sealed payload does not open: "+why,
		"see docs/operations.md, \"Sealed payloads\"")
}
