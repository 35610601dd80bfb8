package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"connectedapps/connection"
)

// Outputs keeps secrets that actions answered with, such as a key just created.
// They stay until the connection is disconnected.
type Outputs struct{ kv kv }

// Outputs is the store of secret outputs.
func (c *Client) Outputs() Outputs { return Outputs{kv{c, c.layout.Secrets()}} }

// Keep stores named secrets and answers where: a path in Vault for whoever may read it there.
func (s Outputs) Keep(ctx context.Context, id connection.ID, fields map[string]connection.Secret) (string, error) {
	path := outputs + owner(id) + "/" + strings.ToLower(rand.Text())
	if _, err := s.kv.write(ctx, path, reveal(fields), 0); err != nil {
		return "", err
	}
	return s.kv.mount + "/" + path, nil
}

// DestroyAll removes every output of a connection.
func (s Outputs) DestroyAll(ctx context.Context, id connection.ID) error {
	return s.kv.destroyAll(ctx, outputs+owner(id))
}

// destroyAll removes every entry of a folder. An absent folder is not an error.
func (k kv) destroyAll(ctx context.Context, folder string) error {
	names, err := k.list(ctx, folder)
	if err != nil && !errors.Is(err, connection.ErrAbsent) {
		return err
	}
	for _, name := range names {
		if err := k.destroy(ctx, folder+"/"+name); err != nil {
			return err
		}
	}
	return nil
}
