package state

import (
	"context"
	"fmt"
	"time"
)

// Account is somebody whose contacts the sandbox holds.
type Account struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// DemoAccounts are the people who can be chosen on the consent page. The static credentials are the first one's.
var DemoAccounts = []Account{
	{ID: "ada", Name: "Ada Lovelace", Email: "ada@example.test"},
	{ID: "grace", Name: "Grace Hopper", Email: "grace@example.test"},
}

// clientAccountPrefix marks the account a client acts for with its own credentials (RFC 6749 section 4.4).
const clientAccountPrefix = "client:"

// ClientAccountID is the account of a client acting for itself.
func ClientAccountID(client string) string { return clientAccountPrefix + client }

// ServiceClientPrefix marks the client that stands for a service that signs assertions without being a client.
const ServiceClientPrefix = "service:"

// Organisation is what a person may belong to.
type Organisation struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Organisations are the first ones of an account: "ada-1", "ada-2" and so on.
func (a Account) Organisations(count int) []Organisation {
	all := make([]Organisation, count)
	for i := range all {
		all[i] = Organisation{ID: fmt.Sprintf("%s-%d", a.ID, i+1), Name: fmt.Sprintf("Organisation %d of %s", i+1, a.Name)}
	}
	return all
}

// FindAccount answers a demo account; any other ID is the account of a client.
func FindAccount(id string) Account {
	if account, ok := DemoAccount(id); ok {
		return account
	}
	return Account{ID: id, Name: id}
}

// DemoAccount finds one of DemoAccounts.
func DemoAccount(id string) (Account, bool) {
	for _, account := range DemoAccounts {
		if account.ID == id {
			return account, true
		}
	}
	return Account{}, false
}

// SeedContacts gives each demo account its first contacts, once in the life of the file: 25 and 7, so that one
// account needs paging and the other does not.
func (d *DB) SeedContacts(ctx context.Context, at time.Time) error {
	return d.Update(ctx, func(ctx context.Context) error {
		if transaction(ctx).Bucket([]byte(contacts)).Sequence() > 0 {
			return nil
		}
		for i, count := range []int{25, 7} {
			account := DemoAccounts[i].ID
			for n := range count {
				name := fmt.Sprintf("Contact %02d of %s", n+1, DemoAccounts[i].Name)
				contact := Contact{Name: name, Email: fmt.Sprintf("%s.%02d@example.test", account, n+1), CreatedAt: at, UpdatedAt: at}
				if _, err := d.CreateContact(ctx, account, contact); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
