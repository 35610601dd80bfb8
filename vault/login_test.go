package vault

import (
	"context"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
)

func TestTheLoginIsKeptAlive(t *testing.T) {
	tests := map[string]struct {
		before           func(*server, *Client)
		logins, renewals int
		want             string
	}{
		"a fresh token":               {func(*server, *Client) {}, 1, 0, ""},
		"before half its life":        {func(_ *server, c *Client) { c.aged(29 * time.Minute) }, 1, 0, ""},
		"past half its life":          {func(_ *server, c *Client) { c.aged(31 * time.Minute) }, 1, 1, ""},
		"it cannot be renewed":        {func(s *server, c *Client) { s.refuseRenewal = true; c.aged(31 * time.Minute) }, 2, 1, ""},
		"its renewal says nothing":    {func(s *server, c *Client) { s.mute = true; c.aged(31 * time.Minute) }, 2, 1, ""},
		"it is over":                  {func(_ *server, c *Client) { c.aged(61 * time.Minute) }, 2, 0, ""},
		"Vault revoked it":            {func(s *server, _ *Client) { clear(s.valid) }, 2, 0, ""},
		"neither, but it still lives": {func(s *server, c *Client) { s.refuseRenewal, s.refuseLogin = true, true; c.aged(31 * time.Minute) }, 2, 1, ""},
		"neither, and it is over": {func(s *server, c *Client) { s.refuseLogin = true; c.aged(61 * time.Minute) }, 2, 0,
			connection.ErrVaultUnavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, dated(date, stored))
			c := s.withRole(t)
			documents := c.Documents()
			if _, err := documents.Read(context.Background(), testRef); err != nil {
				t.Fatal(err)
			}
			test.before(s, c)
			_, err := documents.Read(context.Background(), testRef)
			if connection.TypeOf(err) != test.want || s.logins != test.logins || s.renewals != test.renewals {
				t.Errorf("%v with %d logins and %d renewals", err, s.logins, s.renewals)
			}
		})
	}
}

// A crowd whose token dies logs in once.
func TestACrowdLogsInOnce(t *testing.T) {
	s := newServer(t, dated(date, stored))
	c := s.withRole(t)
	var group sync.WaitGroup
	for round := range 2 {
		for range 50 {
			group.Go(func() {
				if _, err := c.Documents().Read(context.Background(), testRef); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		s.mu.Lock()
		if s.logins != round+1 {
			t.Errorf("%d logins in round %d", s.logins, round)
		}
		clear(s.valid)
		s.mu.Unlock()
	}
}

func TestAMissingRoleFileIsTrouble(t *testing.T) {
	s := newServer(t, dated(date, stored))
	c := open(t, Config{Layout: Layout{Environment: "development"}, Address: s.URL, RoleIDFile: t.TempDir() + "/none"})
	if _, err := c.Documents().Read(context.Background(), testRef); connection.TypeOf(err) != connection.ErrVaultUnavailable {
		t.Error(err)
	}
}
