package activities

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
)

// scoped is a watched connection whose app grants both scopes.
func scoped(t *testing.T, key bool) (*world, *Activities, *WatchInput) {
	w := newWorld(t, "strict")
	a := w.process()
	w.provider.set(func() { w.provider.scopes = []string{"contacts.read", "contacts.write"} })
	if key {
		w.put(connection.Document{Grant: "first", Generation: 1, Credential: connection.Credential{Method: "api-key",
			Values: map[string]string{"base_url": w.provider.URL},
			Fields: map[string]connection.Secret{"api_key": connection.NewSecret("good-key")}}})
	}
	in := w.watching(a)
	in.Policy.ProbeEvery = 10 * time.Minute
	return w, a, in
}

// An app that grants less than it did is told from one that is in trouble: nothing
// but the scope itself heals it, and nothing more than usual is asked.
func TestLostScopes(t *testing.T) {
	for name, key := range map[string]bool{"told by a refresh": false, "told by the probe": true} {
		t.Run(name, func(t *testing.T) {
			w, a, in := scoped(t, key)
			if news, _ := w.watch(a, in, 2*time.Hour); len(in.Reported.Scopes) != 2 || in.Reported.Status != connection.Active {
				t.Fatalf("at first %+v", news)
			}
			w.provider.set(func() { w.provider.scopes = []string{"contacts.read"} })
			news, _ := w.watch(a, in, 2*time.Hour)
			if len(news) != 1 || news[0].Status != connection.Error || news[0].Verdict != connection.ScopeLost ||
				!slices.Equal(news[0].Lost, []string{"contacts.write"}) || !slices.Equal(news[0].Scopes, []string{"contacts.read"}) ||
				!strings.Contains(news[0].Reason, "contacts.write") || !strings.Contains(news[0].Remedy, "connected-apps reconnect "+testID.String()) {
				t.Fatalf("news %+v", news)
			}
			probes := w.provider.probes
			if news, _ = w.watch(a, in, 12*time.Hour); len(news) != 0 {
				t.Fatalf("news while it is gone: %+v", news)
			}
			if got := w.provider.probes - probes; got > 12*7 { // one each ten minutes less jitter
				t.Errorf("%d probes in twelve hours", got)
			}
			w.vault.change(t, w.ref, func(d *connection.Document) { d.Gate.Status = connection.Error })
			if _, err := w.call(t, w.process(), CallActionInput{Action: "whoami"}); err != nil {
				t.Errorf("an action that does not need it: %v", err)
			}
			w.provider.set(func() { w.provider.scopes = []string{"contacts.read", "contacts.write"} })
			if news, _ = w.watch(a, in, 2*time.Hour); len(news) == 0 || in.Reported.Status != connection.Active || in.Reported.Lost != nil || in.Reported.Reason != "" {
				t.Fatalf("granted again: %+v", in.Reported)
			}
		})
	}
}

// What the app says nothing about has not changed, and an outage in between neither
// forgets what is gone nor brings it back.
func TestLostScopesOutlastTrouble(t *testing.T) {
	w, a, in := scoped(t, true)
	w.provider.set(func() { w.provider.scopes = []string{"contacts.read"} })
	w.watch(a, in, 20*time.Minute)
	w.provider.set(func() { w.provider.probe = http.StatusInternalServerError })
	w.watch(a, in, 2*time.Hour)
	if in.Reported.Verdict != connection.Transient || len(in.Reported.Lost) != 1 {
		t.Fatalf("in trouble: %+v", in.Reported)
	}
	w.provider.set(func() { w.provider.probe, w.provider.scopes = 0, []string{} })
	w.watch(a, in, 20*time.Minute)
	if in.Reported.Verdict != connection.ScopeLost || len(in.Reported.Lost) != 2 {
		t.Fatalf("after it: %+v", in.Reported)
	}
}

func TestScopesThatAreImpliedAreNotLost(t *testing.T) {
	w, _, in := scoped(t, false)
	w.custom("default: [offline_access]", "default: [offline_access]\n        implies: {contacts: [contacts.read, contacts.write]}")
	a := w.process()
	w.provider.set(func() { w.provider.scopes = []string{"contacts"} })
	in.Reported.Scopes = append(in.Reported.Scopes, "offline_access") // which the refresh does not name again
	if w.watch(a, in, 2*time.Hour); in.Reported.Status != connection.Active || !slices.Equal(in.Reported.Scopes, []string{"contacts"}) {
		t.Fatalf("%+v", in.Reported)
	}
}

// Another grant has its own scopes, and nothing to do with what the old one lost.
func TestAnotherGrantHasLostNothing(t *testing.T) {
	w, a, in := scoped(t, false)
	in.Reported.Lost, in.Reported.Scopes = []string{"contacts.write"}, []string{"contacts.read"}
	in.Reported.Work = &connection.WorkTrouble{Verdict: connection.ScopeLost, Last: w.vault.peekNow().Add(time.Hour)}
	w.adopt("second")
	look, _, err := a.look(t.Context(), *in)
	if err != nil || look.Status != connection.Active || look.Lost != nil || look.Work != nil {
		t.Fatalf("%+v, %v", look, err)
	}
}

// A probe does not tell which of an account's tenants the connection is of.
func TestTheTenantIsKept(t *testing.T) {
	w, a, in := scoped(t, false)
	in.Reported.Identity.Tenant = "acme"
	if news, _ := w.watch(a, in, time.Hour); len(news) != 0 {
		t.Fatalf("news %+v", news)
	}
	look, _, err := a.look(t.Context(), *in)
	if err != nil || look.Identity.Tenant != "acme" || look.Identity.Account != "u1" {
		t.Fatalf("%+v, %v", look.Identity, err)
	}
}

// The app's word that the probe needs more heals by a probe that passes.
func TestAProbeThatNeedsAScopeHeals(t *testing.T) {
	w, _, in := scoped(t, false)
	w.custom(`scope_missing: status == 403 && headers["www-authenticate"].contains("insufficient_scope")`, "scope_missing: status == 403")
	a := w.process()
	w.provider.set(func() { w.provider.probe = http.StatusForbidden })
	w.watch(a, in, 20*time.Minute)
	if in.Reported.Status != connection.Error || in.Reported.Verdict != connection.ScopeLost || in.Reported.Lost != nil {
		t.Fatalf("%+v", in.Reported)
	}
	w.provider.set(func() { w.provider.probe = 0 })
	if w.watch(a, in, 5*time.Minute); in.Reported.Status != connection.Active {
		t.Fatalf("%+v", in.Reported)
	}
}

// On demand a scope that is gone is looked for until it is back: nothing else would tell.
func TestOnDemandLooksForLostScopes(t *testing.T) {
	w, a, in := scoped(t, true)
	w.provider.set(func() { w.provider.scopes = []string{"contacts.read"} })
	w.watch(a, in, 20*time.Minute)
	in.Policy.Idle = connection.OnDemand
	w.provider.set(func() { w.provider.scopes = []string{"contacts.read", "contacts.write"} })
	if w.watch(a, in, 20*time.Minute); in.Reported.Status != connection.Active {
		t.Fatalf("%+v", in.Reported)
	}
	probes := w.provider.probes
	if w.watch(a, in, 24*time.Hour); w.provider.probes != probes {
		t.Errorf("%d probes once it is back", w.provider.probes-probes)
	}
}
