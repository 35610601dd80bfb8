package deployment

import (
	"net/http"
	"os"
	"path/filepath"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/connectors/outbound"
	"connectedapps/vault"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Log makes the process's logger; it writes to standard error.
func (s Settings) Log() (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(s.LogLevel)
	if err != nil {
		return nil, connection.InvalidInput("CONNECTED_APPS_LOG_LEVEL", "this is not a level", "use debug, info, warn or error")
	}
	config := zap.NewProductionConfig()
	config.Level.SetLevel(level)
	config.Sampling = nil
	config.DisableStacktrace = true
	config.EncoderConfig.EncodeTime = zapcore.ISO8601TimeEncoder
	if s.LogFormat == "console" {
		config.Encoding = "console"
		config.EncoderConfig.EncodeLevel = zapcore.CapitalLevelEncoder
	}
	return config.Build()
}

// Catalogue loads the embedded definitions and those of the configured directories.
func (s Settings) Catalogue() (*connectors.Catalogue, error) { return connectors.Load(s.Connectors...) }

// Provider is the one HTTP client for everything that leaves.
func (s Settings) Provider() *http.Client {
	return outbound.New(outbound.Policy{AllowPrivate: s.AllowPrivate, AllowHTTP: s.AllowHTTP})
}

// Vault opens Vault for one environment, by AppRole where there are identities
// and by VAULT_TOKEN otherwise.
func (s Settings) Vault(environment string, log *zap.Logger) (*vault.Client, error) {
	config := vault.Config{Layout: vault.Layout{Prefix: s.VaultPrefix, Environment: environment}, Log: log}
	if s.Identities != "" {
		config.RoleIDFile = filepath.Join(s.Identities, environment, "role-id")
		config.SecretIDFile = filepath.Join(s.Identities, environment, "secret-id")
	} else if os.Getenv("VAULT_TOKEN") == "" {
		return nil, connection.InvalidInput("CONNECTED_APPS_IDENTITIES", "there is no login for Vault",
			"set it to the directory of the AppRole logins, or set VAULT_TOKEN")
	}
	return vault.Open(config)
}

// Temporal prepares a client of an environment's namespace, by Temporal's own
// variables and profiles. It does not connect before it is used.
func (s Settings) Temporal(environment string, log *zap.Logger) (client.Client, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, connection.InvalidInput("TEMPORAL_*", connection.Bound(err.Error(), 200), "correct the variable or the profile file")
	}
	options.Namespace = s.Namespace(environment)
	options.Logger = temporalLog{log.WithOptions(zap.AddCallerSkip(1))}
	options.Identity = identity()
	// The SDK compresses by default, and the server then does too: about a tenth of an
	// action's time, to save a few hundred bytes on a local network.
	if !s.TemporalGzip {
		options.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	}
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, connection.InvalidInput("TEMPORAL_ADDRESS", connection.Bound(err.Error(), 200), "give host:port")
	}
	return c, nil
}

// Client is the typed facade of one environment. secrets may be nil, where no facts of Vault are wanted.
func (s Settings) Client(environment string, catalogue *connectors.Catalogue, secrets *vault.Client, log *zap.Logger) (*workflows.Client, error) {
	if err := s.Serves(environment); err != nil {
		return nil, err
	}
	t, err := s.Temporal(environment, log)
	if err != nil {
		return nil, err
	}
	c := &workflows.Client{Temporal: t, Environment: environment, NamespaceName: s.Namespace(environment), Catalogue: catalogue}
	if secrets != nil {
		c.Facts = secrets.Documents()
	}
	return c, nil
}

// identity shows in Temporal who polled or called, without revealing more than the host.
func identity() string {
	host, _ := os.Hostname()
	return filepath.Base(os.Args[0]) + "@" + host
}

// temporalLog lets Temporal's SDK write to our logger.
type temporalLog struct{ zap *zap.Logger }

func (l temporalLog) Debug(message string, keyvals ...any) { l.zap.Sugar().Debugw(message, keyvals...) }
func (l temporalLog) Info(message string, keyvals ...any)  { l.zap.Sugar().Infow(message, keyvals...) }
func (l temporalLog) Warn(message string, keyvals ...any)  { l.zap.Sugar().Warnw(message, keyvals...) }
func (l temporalLog) Error(message string, keyvals ...any) { l.zap.Sugar().Errorw(message, keyvals...) }
