package vault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"connectedapps/connection"

	"github.com/hashicorp/vault/api"
	"go.uber.org/zap"
)

// requestTimeout bounds one request. A loopback request takes about a
// millisecond; ten seconds covers a leader election without outliving the
// window in which a refreshed token must be written.
const requestTimeout = 10 * time.Second

// Client speaks to Vault as one identity in one environment. It is safe for concurrent use.
type Client struct {
	api    *api.Client
	layout Layout
	login  *login
	log    *zap.Logger
}

// Config says where Vault is and who asks.
type Config struct {
	Layout Layout
	// Address of the server; "" takes VAULT_ADDR.
	Address string
	// Token is used as it is when no AppRole is given; "" takes VAULT_TOKEN.
	Token string
	// RoleIDFile and SecretIDFile hold the two halves of an AppRole login. They are
	// read at every login, so that a rotated secret ID needs no restart.
	RoleIDFile, SecretIDFile string
	Log                      *zap.Logger
}

// Open prepares a client. It does not wait for Vault: the first use logs in, and
// a Vault that is away is a VaultUnavailable of that use.
func Open(config Config) (*Client, error) {
	settings := api.DefaultConfig()
	if settings.Error != nil {
		return nil, connection.InvalidInput("VAULT_*", settings.Error.Error(), "correct the environment")
	}
	if config.Address != "" {
		settings.Address = config.Address
	}
	// Retrying is decided by whoever knows whether the request may be repeated.
	settings.MaxRetries = 0
	// Every request carries its own deadline (requestTimeout): the library's
	// would end before the body of a raw answer was read.
	settings.Timeout = 0
	client, err := api.NewClient(settings)
	if err != nil {
		return nil, connection.InvalidInput("VAULT_ADDR", "the address cannot be used", "give a URL such as https://vault.example:8200")
	}
	// A standby may be behind its leader, and a compare-and-set on a stale read is a lost one.
	client.AddHeader("X-Vault-Forward", "active-node")
	if config.Token != "" {
		client.SetToken(config.Token)
	}
	log := config.Log
	if log == nil {
		log = zap.NewNop()
	}
	c := &Client{api: client, layout: config.Layout, log: log}
	if config.RoleIDFile != "" {
		client.ClearToken()
		c.login = &login{client: c, roleIDFile: config.RoleIDFile, secretIDFile: config.SecretIDFile}
	}
	return c, nil
}

// Environment is the one this client serves.
func (c *Client) Environment() string { return c.layout.Environment }

// Ready asks whether Vault is initialised, unsealed and lets this identity in.
func (c *Client) Ready(ctx context.Context) error {
	return c.do(ctx, func(ctx context.Context) error {
		_, err := c.api.Auth().Token().LookupSelfWithContext(ctx)
		return err
	})
}

// do runs one request with a deadline and a valid login, and once more after a
// fresh login if Vault says that the token is no good.
func (c *Client) do(ctx context.Context, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if c.login != nil {
		if err := c.login.ensure(ctx); err != nil {
			return c.translate(err)
		}
	}
	token := c.api.Token()
	err := request(ctx)
	if c.login != nil && status(err) == http.StatusForbidden {
		if c.login.again(ctx, token) == nil {
			err = request(ctx)
		}
	}
	return c.translate(err)
}

func status(err error) int {
	var response *api.ResponseError
	if errors.As(err, &response) {
		return response.StatusCode
	}
	return 0
}

// translate turns what the library says into the words of this package. The
// library's text holds the URL and what Vault answered, so it is logged and not passed on.
func (c *Client) translate(err error) error {
	if err == nil || errors.Is(err, connection.ErrAbsent) || errors.Is(err, connection.ErrVersionConflict) {
		return err
	}
	var response *api.ResponseError
	if errors.As(err, &response) {
		text := strings.Join(response.Errors, "; ")
		switch {
		case response.StatusCode == http.StatusNotFound && text == "":
			return connection.ErrAbsent // with a text it is a mount that is missing, or something in between
		case response.StatusCode == http.StatusBadRequest && strings.Contains(text, "check-and-set"):
			return connection.ErrVersionConflict
		}
		c.log.Warn("vault refused a request", zap.Int("status", response.StatusCode),
			zap.String("method", response.HTTPMethod), zap.String("answer", connection.Bound(text, 200)))
		return refusal(response.StatusCode, text)
	}
	var problem *connection.Problem
	if errors.As(err, &problem) {
		return problem
	}
	c.log.Warn("vault cannot be reached", zap.String("error", connection.Bound(err.Error(), 200)))
	return connection.VaultUnavailable("Vault cannot be reached")
}

func refusal(code int, text string) *connection.Problem {
	problem := connection.VaultUnavailable(fmt.Sprintf("Vault answered %d", code))
	problem.Status = code
	switch {
	case code == http.StatusServiceUnavailable && strings.Contains(text, "sealed"):
		problem.Message = "Vault is sealed"
	case code == http.StatusForbidden || code == http.StatusBadRequest && strings.Contains(text, "invalid role or secret"):
		problem.Message = "Vault refuses this identity"
		problem.Remedy = "check the AppRole files and the policy; the work carries on by itself once it is let in"
	}
	return problem
}
