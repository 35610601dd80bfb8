package e2e

import (
	"bytes"
	"maps"
	"testing"
	"time"

	"connectedapps/vault"
)

// No secret is anywhere but in Vault: with no payload codec, after connects by
// every method, refreshes, actions, failures and a secret answer. Of each class of
// secrets one is known, and each surface has something on it; that it is searched is
// shown by planting a secret on a copy of it in each form.
func TestNoSecretIsOutsideVault(t *testing.T) {
	const refusedKey, refusedPassword = "refused-canary-2c26b46b68ffc68ff99b", "refused-canary-fcde2b2edba56bf40860"
	for _, method := range []string{"oauth", "client-credentials", "api-key", "bearer", "headers", "basic", "digest"} {
		connectBy(t, "canary-"+method, method)
	}
	before := canaries(t)
	if _, err := s.client.Refresh(within(t, time.Minute), id("canary-oauth")); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "canary-oauth", "create-key", map[string]any{"name": "canary"}); err != nil {
		t.Fatal(err)
	}
	refused(t, "canary-refused", "api-key", "api_key", refusedKey)
	refused(t, "canary-refused-digest", "digest", "password", refusedPassword)
	handed, heard := handOver(t)
	passed := passing(t)
	secrets := canaries(t)
	for name, secret := range before { // a refresh replaces them
		if secrets[name] != secret {
			secrets[name+", before"] = secret
		}
	}
	maps.Copy(secrets, handed)
	maps.Copy(secrets, passed)
	maps.Copy(secrets, map[string]string{classAPIKey + ": refused": refusedKey, classDigest + ": refused": refusedPassword,
		classCodecKey + ": of staging": codecKey(t, "canary-sealed")})
	mark := s.mark(t)
	connectBy(t, "canary-ended", "oauth")
	maps.Copy(secrets, canaries(t)) // its tokens too
	alarmedBy(t, "canary-ended", familySince(t, mark), heard)
	pages, visit := shown(t, "canary-oauth", "canary-api-key", "canary-refused", "canary-ended")
	maps.Copy(secrets, visit)
	all := surfaces(t)
	maps.Copy(all, pages)
	for _, name := range []string{"canary-oauth", "canary-ended"} {
		all["MCP results: "+name], secrets["access token of an agent: "+name] = told(t, name, "somebody")
	}
	all["webhook bodies"] = heardBy(heard)

	for _, class := range lacking(classes, secrets) {
		t.Errorf("no %s is known: nothing is proven of them", class)
	}
	for _, place := range lacking(places, all) {
		t.Errorf("%s: there is nothing to search", place)
	}
	if !bytes.Contains(all["logs: worker-"+environment+".log"], []byte(`"level":"debug"`)) {
		t.Error("the worker does not log at the level debug")
	}
	for name, surface := range all {
		for _, leak := range leaks(surface, secrets) {
			t.Errorf("%s holds %s", name, leak)
		}
		if n := liveTokens(surface); n > 0 {
			t.Errorf("%s holds %d tokens that Vault knows", name, n)
		}
		for _, form := range copied(surface, "planted-canary-9f86d081884c7d659a2f") {
			t.Errorf("a leak planted on %s is not found: %s", name, form)
		}
	}
	if liveTokens([]byte("a token="+loggedIn(t, vault.Worker, environment)+" of nobody's")) != 1 {
		t.Error("a token that is planted is not found")
	}
	for _, name := range []string{"canary-refused", "canary-refused-digest"} {
		cancelled(t, name)
	}
	leave(t, "canary-ended")
	for _, name := range []string{"canary", "canary-heard"} {
		must(t, "alerts", "sinks", "delete", name, "--environment", environment, "--yes")
	}
	t.Logf("%d secrets, %d surfaces", len(secrets), len(all))
}
