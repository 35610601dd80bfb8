package state

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Decision is what a person answered.
type Decision string

// The decisions. Undecided is the zero value.
const (
	Undecided Decision = ""
	Approved  Decision = "approved"
	Denied    Decision = "denied"
)

// Device is a device authorization under way (RFC 8628 section 3.2). It is kept under the hash of its device code.
type Device struct {
	UserCode  string    `json:"user_code"`
	Client    string    `json:"client"`
	Scopes    []string  `json:"scopes"`
	ExpiresAt time.Time `json:"expires_at"`
	// Interval is the least time between two polls, and PolledAt when the last one came.
	Interval time.Duration `json:"interval"`
	PolledAt time.Time     `json:"polled_at,omitzero"`
	Decision Decision      `json:"decision,omitempty"`
	// Account is who decided.
	Account string `json:"account,omitempty"`
	// UsedAt is when tokens were issued; zero before.
	UsedAt time.Time `json:"used_at,omitzero"`
	// Request is the authorization server's own record of the request.
	Request json.RawMessage `json:"request"`
}

const (
	devices   table[Device] = "devices"
	userCodes table[string] = "user_codes" // to the key in devices
)

// PutDevice keeps a device authorization under its device code, and while it is undecided under its user code.
func (d *DB) PutDevice(ctx context.Context, deviceCode string, device Device) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		key := string(HashSecret(deviceCode))
		if err := devices.put(tx, key, device); err != nil || device.Decision != Undecided {
			return err
		}
		return userCodes.put(tx, device.UserCode, key)
	})
}

// Device finds a device authorization by its device code, or answers ErrNotFound.
func (d *DB) Device(ctx context.Context, deviceCode string) (device Device, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		device, err = devices.get(tx, string(HashSecret(deviceCode)))
		return err
	})
	return device, err
}

// DeviceByUserCode finds a device authorization by the code a person types in, or answers ErrNotFound.
func (d *DB) DeviceByUserCode(ctx context.Context, userCode string) (device Device, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		key, err := userCodes.get(tx, userCode)
		if err != nil {
			return err
		}
		device, err = devices.get(tx, key)
		return err
	})
	return device, err
}

// DecideDevice notes what a person answered, and the scopes that were granted, once: a code that was answered is
// ErrNotFound.
func (d *DB) DecideDevice(ctx context.Context, userCode, account string, decision Decision, scopes []string) error {
	return d.update(ctx, func(tx *bolt.Tx) error {
		key, err := userCodes.get(tx, userCode)
		if err != nil {
			return err
		}
		device, err := devices.get(tx, key)
		if err != nil {
			return err
		}
		device.Account, device.Decision, device.Scopes = account, decision, scopes
		return errors.Join(devices.put(tx, key, device), userCodes.remove(tx, userCode))
	})
}
