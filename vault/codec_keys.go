package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"sync"
	"sync/atomic"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"
)

const (
	// keyLife and keyUses are after how long, and how many payloads, a data key is
	// replaced. Nonces are random, and NIST SP 800-38D allows 2^32 of them for a key.
	keyLife = time.Hour
	keyUses = 1 << 20
	// keysKept bounds each of the two generations of opened keys. A key is one process's
	// for an hour, and a command's for itself; what is dropped is opened again in a millisecond.
	keysKept = 2048
	// keyTimeout bounds one question for a key: workflow code waits for the answer, and
	// its task lasts ten seconds.
	keyTimeout = 3 * time.Second
	// keyPause is how long Vault is not asked again for a new key after it gave none, and
	// openPause how long it is not asked to open any after it did not answer: a list of a
	// hundred payloads must not wait for it a hundred times.
	keyPause, openPause = 5 * time.Second, time.Second
	// maxWrapped bounds a wrapped key; one of Vault's has 89 characters.
	maxWrapped = 1 << 10
)

// dataKeyInUse is a key that payloads are sealed with.
type dataKeyInUse struct {
	aead    cipher.AEAD
	wrapped string
	made    time.Time
	used    atomic.Int64
}

// keyring has the key that is sealed with, and those that were opened.
type keyring struct {
	vault  DataKeys
	log    *zap.Logger
	asking singleflight.Group

	mu       sync.Mutex
	current  *dataKeyInUse
	renewing bool
	pause    time.Time // Vault is not asked for a new key before
	shut     time.Time // nor to open one
	shutBy   error
	// opened has the keys used of late, older those used before them: one of which is
	// used moves up, and when the first is full the second is dropped.
	opened, older map[string]cipher.AEAD
}

func newKeyring(vault DataKeys, log *zap.Logger) *keyring {
	return &keyring{vault: vault, log: log, opened: map[string]cipher.AEAD{}}
}

// keep remembers an opened key; the caller holds the lock.
func (k *keyring) keep(wrapped string, aead cipher.AEAD) {
	if len(k.opened) >= keysKept {
		k.opened, k.older = map[string]cipher.AEAD{}, k.opened
	}
	k.opened[wrapped] = aead
}

// known answers a key that is in memory, or why Vault is not asked for it just now.
func (k *keyring) known(wrapped string) (cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if aead, ok := k.opened[wrapped]; ok {
		return aead, nil
	}
	if aead, ok := k.older[wrapped]; ok {
		k.keep(wrapped, aead)
		return aead, nil
	}
	if time.Now().Before(k.shut) {
		return nil, k.shutBy
	}
	return nil, nil
}

// sealing answers the key to seal with. The first one is waited for. One that is due for
// replacement is used until its successor is there, so that a Vault that is slow or away
// holds nothing up.
func (k *keyring) sealing(ctx context.Context) (*dataKeyInUse, error) {
	k.mu.Lock()
	current := k.current
	now := time.Now()
	if current != nil && (current.used.Add(1) > keyUses || now.Sub(current.made) > keyLife) && !k.renewing && now.After(k.pause) {
		k.renewing = true
		go k.renew()
	}
	k.mu.Unlock()
	if current != nil {
		return current, nil
	}
	_, err, _ := k.asking.Do("", func() (any, error) {
		if k.first() != nil { // somebody else's question was answered meanwhile
			return nil, nil
		}
		return nil, k.replace(ctx)
	})
	return k.first(), err
}

// first is the key that is sealed with; nil before there is one.
func (k *keyring) first() *dataKeyInUse {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

func (k *keyring) renew() {
	err := k.replace(context.Background())
	k.mu.Lock()
	defer k.mu.Unlock()
	k.renewing = false
	if err != nil {
		k.pause = time.Now().Add(keyPause)
		k.log.Warn("Vault gives no new key for payloads; the one in memory is used on", zap.Error(err))
	}
}

// replace gets a new key and seals with it from now on.
func (k *keyring) replace(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keyTimeout)
	defer cancel()
	plain, wrapped, err := k.vault.NewDataKey(ctx)
	if err != nil {
		return err
	}
	aead, err := aeadOf(plain)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keep(wrapped, aead)
	k.current = &dataKeyInUse{aead: aead, wrapped: wrapped, made: time.Now()}
	return nil
}

// opening answers the key that a payload was sealed with. Those who want the same key at
// the same time ask once.
func (k *keyring) opening(ctx context.Context, wrapped string) (cipher.AEAD, error) {
	if aead, err := k.known(wrapped); aead != nil || err != nil {
		return aead, err
	}
	opened, err, _ := k.asking.Do("open "+wrapped, func() (any, error) { return k.open(ctx, wrapped) })
	if err != nil {
		return nil, err
	}
	return opened.(cipher.AEAD), nil
}

func (k *keyring) open(ctx context.Context, wrapped string) (cipher.AEAD, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keyTimeout)
	defer cancel()
	plain, err := k.vault.OpenDataKey(ctx, wrapped)
	var aead cipher.AEAD
	if err == nil {
		aead, err = aeadOf(plain)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err == nil:
		k.keep(wrapped, aead)
	case connection.TypeOf(err) == connection.ErrVaultUnavailable:
		k.shut, k.shutBy = time.Now().Add(openPause), err
	}
	return aead, err
}

// aeadOf makes the cipher, and forgets the key's bytes as far as Go lets it.
func aeadOf(key []byte) (cipher.AEAD, error) {
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, connection.VaultUnavailable("Vault's answer is not a data key")
	}
	return cipher.NewGCM(block)
}

// strangers notes that others seal where this process does not.
type strangers struct {
	log  *zap.Logger
	once sync.Once
	met  atomic.Bool
}

func (s *strangers) seen(seals bool) {
	if seals {
		return
	}
	s.met.Store(true)
	s.once.Do(func() {
		s.log.Warn("others seal the payloads of this namespace, and this process does not: add the environment to CONNECTED_APPS_CODEC here too, unless sealing is being switched off")
	})
}

// Status says in a few words whether payloads are sealed, for readiness checks.
func (c *Codec) Status() string {
	switch {
	case c.seals:
		return "sealed"
	case c.strangers.met.Load():
		return "in clear, while others seal theirs: does CONNECTED_APPS_CODEC name this environment everywhere?"
	default:
		return "in clear"
	}
}
