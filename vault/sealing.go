package vault

import (
	"context"
	"encoding/base64"

	"connectedapps/connection"
)

// cookieKey is the transit key that seals the gateway's cookies.
const cookieKey = "cookies"

// Seal encrypts text for the environment's own gateways: any of them can open it,
// and nobody else. bound is authenticated with it and must be the same when it is opened.
func (c *Client) Seal(ctx context.Context, text, bound string) (string, error) {
	answer, err := c.transit(ctx, "encrypt/"+cookieKey, map[string]any{
		"plaintext": encode(text), "associated_data": encode(bound),
	})
	if err != nil {
		return "", err
	}
	sealed, _ := answer["ciphertext"].(string)
	if sealed == "" {
		return "", connection.VaultUnavailable("Vault answered the encryption with nothing")
	}
	return sealed, nil
}

// Open is the inverse of [Client.Seal]. What was not sealed here, or not for the
// same purpose, is an ErrLinkInvalid.
func (c *Client) Open(ctx context.Context, sealed, bound string) (string, error) {
	answer, err := c.transit(ctx, "decrypt/"+cookieKey, map[string]any{
		"ciphertext": sealed, "associated_data": encode(bound),
	})
	if err != nil {
		if problem, ok := connection.AsProblem(err); ok && problem.Status == 400 {
			return "", connection.Refused(connection.ErrLinkInvalid, "this was not sealed here", "ask for a new link")
		}
		return "", err
	}
	text, _ := answer["plaintext"].(string)
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", connection.VaultUnavailable("Vault's answer is not what was sealed")
	}
	return string(plain), nil
}

func (c *Client) transit(ctx context.Context, operation string, body map[string]any) (map[string]any, error) {
	var data map[string]any
	err := c.do(ctx, func(ctx context.Context) error {
		secret, err := c.api.Logical().WriteWithContext(ctx, c.layout.Transit()+"/"+operation, body)
		if err == nil && secret != nil {
			data = secret.Data
		}
		return err
	})
	return data, err
}

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
