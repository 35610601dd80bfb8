package vault

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"

	"github.com/hashicorp/vault/api"
	commonpb "go.temporal.io/api/common/v1"
)

// asIdentity is our client of the real server, with the rights of an identity.
func asIdentity(t *testing.T, admin *api.Client, layout Layout, identity Identity) *Client {
	t.Helper()
	return open(t, Config{Layout: layout, Address: admin.Address(), Token: logIn(t, admin, identity).Token()})
}

// Gateway and worker open each other's payloads, across rotations of the key and while
// it is being rotated; another environment opens none.
func TestTheRealServersKeysSealPayloads(t *testing.T) {
	admin := realServer(t)
	staging, production := Layout{Environment: "staging"}, Layout{Environment: "production"}
	codecs := map[string]*Codec{}
	for _, layout := range []Layout{staging, production} {
		identities, err := Setup(t.Context(), admin, layout, SetupOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for who, identity := range identities {
			// The same namespace, so that it is Vault that tells the environments apart.
			codecs[layout.Environment+"/"+who] = NewCodec(CodecOptions{Namespace: "shared", Keys: asIdentity(t, admin, layout, identity), Seal: true})
		}
	}
	worker, gateway, plain := codecs["staging/worker"], codecs["staging/gateway"], payloadOf("a contact")
	first := sealedBy(t, worker, plain)
	if err := opens(t, gateway, first, plain); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{Worker, Gateway} {
		refused(t, who+" of production", opens(t, codecs["production/"+who], first, plain))
	}
	rotate := func() {
		t.Helper()
		if _, err := admin.Logical().Write(staging.Transit()+"/keys/"+payloadKey+"/rotate", map[string]any{}); err != nil {
			t.Fatal(err)
		}
	}
	var load sync.WaitGroup
	stop := make(chan struct{})
	var mu sync.Mutex
	versions := map[string]int{}
	for range 4 {
		load.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				// A fresh keyring each time asks Vault for each key, as many processes would.
				c := NewCodec(CodecOptions{Namespace: "shared", Keys: worker.keys.vault, Seal: true})
				sealed, err := c.Encode([]*commonpb.Payload{plain})
				if err == nil {
					fresh := NewCodec(CodecOptions{Namespace: "shared", Keys: gateway.keys.vault, Seal: true})
					_, err = fresh.Decode(sealed)
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				versions[strings.Join(strings.SplitN(keyOf(sealed[0]), ":", 3)[:2], ":")]++
				mu.Unlock()
			}
		})
	}
	for n := range 6 {
		want := fmt.Sprintf("vault:v%d", n+1)
		if n > 0 {
			rotate()
		}
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			seen := versions[want] > 0
			mu.Unlock()
			if seen || time.Now().After(deadline) {
				break
			}
		}
	}
	close(stop)
	load.Wait()
	if len(versions) < 6 {
		t.Errorf("keys of these versions were used: %v", versions)
	}
	fresh := NewCodec(CodecOptions{Namespace: "shared", Keys: gateway.keys.vault, Seal: true})
	if err := opens(t, fresh, first, plain); err != nil {
		t.Errorf("older than the rotations: %v", err)
	}
	// What Vault has retired is said to be unreadable, and not to be waited for.
	if _, err := admin.Logical().Write(staging.Transit()+"/keys/"+payloadKey+"/config", map[string]any{"min_decryption_version": 3}); err != nil {
		t.Fatal(err)
	}
	refused(t, "of a retired version", opens(t, NewCodec(CodecOptions{Namespace: "shared", Keys: gateway.keys.vault}), first, plain))
	if _, err := admin.Logical().Write("sys/policies/acl/"+staging.Role(Gateway), map[string]any{"policy": "# nothing\n"}); err != nil {
		t.Fatal(err)
	}
	cut := NewCodec(CodecOptions{Namespace: "shared", Keys: gateway.keys.vault, Seal: true})
	if _, err := cut.Encode([]*commonpb.Payload{plain}); connection.TypeOf(err) != connection.ErrVaultUnavailable {
		t.Errorf("without the right: %v", err)
	}
}
