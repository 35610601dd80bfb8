package vault

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"connectedapps/connection"

	commonpb "go.temporal.io/api/common/v1"
)

func keyOf(payload *commonpb.Payload) string { return string(payload.GetMetadata()[MetadataKey]) }

// Inside these tests time is the test's own, and passes only while everything waits.
func TestKeysAreReplacedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := newTransit()
		c := vault.codec("staging")
		first := sealedBy(t, c, payloadOf("1"))
		for range 100 {
			sealedBy(t, c, payloadOf("x"))
		}
		if vault.made != 1 {
			t.Fatalf("%d keys were made for 101 payloads", vault.made)
		}
		time.Sleep(keyLife + time.Second)
		vault.set(func() { vault.version = 2 }) // the transit key was rotated
		sealedBy(t, c, payloadOf("the last with the old one"))
		synctest.Wait()
		next := sealedBy(t, c, payloadOf("2"))
		if keyOf(next) == keyOf(first) || !strings.HasPrefix(keyOf(next), "vault:v2:") {
			t.Errorf("sealed with %s after %s", keyOf(next), keyOf(first))
		}
		fresh := vault.codec("staging") // another process
		if err := opens(t, fresh, first, payloadOf("1")); err != nil {
			t.Errorf("older than the rotation: %v", err)
		}
		if err := opens(t, fresh, next, payloadOf("2")); err != nil {
			t.Error(err)
		}
		c.keys.current.used.Store(keyUses)
		sealedBy(t, c, payloadOf("the last of so many"))
		synctest.Wait()
		if third := sealedBy(t, c, payloadOf("3")); keyOf(third) == keyOf(next) {
			t.Error("the key is used for more payloads than it may be")
		}
	})
}

func TestSealingGoesOnWithoutVault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := newTransit()
		vault.away = connection.VaultUnavailable("Vault is sealed")
		c := vault.codec("staging")
		if sealed, err := c.Encode([]*commonpb.Payload{payloadOf("x")}); connection.TypeOf(err) != connection.ErrVaultUnavailable || sealed != nil {
			t.Errorf("without any key: %v, %v", sealed, err)
		}
		if c.Ready(t.Context()) == nil {
			t.Error("it is ready without a key")
		}
		vault.set(func() { vault.away = nil })
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		vault.set(func() { vault.away = connection.VaultUnavailable("Vault cannot be reached") })
		first := sealedBy(t, c, payloadOf("x"))
		time.Sleep(5 * keyLife)
		for range 5 {
			if sealed := sealedBy(t, c, payloadOf("x")); keyOf(sealed) != keyOf(first) {
				t.Error("a key came from nowhere")
			}
			synctest.Wait()
		}
		vault.set(func() { vault.away = nil })
		time.Sleep(keyPause + time.Second)
		sealedBy(t, c, payloadOf("x"))
		synctest.Wait()
		if sealed := sealedBy(t, c, payloadOf("x")); keyOf(sealed) == keyOf(first) {
			t.Error("no new key was asked for once Vault was back")
		}
	})
}

// What Vault does not open just now may be opened later; what it will never open is said at once.
func TestOpeningWithoutVault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := newTransit()
		one, other := sealedBy(t, vault.codec("staging"), payloadOf("x")), sealedBy(t, vault.codec("staging"), payloadOf("x"))
		c := vault.codec("staging")
		if err := opens(t, c, one, payloadOf("x")); err != nil {
			t.Fatal(err)
		}
		vault.set(func() { vault.away, vault.opened = connection.VaultUnavailable("Vault is sealed"), 0 })
		if err := opens(t, c, one, payloadOf("x")); err != nil {
			t.Errorf("its key is in memory: %v", err)
		}
		for range 50 {
			if err := opens(t, c, other, payloadOf("x")); connection.TypeOf(err) != connection.ErrVaultUnavailable {
				t.Errorf("got %v", err)
			}
		}
		if vault.opened != 1 {
			t.Errorf("Vault was asked %d times within a second", vault.opened)
		}
		vault.set(func() { vault.away = nil })
		time.Sleep(openPause + time.Millisecond)
		if err := opens(t, c, other, payloadOf("x")); err != nil {
			t.Errorf("Vault is back: %v", err)
		}
	})
}

func TestOpenedKeysAreBounded(t *testing.T) {
	k := newKeyring(newTransit(), nil)
	aead, _ := aeadOf(make([]byte, dataKeySize))
	for i := range 5 * keysKept {
		k.keep(fmt.Sprint(i), aead)
		if _, err := k.known("0"); err != nil { // one that is used all the time stays
			t.Fatal(err)
		}
	}
	if n := len(k.opened) + len(k.older); n > 2*keysKept {
		t.Errorf("%d keys are kept", n)
	}
	if found, _ := k.known("0"); found == nil {
		t.Error("a key in use was dropped")
	}
	if found, _ := k.known("1"); found != nil {
		t.Error("a key that nobody uses was kept")
	}
}

func TestManyAtOnceAskOnce(t *testing.T) {
	vault := newTransit()
	c := vault.codec("staging")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			sealed, err := c.Seal(context.Background(), []*commonpb.Payload{payloadOf("x")})
			if err == nil {
				_, err = c.Decode(sealed)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if vault.made != 1 || vault.opened > 0 {
		t.Errorf("%d keys were made and %d opened", vault.made, vault.opened)
	}
}
