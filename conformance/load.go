package conformance

import (
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"connectedapps/connectors"
	"connectedapps/connectors/outbound"
)

// Load reads one definition as an operator's directory would bring it, with
// everything checked, and answers a method of it.
func Load(t *testing.T, definition, app, method string) *connectors.Method {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, app+".yaml"), []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	catalogue, err := connectors.Load(dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, definition)
	}
	found, err := catalogue.App(app)
	if err != nil {
		t.Fatal(err)
	}
	m, err := found.Method(method)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Client is the product's own way out, allowed to reach loopback.
func Client() *http.Client {
	return outbound.New(outbound.Policy{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
}
