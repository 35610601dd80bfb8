package state

import (
	"context"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"connectedapps/devstack/sandbox/internal/settings"
)

// ErrEmptySelector is answered to a selector that names nothing: it would otherwise select every family.
var ErrEmptySelector = errors.New("name at least one of family, user, client")

// Family is one act of authorization and every token that came of it. Revoking it ends them all.
type Family struct {
	ID        string    `json:"family"`
	Client    string    `json:"client"`
	User      string    `json:"user"`
	GrantType string    `json:"grant_type"`
	Scopes    []string  `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	// Generation counts token answers: 1 is the first.
	Generation uint64 `json:"generation"`
	// Settings are what it does differently from all others.
	Settings settings.Family `json:"settings,omitzero"`
	// NewestAccess is the signature of the access token issued last.
	NewestAccess string `json:"newest_access,omitempty"`
	// RevokedAt is zero while the family lives. RevokedFor is then one of reuse, code_replay, client, admin.
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
	RevokedFor string    `json:"revoked_for,omitempty"`
}

// Revoked reports whether the family was ended.
func (f Family) Revoked() bool { return !f.RevokedAt.IsZero() }

const families table[Family] = "families"

// Family finds one family, or answers ErrNotFound.
func (d *DB) Family(ctx context.Context, id string) (family Family, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		family, err = families.get(tx, id)
		return err
	})
	return family, err
}

// PutFamily stores a family.
func (d *DB) PutFamily(ctx context.Context, family Family) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return families.put(tx, family.ID, family) })
}

// FamilySelector names families; every field given must match. An empty selector is refused by the methods
// that change something, and lists all in Families.
type FamilySelector struct {
	Family string `json:"family,omitempty"`
	User   string `json:"user,omitempty"`
	Client string `json:"client,omitempty"`
}

func (s FamilySelector) matches(family Family) bool {
	return (s.Family == "" || s.Family == family.ID) &&
		(s.User == "" || s.User == family.User) &&
		(s.Client == "" || s.Client == family.Client)
}

// Families lists the families selected, revoked ones included.
func (d *DB) Families(ctx context.Context, selector FamilySelector) ([]Family, error) {
	selected := []Family{}
	err := d.view(ctx, func(tx *bolt.Tx) error {
		selected = selected[:0]
		return families.each(tx, func(_ string, family Family) error {
			if selector.matches(family) {
				selected = append(selected, family)
			}
			return nil
		})
	})
	return selected, err
}

// RevokeFamilies ends the living families selected and answers them.
func (d *DB) RevokeFamilies(ctx context.Context, selector FamilySelector, reason string, at time.Time) ([]Family, error) {
	return d.changeFamilies(ctx, selector, func(family *Family) {
		family.RevokedAt, family.RevokedFor = at, reason
	})
}

// NarrowFamilies takes away every scope not named, from the next refresh on. offline_access always stays,
// for without it there is no next refresh.
func (d *DB) NarrowFamilies(ctx context.Context, selector FamilySelector, scopes []string) ([]Family, error) {
	return d.changeFamilies(ctx, selector, func(family *Family) {
		family.Scopes = slices.DeleteFunc(slices.Clone(family.Scopes), func(scope string) bool {
			return scope != "offline_access" && !slices.Contains(scopes, scope)
		})
	})
}

// SetFamily changes what one family does differently; ErrNotFound where there is none, living or not.
func (d *DB) SetFamily(ctx context.Context, id string, change settings.Family) (family Family, err error) {
	err = d.Update(ctx, func(ctx context.Context) error {
		if family, err = d.Family(ctx, id); err != nil {
			return err
		}
		family.Settings = family.Settings.Merge(change)
		return d.PutFamily(ctx, family)
	})
	return family, err
}

func (d *DB) changeFamilies(ctx context.Context, selector FamilySelector, change func(*Family)) ([]Family, error) {
	if selector == (FamilySelector{}) {
		return nil, ErrEmptySelector
	}
	changed := []Family{}
	err := d.Update(ctx, func(ctx context.Context) error {
		changed = changed[:0]
		all, err := d.Families(ctx, selector)
		if err != nil {
			return err
		}
		for _, family := range all {
			if family.Revoked() {
				continue
			}
			change(&family)
			if err := d.PutFamily(ctx, family); err != nil {
				return err
			}
			changed = append(changed, family)
		}
		return nil
	})
	return changed, err
}
