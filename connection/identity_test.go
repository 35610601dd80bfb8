package connection

import (
	"strings"
	"testing"
)

func TestIdentityOver(t *testing.T) {
	ada := Identity{Account: "1", Label: "Ada", Tenant: "t1", TenantLabel: "One"}
	for name, c := range map[string]struct{ told, want Identity }{
		"nothing is told":            {Identity{}, ada},
		"the tenant is not told":     {Identity{Account: "1", Label: "Countess"}, Identity{Account: "1", Label: "Countess", Tenant: "t1", TenantLabel: "One"}},
		"the tenant alone is told":   {Identity{Tenant: "t2"}, Identity{Account: "1", Label: "Ada", Tenant: "t2"}},
		"the same tenant, by its ID": {Identity{Account: "1", Tenant: "t1"}, Identity{Account: "1", Tenant: "t1", TenantLabel: "One"}},
		"another account":            {Identity{Account: "2"}, Identity{Account: "2"}},
		"another account and tenant": {Identity{Account: "2", Tenant: "t2", TenantLabel: "Two"}, Identity{Account: "2", Tenant: "t2", TenantLabel: "Two"}},
	} {
		if got := c.told.Over(ada); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if (Identity{Tenant: "t"}).Known() {
		t.Error("a tenant alone says whose account it is")
	}
}

func TestTenantChanged(t *testing.T) {
	p := TenantChanged("development/sandbox/a", Identity{Tenant: "t1", TenantLabel: "One"}, Identity{Tenant: "t2"})
	if p.Type != ErrIdentityChanged || p.Message != "it is of organisation t2 now, not One" || !strings.Contains(p.Remedy, "connected-apps reconnect development/sandbox/a --allow-other-account") {
		t.Errorf("%+v", p)
	}
}
