package vault

import (
	"context"
	"os"
	"strings"
	"sync"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// renewAt is the share of a token's life after which it is renewed or replaced:
// early enough that several failures still leave a working token.
const renewAt = 0.5

// login keeps an AppRole's token alive. It works on use, not in the background:
// a token past half its life is renewed before the next request, and one that
// cannot be renewed is replaced by a new login. Nothing runs while nothing is asked.
type login struct {
	client                   *Client
	roleIDFile, secretIDFile string

	mu        sync.Mutex
	token     string
	renewable bool
	renewFrom time.Time // on the monotonic clock
	diesAt    time.Time
}

// ensure returns once the client holds a token that is good for this request.
func (l *login) ensure(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.token != "" && now.Before(l.renewFrom) {
		return nil
	}
	if l.token != "" && l.renewable && now.Before(l.diesAt) && l.renew(ctx) == nil {
		return nil
	}
	err := l.fresh(ctx)
	if err != nil && l.token != "" && now.Before(l.diesAt) {
		return nil // the old token still works; the next request tries again
	}
	return err
}

// again logs in anew after Vault refused the given token, unless somebody already did.
func (l *login) again(ctx context.Context, refused string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token != refused {
		return nil
	}
	return l.fresh(ctx)
}

func (l *login) renew(ctx context.Context) error {
	secret, err := l.client.api.Auth().Token().RenewSelfWithContext(ctx, 0)
	if err != nil {
		l.client.log.Info("vault token not renewed; logging in anew")
		return err
	}
	if secret == nil || secret.Auth == nil {
		return connection.VaultUnavailable("Vault answered the renewal with no token")
	}
	l.hold(l.token, secret.Auth.Renewable, secret.Auth.LeaseDuration)
	return nil
}

func (l *login) fresh(ctx context.Context) error {
	roleID, err := readLine(l.roleIDFile)
	if err != nil {
		return err
	}
	secretID, err := readLine(l.secretIDFile)
	if err != nil {
		return err
	}
	// Not through the shared client: it would send the token it is about to replace.
	bare, err := l.client.api.CloneWithHeaders()
	if err != nil {
		return err
	}
	bare.ClearToken()
	secret, err := bare.Logical().WriteWithContext(ctx, "auth/approle/login",
		map[string]any{"role_id": roleID, "secret_id": secretID})
	if err != nil {
		return err
	}
	if secret == nil || secret.Auth == nil {
		return connection.VaultUnavailable("Vault answered the login with no token")
	}
	l.client.api.SetToken(secret.Auth.ClientToken)
	l.hold(secret.Auth.ClientToken, secret.Auth.Renewable, secret.Auth.LeaseDuration)
	l.client.log.Info("logged in to vault", zap.Int("lease_seconds", secret.Auth.LeaseDuration))
	return nil
}

func (l *login) hold(token string, renewable bool, leaseSeconds int) {
	life := time.Duration(leaseSeconds) * time.Second
	if leaseSeconds == 0 { // does not expire
		life = 24 * time.Hour
	}
	now := time.Now()
	l.token, l.renewable = token, renewable
	l.renewFrom, l.diesAt = now.Add(time.Duration(float64(life)*renewAt)), now.Add(life)
}

func readLine(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", connection.VaultUnavailable("an AppRole file cannot be read: " + path)
	}
	return strings.TrimSpace(string(text)), nil
}
