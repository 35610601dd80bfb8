package activities

import (
	"net/http"
	"testing"

	"connectedapps/connection"
)

// Which of several tenants was chosen is known of the credential for its whole life.
func TestTheChoiceIsTheTenant(t *testing.T) {
	k := newKinds(t)
	if report, err := k.authorized("g", "code"); err != nil || report.Identity.Tenant != "" {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := k.advance("code", "g"); err != nil {
		t.Fatal(err)
	}
	report, err := k.advance("code", "g", func(in *AdvanceLoginInput) { in.Choice = "s2" })
	if err != nil || report.Stored.Identity != (connection.Identity{Tenant: "s2", TenantLabel: "Two"}) {
		t.Fatalf("%+v, %v", report, err)
	}
	want := connection.Identity{Account: "u1", Label: "Ada", Tenant: "s2", TenantLabel: "Two"}
	for range 2 {
		probed, err := k.a.probe(background, k.candidate("g"))
		if err != nil || probed.Identity.Account != want.Account || probed.Identity.Tenant != want.Tenant || probed.Identity.TenantLabel != want.TenantLabel {
			t.Fatalf("%+v, %v", probed, err)
		}
	}
	if renewed := k.adoptAndRenew("g"); renewed.Tenant != "s2" || renewed.TenantLabel != "Two" {
		t.Errorf("after a renewal: %+v", renewed.Document)
	}
	if probed, err := k.a.probe(background, connection.CredentialRef{Connection: kindsID}); err != nil || probed.Identity.Tenant != "s2" {
		t.Errorf("%+v, %v", probed, err)
	}
}

func TestTheOnlyTenantIsKnownToo(t *testing.T) {
	k := newKinds(t)
	k.server.answers["/api/sites"] = func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"sites":[{"id":"s7","name":"Seven"}]}`))
		return true
	}
	if _, err := k.authorized("g", "code"); err != nil {
		t.Fatal(err)
	}
	k.done("code", "g")
	if held := k.vault.peek(k.candidate("g")); held.Tenant != "s7" || held.TenantLabel != "Seven" {
		t.Errorf("%+v", held.Document)
	}
}

// A renewal never leads to another tenant, not even where that is the only one left.
func TestARenewalStaysWithItsTenant(t *testing.T) {
	k := newKinds(t)
	k.typed("chosen", "g", k.values(), "password", "pass-word")
	if _, err := k.advance("chosen", "g"); err != nil {
		t.Fatal(err)
	}
	k.done("chosen", "g", func(in *AdvanceLoginInput) { in.Choice = "s2" })
	k.server.answers["/api/sites"] = func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"sites":[{"id":"s7","name":"Seven"}]}`))
		return true
	}
	if renewed := k.adoptAndRenew("g"); renewed.Tenant != "s2" || renewed.Credential.Values["site"] != "s2" {
		t.Errorf("%+v", renewed.Document)
	}
}

// What the app itself tells of the tenant counts for more than what was stored.
func TestTheAppsWordOnTheTenant(t *testing.T) {
	stored := connection.Stored{Document: connection.Document{Tenant: "t1", TenantLabel: "One"}}
	for told, want := range map[connection.Identity]connection.Identity{
		{Account: "a"}:               {Account: "a", Tenant: "t1", TenantLabel: "One"},
		{Account: "a", Tenant: "t1"}: {Account: "a", Tenant: "t1", TenantLabel: "One"},
		{Account: "a", Tenant: "t2"}: {Account: "a", Tenant: "t2"},
		{}:                           {Tenant: "t1", TenantLabel: "One"},
		{Account: "a", Tenant: "t1", TenantLabel: "Erste"}: {Account: "a", Tenant: "t1", TenantLabel: "Erste"},
	} {
		if got := withTenant(told, stored); got != want {
			t.Errorf("%+v becomes %+v", told, got)
		}
	}
}
