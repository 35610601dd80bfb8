package vault

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectedapps/connection"

	"github.com/hashicorp/vault/api"
)

const testHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// gatewayOf is a client with the policy of the gateway of an environment, on a real server.
func gatewayOf(t *testing.T, admin *api.Client, environment string) *Client {
	t.Helper()
	layout := Layout{Environment: environment}
	made, err := Setup(t.Context(), admin, layout, SetupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return open(t, Config{Layout: layout, Address: admin.Address(), Token: logIn(t, admin, made[Gateway]).Token()})
}

func TestAccessTokens(t *testing.T) {
	admin := realServer(t)
	store, ctx := gatewayOf(t, admin, "development").Access(), t.Context()
	if all, err := store.Tokens(ctx); err != nil || len(all) != 0 {
		t.Fatalf("before any was made: %v %v", all, err)
	}
	made, err := store.CreateToken(ctx, testHash, connection.AccessToken{Name: "ci", Role: "agent", CreatedBy: "ada",
		Toolkits: []connection.ToolkitRef{{Connection: "development/sandbox/demo", Toolkit: "default"}}}, time.Hour)
	if err != nil || made.Expires.Sub(made.Created) != time.Hour {
		t.Fatalf("%+v %v", made, err)
	}
	if _, err := store.CreateToken(ctx, testHash, connection.AccessToken{Name: "other", Role: "admin"}, 0); !errors.Is(err, connection.ErrVersionConflict) {
		t.Errorf("a token was written over: %v", err)
	}
	found, hash, clock, err := store.Token(ctx, testHash)
	if err != nil || !reflect.DeepEqual(found, made) || hash != testHash || !found.Live(clock.Now()) || found.Live(clock.Now().Add(2*time.Hour)) {
		t.Errorf("%+v %s %v", found, hash, err)
	}
	another := strings.Repeat("a", 64)
	if _, err := store.CreateToken(ctx, another, connection.AccessToken{Name: "agent", Role: "viewer"}, 0); err != nil {
		t.Fatal(err)
	}
	if all, err := store.Tokens(ctx); err != nil || len(all) != 2 || all[0].Name != "agent" || !reflect.DeepEqual(all[1], made) || !all[0].Expires.IsZero() {
		t.Errorf("%+v %v", all, err)
	}
	if n, err := store.Revoke(ctx, "ci"); err != nil || n != 1 {
		t.Errorf("revoked %d: %v", n, err)
	}
	if _, _, _, err := store.Token(ctx, testHash); !errors.Is(err, connection.ErrAbsent) {
		t.Errorf("a revoked token: %v", err)
	}
	if n, err := store.Revoke(ctx, "ci"); err != nil || n != 0 {
		t.Errorf("revoked %d again: %v", n, err)
	}
	if _, _, _, err := gatewayOf(t, admin, "staging").Access().Token(ctx, another); !errors.Is(err, connection.ErrAbsent) {
		t.Errorf("another environment's token: %v", err)
	}
}

// A link is used up once, however many ask for it at the same moment, and nothing is left of it.
func TestSignInLinks(t *testing.T) {
	store, ctx := gatewayOf(t, realServer(t), "development").Access(), t.Context()
	for range 5 {
		if _, err := store.CreateLink(ctx, testHash, "admin", time.Minute); err != nil {
			t.Fatal(err)
		}
		var won, lost atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				link, _, err := store.UseLink(ctx, testHash)
				switch {
				case err == nil && link.Role == "admin":
					won.Add(1)
				case errors.Is(err, connection.ErrAbsent):
					lost.Add(1)
				default:
					t.Errorf("%+v %v", link, err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 || lost.Load() != 7 {
			t.Errorf("%d won, %d lost", won.Load(), lost.Load())
		}
		if left, err := store.names(ctx, links); err != nil || len(left) != 0 {
			t.Errorf("left: %v %v", left, err)
		}
	}
}

// A link that is too old is refused by Vault's clock, and swept with the next one.
func TestOldLinks(t *testing.T) {
	store, ctx := gatewayOf(t, realServer(t), "development").Access(), t.Context()
	clock, err := store.Clock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	old := keptLink{SignInLink: connection.SignInLink{Role: "admin", Expires: clock.Now().Add(-time.Second)}}
	if _, err := store.kv.write(ctx, links+testHash, old, 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.UseLink(ctx, testHash); !errors.Is(err, connection.ErrAbsent) {
		t.Errorf("an old link: %v", err)
	}
	used := strings.Repeat("b", 64)
	if _, err := store.kv.write(ctx, links+used, keptLink{SignInLink: connection.SignInLink{Role: "admin", Expires: time.Now().Add(time.Hour)}, Used: true}, 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.UseLink(ctx, used); !errors.Is(err, connection.ErrAbsent) {
		t.Errorf("a link marked as used: %v", err)
	}
	fresh := strings.Repeat("c", 64)
	if _, err := store.CreateLink(ctx, fresh, "viewer", time.Minute); err != nil {
		t.Fatal(err)
	}
	if left, err := store.names(ctx, links); err != nil || len(left) != 1 || left[0] != fresh {
		t.Errorf("left: %v %v", left, err)
	}
}
