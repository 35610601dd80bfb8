package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"connectedapps/connection"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// transitOf stands for one environment's transit: it wraps keys by remembering them.
type transitOf struct {
	mu           sync.Mutex
	version      int
	keys         map[string][]byte
	away         error
	made, opened int
}

func newTransit() *transitOf { return &transitOf{version: 1, keys: map[string][]byte{}} }

func (v *transitOf) NewDataKey(context.Context) ([]byte, string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.away != nil {
		return nil, "", v.away
	}
	v.made++
	key := make([]byte, dataKeySize)
	_, _ = rand.Read(key)
	wrapped := fmt.Sprintf("vault:v%d:key-%d", v.version, v.made)
	v.keys[wrapped] = bytes.Clone(key)
	return key, wrapped, nil
}

func (v *transitOf) OpenDataKey(_ context.Context, wrapped string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened++
	if v.away != nil {
		return nil, v.away
	}
	key, ok := v.keys[wrapped]
	if !ok {
		return nil, unreadable("no such key")
	}
	return bytes.Clone(key), nil
}

func (v *transitOf) set(change func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
}

func (v *transitOf) codec(namespace string) *Codec {
	return NewCodec(CodecOptions{Namespace: namespace, Keys: v, Seal: true})
}

// of is a codec as the SDK asks for one in a workflow.
func of(c *Codec, workflow string) *Codec {
	return c.WithSerializationContext(converter.WorkflowSerializationContext{Namespace: c.namespace, WorkflowID: workflow}).(*Codec)
}

func payloadOf(text string) *commonpb.Payload {
	payload, _ := converter.GetDefaultDataConverter().ToPayload(text)
	return payload
}

func sealedBy(t *testing.T, c *Codec, payload *commonpb.Payload) *commonpb.Payload {
	t.Helper()
	sealed, err := c.Encode([]*commonpb.Payload{payload})
	if err != nil {
		t.Fatal(err)
	}
	return sealed[0]
}

// opens reports whether a payload opens to what it was.
func opens(t *testing.T, c *Codec, sealed, want *commonpb.Payload) error {
	t.Helper()
	opened, err := c.Decode([]*commonpb.Payload{sealed})
	if err == nil && !proto.Equal(opened[0], want) {
		t.Errorf("it opened as %v", opened[0])
	}
	return err
}

func refused(t *testing.T, what string, err error) {
	t.Helper()
	if problem, ok := connection.AsProblem(err); !ok || problem.Type != connection.ErrPayloadUnreadable || problem.Remedy == "" {
		t.Errorf("%s: %v", what, err)
	}
}

func TestPayloadsOfEverySizeComeBack(t *testing.T) {
	c := newTransit().codec("staging")
	for name, payload := range map[string]*commonpb.Payload{
		"text": payloadOf("a contact"), "empty": {}, "nothing": nil, "no data": {Metadata: map[string][]byte{"encoding": []byte("binary/null")}},
		"huge": {Metadata: map[string][]byte{"encoding": []byte("binary/plain")}, Data: bytes.Repeat([]byte("contact "), 1<<19)},
	} {
		sealed := sealedBy(t, c, payload)
		if string(sealed.Metadata["encoding"]) != EncodingSealed || len(payload.GetData()) > 8 && bytes.Contains(sealed.Data, payload.GetData()[:8]) {
			t.Errorf("%s is not sealed: %v", name, sealed.Metadata)
		}
		if payload == nil {
			payload = &commonpb.Payload{}
		}
		if err := opens(t, c, sealed, payload); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	one, other := sealedBy(t, c, payloadOf("twice")), sealedBy(t, c, payloadOf("twice"))
	if bytes.Equal(one.Data[:nonceSize], other.Data[:nonceSize]) || bytes.Equal(one.Data, other.Data) {
		t.Error("two payloads have one nonce")
	}
}

func TestWhatIsNotSealedIsLeftAlone(t *testing.T) {
	for _, seals := range []bool{true, false} {
		c := NewCodec(CodecOptions{Namespace: "staging", Keys: newTransit(), Seal: seals})
		for _, payload := range []*commonpb.Payload{payloadOf("older than the codec"), {}, nil} {
			if err := opens(t, c, payload, payload); err != nil {
				t.Errorf("sealing %t: %v", seals, err)
			}
		}
	}
}

// A process that does not seal opens what others sealed, and says that they do.
func TestSealingIsSwitchedOnAndOff(t *testing.T) {
	vault := newTransit()
	on, off := vault.codec("staging"), NewCodec(CodecOptions{Namespace: "staging", Keys: vault})
	plain := payloadOf("x")
	if sealed := sealedBy(t, off, plain); sealed != plain || vault.made != 0 || off.Ready(t.Context()) != nil {
		t.Errorf("it was sealed all the same: %v", sealed)
	}
	if off.Status() != "in clear" || on.Status() != "sealed" {
		t.Errorf("%q and %q", off.Status(), on.Status())
	}
	if err := opens(t, off, sealedBy(t, on, plain), plain); err != nil {
		t.Error(err)
	}
	if !strings.Contains(off.Status(), "CONNECTED_APPS_CODEC") {
		t.Errorf("it does not say that others seal: %q", off.Status())
	}
}

func TestEveryChangedByteIsSeen(t *testing.T) {
	c := of(newTransit().codec("staging"), "connection/staging/sandbox/demo")
	plain := payloadOf("a contact")
	sealed := sealedBy(t, c, plain)
	if err := opens(t, c, sealed, plain); err != nil {
		t.Fatal(err) // the control: unchanged it opens
	}
	for i := range sealed.Data { // nonce, text and tag
		changed := proto.CloneOf(sealed)
		changed.Data[i] ^= 1
		refused(t, fmt.Sprintf("byte %d", i), opens(t, c, changed, plain))
	}
	for length := range sealed.Data {
		changed := proto.CloneOf(sealed)
		changed.Data = changed.Data[:length]
		refused(t, fmt.Sprintf("cut to %d bytes", length), opens(t, c, changed, plain))
	}
	longer := proto.CloneOf(sealed)
	longer.Data = append(longer.Data, 0)
	refused(t, "with a byte more", opens(t, c, longer, plain))
	reader := newTransitLike(c).codec("staging") // knows no workflow, so that only the seal can tell
	for _, name := range slices.Sorted(maps.Keys(sealed.Metadata)) {
		if name == converter.MetadataEncoding {
			continue // of another encoding it is not ours to open
		}
		for i := range sealed.Metadata[name] {
			changed := proto.CloneOf(sealed)
			changed.Metadata[name][i] ^= 1
			refused(t, fmt.Sprintf("%s, byte %d", name, i), opens(t, reader, changed, plain))
		}
		changed := proto.CloneOf(sealed)
		delete(changed.Metadata, name)
		refused(t, "without "+name, opens(t, reader, changed, plain))
	}
	if err := opens(t, reader, sealed, plain); err != nil {
		t.Error(err)
	}
}

// newTransitLike is the transit that a codec asks.
func newTransitLike(c *Codec) *transitOf { return c.keys.vault.(*transitOf) }

func TestForeignPayloadsDoNotOpen(t *testing.T) {
	vault := newTransit()
	staging, plain := vault.codec("staging"), payloadOf("a contact")
	sealed := sealedBy(t, staging, plain)
	refused(t, "another namespace with the same keys", opens(t, vault.codec("production"), sealed, plain))
	refused(t, "another Vault", opens(t, newTransit().codec("staging"), sealed, plain))
	other := vault.codec("staging")
	swapped := proto.CloneOf(sealed)
	swapped.Metadata[MetadataKey] = sealedBy(t, other, plain).Metadata[MetadataKey]
	refused(t, "another key of the same Vault", opens(t, staging, swapped, plain))
	vault.set(func() { vault.keys["the same key, wrapped again"] = vault.keys[string(sealed.Metadata[MetadataKey])] })
	swapped.Metadata[MetadataKey] = []byte("the same key, wrapped again")
	refused(t, "the same key under another ID", opens(t, staging, swapped, plain))
	swapped.Metadata[MetadataKey] = bytes.Repeat([]byte("k"), maxWrapped+1)
	refused(t, "a key that is too long", opens(t, staging, swapped, plain))
	if err := opens(t, staging, sealed, plain); err != nil {
		t.Error(err)
	}
}

func TestPayloadsStayWithTheirWorkflow(t *testing.T) {
	c, plain := newTransit().codec("staging"), payloadOf("approve")
	mine := sealedBy(t, of(c, "connect/one"), plain)
	activity := c.WithSerializationContext(converter.ActivitySerializationContext{Namespace: "staging", WorkflowID: "connect/one", ActivityType: "CallAction"}).(*Codec)
	standalone := c.WithSerializationContext(converter.ActivitySerializationContext{Namespace: "staging", ActivityType: "CallAction"}).(*Codec)
	refused(t, "another workflow", opens(t, of(c, "connect/two"), mine, plain))
	for name, reader := range map[string]*Codec{"its own": of(c, "connect/one"), "its activity": activity, "a person who looks": c, "a standalone activity": standalone,
		"a run of its schedule": of(c, "connect/one-2026-11-28T19:31:03Z")} {
		if err := opens(t, reader, mine, plain); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, reader := range []string{"connect/one-2026-11-28T19:31:03", "connect/one-2026-13-28T19:31:03Z", "connect/on", "x"} {
		refused(t, reader, opens(t, of(c, reader), mine, plain))
	}
	if err := opens(t, of(c, "connect/two"), sealedBy(t, standalone, plain), plain); err != nil {
		t.Errorf("what belongs to no workflow: %v", err)
	}
}

// FuzzCodec changes a sealed payload: whatever opens is what was sealed.
func FuzzCodec(f *testing.F) {
	vault := newTransit()
	c := of(vault.codec("staging"), "connect/one")
	plain := payloadOf("a contact")
	all, err := c.Encode([]*commonpb.Payload{plain})
	if err != nil {
		f.Fatal(err)
	}
	good := all[0]
	f.Add([]byte(EncodingSealed), good.Metadata[MetadataFormat], good.Metadata[MetadataKey], good.Metadata[MetadataWorkflow], good.Data)
	f.Add([]byte(EncodingSealed), []byte("1"), []byte("vault:v1:key-1"), []byte(""), []byte("short"))
	f.Add([]byte("json/plain"), []byte(""), []byte(""), []byte(""), []byte(`"text"`))
	f.Fuzz(func(t *testing.T, encoding, version, key, workflow, data []byte) {
		payload := &commonpb.Payload{Data: data, Metadata: map[string][]byte{converter.MetadataEncoding: encoding, MetadataFormat: version, MetadataKey: key, MetadataWorkflow: workflow}}
		opened, err := c.Decode([]*commonpb.Payload{payload})
		switch {
		case err != nil:
			refused(t, "fuzzed", err)
		case string(encoding) != EncodingSealed:
			if opened[0] != payload {
				t.Error("what is not sealed was changed")
			}
		case !proto.Equal(opened[0], plain):
			t.Errorf("it opened as %v", opened[0])
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	c := newTransit().codec("staging")
	payload := []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: bytes.Repeat([]byte("x"), 1<<10)}}
	b.ReportAllocs()
	for b.Loop() {
		sealed, err := c.Encode(payload)
		if err == nil {
			_, err = c.Decode(sealed)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
