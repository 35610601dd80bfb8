package vault

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"connectedapps/connection"
)

// maxSwept bounds how many old links one new link clears away.
const maxSwept = 100

// Access keeps who may use the gateway in one environment: access tokens and
// one-time sign-in links, each under the SHA-256 of its text and never as it is.
type Access struct{ kv kv }

// Access is the store of access tokens and sign-in links.
func (c *Client) Access() Access { return Access{kv{c, c.layout.Secrets()}} }

// Clock asks Vault for its time, of which expiries are told and by which they are judged.
func (c *Client) Clock(ctx context.Context) (connection.Clock, error) {
	var clock connection.Clock
	err := c.do(ctx, func(ctx context.Context) error {
		response, err := c.api.Logical().ReadRawWithContext(ctx, "auth/token/lookup-self")
		if response != nil {
			defer func() { _ = response.Body.Close() }()
		}
		if err == nil {
			clock, err = clockOf(response)
		}
		return err
	})
	return clock, err
}

// Clock is that of Vault.
func (a Access) Clock(ctx context.Context) (connection.Clock, error) { return a.kv.client.Clock(ctx) }

// CreateToken stores a new token under its hash, which ends after life; 0 means never.
func (a Access) CreateToken(ctx context.Context, hash string, token connection.AccessToken, life time.Duration) (connection.AccessToken, error) {
	clock, err := a.Clock(ctx)
	if err != nil {
		return token, err
	}
	token.Created, token.Expires = clock.Now().UTC().Truncate(time.Second), time.Time{}
	if life > 0 {
		token.Expires = token.Created.Add(life)
	}
	_, err = a.kv.write(ctx, tokens+hash, keptToken{token, hash}, 0)
	return token, err
}

// keptToken repeats the hash, so that an entry that was copied to another place is not a token.
type keptToken struct {
	connection.AccessToken
	SHA256 string `json:"sha256"`
}

// Token answers a token by its hash, with the hash that is stored beside it and
// Vault's clock. An unknown or revoked one is a [connection.ErrAbsent].
func (a Access) Token(ctx context.Context, hash string) (connection.AccessToken, string, connection.Clock, error) {
	found, err := a.kv.read(ctx, tokens+hash)
	if err != nil {
		return connection.AccessToken{}, "", connection.Clock{}, err
	}
	var stored keptToken
	if json.Unmarshal(found.data, &stored) != nil {
		return connection.AccessToken{}, "", connection.Clock{}, connection.ErrAbsent
	}
	return stored.AccessToken, stored.SHA256, found.clock, nil
}

// Tokens lists the environment's tokens by name, those that have ended too.
func (a Access) Tokens(ctx context.Context) ([]connection.AccessToken, error) {
	all := []connection.AccessToken{}
	err := a.eachToken(ctx, func(_ string, token connection.AccessToken) error {
		all = append(all, token)
		return nil
	})
	connection.SortTokens(all)
	return all, err
}

// Revoke destroys every token of that name, and answers how many there were.
func (a Access) Revoke(ctx context.Context, name string) (int, error) {
	count := 0
	err := a.eachToken(ctx, func(hash string, token connection.AccessToken) error {
		if token.Name != name {
			return nil
		}
		count++
		return a.kv.destroy(ctx, tokens+hash)
	})
	return count, err
}

func (a Access) eachToken(ctx context.Context, do func(hash string, token connection.AccessToken) error) error {
	hashes, err := a.names(ctx, tokens)
	for _, hash := range hashes {
		token, _, _, err := a.Token(ctx, hash)
		if errors.Is(err, connection.ErrAbsent) {
			continue // revoked a moment ago
		}
		if err == nil {
			err = do(hash, token)
		}
		if err != nil {
			return err
		}
	}
	return err
}

func (a Access) names(ctx context.Context, folder string) ([]string, error) {
	names, err := a.kv.list(ctx, folder)
	if errors.Is(err, connection.ErrAbsent) {
		return nil, nil
	}
	return names, err
}

// keptLink is marked as used before it is destroyed, so that it is of no use
// even where its destruction fails.
type keptLink struct {
	connection.SignInLink
	Used bool `json:"used,omitempty"`
}

// CreateLink stores a sign-in link under its hash, and clears old ones away.
func (a Access) CreateLink(ctx context.Context, hash, role string, life time.Duration) (connection.SignInLink, error) {
	clock, err := a.Clock(ctx)
	if err != nil {
		return connection.SignInLink{}, err
	}
	link := connection.SignInLink{Role: role, Expires: clock.Now().UTC().Truncate(time.Second).Add(life)}
	if _, err := a.kv.write(ctx, links+hash, keptLink{SignInLink: link}, 0); err != nil {
		return link, err
	}
	a.sweepLinks(ctx)
	return link, nil
}

// sweepLinks destroys what nobody can use any more. What fails is left to the next time.
func (a Access) sweepLinks(ctx context.Context) {
	hashes, err := a.names(ctx, links)
	if err != nil {
		return
	}
	for _, hash := range hashes[:min(len(hashes), maxSwept)] {
		link, found, err := a.link(ctx, hash)
		if err == nil && (link.Used || !found.clock.Now().Before(link.Expires)) {
			_ = a.kv.destroy(ctx, links+hash) // it is of no use to anybody as it is
		}
	}
}

func (a Access) link(ctx context.Context, hash string) (keptLink, entry, error) {
	found, err := a.kv.read(ctx, links+hash)
	if err != nil {
		return keptLink{}, entry{}, err
	}
	var link keptLink
	if json.Unmarshal(found.data, &link) != nil {
		return keptLink{}, entry{}, connection.ErrAbsent
	}
	return link, found, nil
}

// UseLink uses a sign-in link up and answers it, with Vault's clock. Of several
// callers one gets it, by compare-and-set; the others, and whoever brings one that is
// unknown, used or too old, get [connection.ErrAbsent].
func (a Access) UseLink(ctx context.Context, hash string) (connection.SignInLink, connection.Clock, error) {
	link, found, err := a.link(ctx, hash)
	if err != nil {
		return connection.SignInLink{}, connection.Clock{}, err
	}
	if link.Used || !found.clock.Now().Before(link.Expires) {
		return connection.SignInLink{}, connection.Clock{}, connection.ErrAbsent
	}
	_, err = a.kv.write(ctx, links+hash, keptLink{SignInLink: link.SignInLink, Used: true}, found.version)
	if errors.Is(err, connection.ErrVersionConflict) {
		err = connection.ErrAbsent
	}
	if err != nil {
		return connection.SignInLink{}, connection.Clock{}, err
	}
	_ = a.kv.destroy(ctx, links+hash) // marked as used already; the next new link sweeps it
	return link.SignInLink, found.clock, nil
}
