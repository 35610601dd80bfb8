package state

import (
	"context"
	"errors"
	"time"
)

// Succeed notes that a refresh token was replaced by another. A token may be replaced by several.
func (d *DB) Succeed(ctx context.Context, predecessor, successor string) error {
	return d.Update(ctx, func(ctx context.Context) error {
		older, err := d.Token(ctx, Refresh, predecessor)
		if err != nil {
			return err
		}
		newer, err := d.Token(ctx, Refresh, successor)
		if err != nil {
			return err
		}
		older.Successors, newer.Predecessor = append(older.Successors, successor), predecessor
		return errors.Join(d.PutToken(ctx, Refresh, predecessor, older), d.PutToken(ctx, Refresh, successor, newer))
	})
}

// Supersede notes that one of a token's successors has been used: the token and its other successors are superseded.
// An empty or unknown predecessor is no error, for the first of a family has none.
func (d *DB) Supersede(ctx context.Context, predecessor, used string, at time.Time) error {
	return d.Update(ctx, func(ctx context.Context) error {
		older, err := d.Token(ctx, Refresh, predecessor)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		for _, signature := range append([]string{predecessor}, older.Successors...) {
			if signature == used || err != nil {
				continue
			}
			var token Token
			if token, err = d.Token(ctx, Refresh, signature); err == nil && token.SupersededAt.IsZero() {
				token.SupersededAt = at
				err = d.PutToken(ctx, Refresh, signature, token)
			}
		}
		return err
	})
}
