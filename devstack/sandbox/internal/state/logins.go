package state

import (
	"context"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Ticket is a login that waits for its one-time code.
type Ticket struct {
	Account   string    `json:"account"`
	OpenedAt  time.Time `json:"opened_at"`
	ExpiresAt time.Time `json:"expires_at"`
	// Code is the sealed one-time code, and Wrong how many others were tried.
	Code  []byte `json:"code"`
	Wrong int    `json:"wrong,omitempty"`
}

// RememberedDevice is a device that may open sessions without a code. It has one session at a time.
type RememberedDevice struct {
	Account string `json:"account"`
	// Session is the hash of its present session.
	Session string `json:"session"`
}

// LoginSession is what a session token stands for.
type LoginSession struct {
	Account   string    `json:"account"`
	ExpiresAt time.Time `json:"expires_at"`
	// Device is the hash of the device's token.
	Device string `json:"device"`
}

const (
	tickets           table[Ticket]           = "login_tickets"
	rememberedDevices table[RememberedDevice] = "login_devices"
	loginSessions     table[LoginSession]     = "login_sessions"
)

// PutTicket keeps a ticket.
func (d *DB) PutTicket(ctx context.Context, ticket string, kept Ticket) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return tickets.put(tx, string(HashSecret(ticket)), kept) })
}

// RemoveTicket forgets a ticket; one that is not there is no error.
func (d *DB) RemoveTicket(ctx context.Context, ticket string) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return tickets.remove(tx, string(HashSecret(ticket))) })
}

// Ticket finds a ticket, or answers ErrNotFound.
func (d *DB) Ticket(ctx context.Context, ticket string) (found Ticket, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		found, err = tickets.get(tx, string(HashSecret(ticket)))
		return err
	})
	return found, err
}

// NewestTicket is the one an account opened last and that is open still, or ErrNotFound.
func (d *DB) NewestTicket(ctx context.Context, account string, now time.Time) (newest Ticket, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		newest = Ticket{}
		err := tickets.each(tx, func(_ string, ticket Ticket) error {
			if ticket.Account == account && ticket.ExpiresAt.After(now) && ticket.OpenedAt.After(newest.OpenedAt) {
				newest = ticket
			}
			return nil
		})
		if err == nil && newest.Account == "" {
			return ErrNotFound
		}
		return err
	})
	return newest, err
}

// OpenLoginSession keeps a session of a device and ends the one that the device had.
func (d *DB) OpenLoginSession(ctx context.Context, session, device string, kept LoginSession) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		deviceKey, sessionKey := string(HashSecret(device)), string(HashSecret(session))
		if known, err := rememberedDevices.get(tx, deviceKey); err == nil {
			if err := loginSessions.remove(tx, known.Session); err != nil {
				return err
			}
		}
		kept.Device = deviceKey
		if err := rememberedDevices.put(tx, deviceKey, RememberedDevice{Account: kept.Account, Session: sessionKey}); err != nil {
			return err
		}
		return loginSessions.put(tx, sessionKey, kept)
	})
}

// RememberedDevice finds the device of a token, or answers ErrNotFound.
func (d *DB) RememberedDevice(ctx context.Context, device string) (found RememberedDevice, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		found, err = rememberedDevices.get(tx, string(HashSecret(device)))
		return err
	})
	return found, err
}

// LoginSession finds a session, or answers ErrNotFound.
func (d *DB) LoginSession(ctx context.Context, session string) (found LoginSession, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		found, err = loginSessions.get(tx, string(HashSecret(session)))
		return err
	})
	return found, err
}

// EndLoginSession forgets a session and its device, so that the device needs a code again. Answers ErrNotFound for
// a session that is not there.
func (d *DB) EndLoginSession(ctx context.Context, session string) (ended LoginSession, err error) {
	err = d.update(ctx, func(tx *bolt.Tx) error {
		key := string(HashSecret(session))
		if ended, err = loginSessions.get(tx, key); err != nil {
			return err
		}
		if err := rememberedDevices.remove(tx, ended.Device); err != nil {
			return err
		}
		return loginSessions.remove(tx, key)
	})
	return ended, err
}
