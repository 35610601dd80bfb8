package vault

import (
	"context"
	"encoding/base64"

	"connectedapps/connection"
)

// payloadKey is the transit key that wraps the data keys of payloads. It may be
// rotated at any time: a data key names the version that it is wrapped with.
const payloadKey = "payloads"

// dataKeySize is that of AES-256.
const dataKeySize = 32

// DataKeys makes and opens the keys that payloads are sealed with; a [Client] does it.
// ErrVaultUnavailable means that Vault cannot say just now, and ErrPayloadUnreadable
// that it has said that a wrapped key is none of its own.
type DataKeys interface {
	// NewDataKey answers a fresh key of 32 bytes, and how it is wrapped.
	NewDataKey(ctx context.Context) (key []byte, wrapped string, err error)
	// OpenDataKey answers the key that was wrapped.
	OpenDataKey(ctx context.Context, wrapped string) ([]byte, error)
}

var _ DataKeys = (*Client)(nil)

// NewDataKey lets Vault make a data key.
func (c *Client) NewDataKey(ctx context.Context) (key []byte, wrapped string, err error) {
	answer, err := c.transit(ctx, "datakey/plaintext/"+payloadKey, map[string]any{"bits": 8 * dataKeySize})
	if err != nil {
		return nil, "", err
	}
	if key, err = dataKey(answer); err != nil {
		return nil, "", err
	}
	if wrapped, _ = answer["ciphertext"].(string); wrapped == "" {
		return nil, "", connection.VaultUnavailable("Vault answered a data key that is not wrapped")
	}
	return key, wrapped, nil
}

// OpenDataKey lets Vault open a data key.
func (c *Client) OpenDataKey(ctx context.Context, wrapped string) ([]byte, error) {
	answer, err := c.transit(ctx, "decrypt/"+payloadKey, map[string]any{"ciphertext": wrapped})
	if problem, ok := connection.AsProblem(err); ok && problem.Status == 400 {
		return nil, unreadable("its key was not made by this environment's Vault, or has been retired there")
	}
	if err != nil {
		return nil, err
	}
	return dataKey(answer)
}

func dataKey(answer map[string]any) ([]byte, error) {
	text, _ := answer["plaintext"].(string)
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != dataKeySize {
		return nil, connection.VaultUnavailable("Vault's answer is not a data key")
	}
	return key, nil
}
