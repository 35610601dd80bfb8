package deployment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"connectedapps/connection"
	"connectedapps/vault"

	"go.uber.org/zap"
)

const codecName = "CONNECTED_APPS_CODEC"

// checkCodec reports, as an ErrInvalidInput, an environment that there is not, and one
// whose namespace is another's too: neither could open what the other has sealed.
func (s Settings) checkCodec() error {
	for _, name := range s.Codec {
		if !slices.Contains(s.Environments, name) {
			return connection.InvalidInput(codecName, fmt.Sprintf("there is no environment %q", connection.Bound(name, 63)),
				"name some of: "+strings.Join(s.Environments, ", "))
		}
		for _, other := range s.Environments {
			if other != name && s.Namespace(other) == s.Namespace(name) {
				return connection.InvalidInput(codecName, fmt.Sprintf("%s and %s have the same Temporal namespace", name, other),
					"give each a namespace of its own, or leave both out")
			}
		}
	}
	return nil
}

// payloads is the codec of an environment. It opens what is sealed whether the
// environment is listed in CONNECTED_APPS_CODEC or not, so that sealing can be switched on
// and off with work under way. secrets may be nil: Vault is opened when it is needed.
func (s Settings) payloads(environment string, secrets *vault.Client, log *zap.Logger) *vault.Codec {
	var keys vault.DataKeys = &latently{open: sync.OnceValues(func() (*vault.Client, error) { return s.Vault(environment, log) })}
	if secrets != nil {
		keys = secrets
	}
	return vault.NewCodec(vault.CodecOptions{Namespace: s.Namespace(environment), Keys: keys,
		Seal: slices.Contains(s.Codec, environment), Log: log.With(zap.String("environment", environment))})
}

// latently is a Vault that is opened at its first use: commands that meet no sealed
// payload need no login for it.
type latently struct {
	open func() (*vault.Client, error)
}

func (l *latently) NewDataKey(ctx context.Context) ([]byte, string, error) {
	c, err := l.open()
	if err != nil {
		return nil, "", err
	}
	return c.NewDataKey(ctx)
}

func (l *latently) OpenDataKey(ctx context.Context, wrapped string) ([]byte, error) {
	c, err := l.open()
	if err != nil {
		return nil, err
	}
	return c.OpenDataKey(ctx, wrapped)
}
