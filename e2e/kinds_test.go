package e2e

import (
	"errors"
	"maps"
	"net/http"
	"reflect"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// kindTTL is the life of tokens and sessions here: long enough for a test of the
// credential, short enough to see a renewal.
const kindTTL = "12s"

// kindCase is one way to authenticate, from connect to disconnect.
type kindCase struct {
	method string
	// auth is how the sandbox says that a request signed in.
	auth string
	// connect does what a person does, until the connect is on its way or done.
	connect connecting
	// action is what is run. "" is whoami.
	action string
	// renewal is what the ledger shows of one; nil where nothing is renewed.
	renewal func(entry) bool
	// ended is what the ledger shows of the end of the grant; nil where the app is not told.
	ended func(entry) bool
}

func granted(grantType string) func(entry) bool {
	return func(e entry) bool { return e.Kind == "token" && e.Outcome == "ok" && e.GrantType == grantType }
}

func at(kind, path string) func(entry) bool {
	return func(e entry) bool { return e.Kind == kind && e.Outcome == "ok" && e.Path == path }
}

func revoked(e entry) bool { return e.Kind == "revoke" && e.Outcome == "ok" }

// Every kind that is not among the first ones is connected with the command line,
// tested, used, renewed, used again, reconnected in place, used, and disconnected,
// with the real worker.
func TestKinds(t *testing.T) {
	ada := map[string]string{"username": s.credentials["basic_username"]}
	password := map[string]string{"password": s.credentials["basic_password"]}
	key := map[string]string{"api_key": s.credentials["api_key"]}
	service := newSigner(t)
	s.sandbox(t, http.MethodPost, "/admin/service-keys", map[string]any{
		"issuer": "robot", "subject": "ada", "key_id": service.id, "jwk": service.jwk()}, nil)
	for _, c := range []kindCase{
		{method: "api-key-cookie", auth: "api_key_cookie", connect: provided(nil, key)},
		{method: "api-key-body", auth: "api_key_body", connect: provided(nil, key), action: "create-contact"},
		{method: "digest", auth: "digest", connect: provided(ada, password)},
		{method: "aws-sigv4", auth: "aws_sigv4", connect: provided(map[string]string{"access_key_id": s.credentials["access_key_id"], "region": "us-west-2"},
			map[string]string{"secret_access_key": s.credentials["secret_access_key"]})},
		{method: "oauth1", auth: "oauth1", connect: atTheApp},
		{method: "device", auth: "oauth", connect: onAnotherDevice, renewal: granted("refresh_token"), ended: revoked},
		{method: "jwt-bearer", auth: "oauth", connect: provided(map[string]string{"issuer": "robot", "subject": "ada", "key_id": service.id},
			map[string]string{"private_key": service.pem(t)}),
			renewal: granted("urn:ietf:params:oauth:grant-type:jwt-bearer"), ended: revoked},
		{method: "private-key-jwt", auth: "oauth", connect: asSignedClient, renewal: granted("client_credentials"), ended: revoked},
		{method: "login", auth: "session", connect: withCode, renewal: at("login", "/login/renew"), ended: at("logout", "/logout")},
		{method: "oauth-org", auth: "oauth", connect: ofTwoOrganisations, renewal: granted("refresh_token"), ended: revoked},
		{method: "password", auth: "oauth", connect: withClient(ada, password), renewal: granted("refresh_token"), ended: revoked},
	} {
		t.Run(c.method, func(t *testing.T) { c.live(t) })
	}
}

// live is the whole life of a connection.
func (c kindCase) live(t *testing.T) {
	name := "kind-" + c.method
	s.sandboxSettings(t, map[string]any{"access_ttl": kindTTL, "organisations": map[string]int{"grace": 2}})
	mark := s.mark(t)
	c.connect(t, name, c.method, false)
	result, err := s.client.AwaitConnect(within(t, time.Minute), id(name))
	if err != nil {
		t.Fatal(err)
	}
	if result.Status != connection.Active || !result.Identity.Known() {
		t.Fatalf("%+v", result)
	}
	c.listed(t, name)
	tested, err := s.client.Test(within(t, time.Minute), id(name))
	if err != nil || !tested.Passed {
		t.Fatalf("%+v %v", tested, err)
	}
	c.use(t, name)
	if c.renewal != nil {
		renewals := s.mark(t)
		eventually(t, "a renewal", func() bool { return count(s.since(t, renewals), c.renewal) > 0 })
		c.use(t, name)
	}
	c.again(t, name)
	ended, err := s.client.Disconnect(within(t, time.Minute), id(name), "the test is over")
	if err != nil {
		t.Fatal(err)
	}
	want := activities.RevocationNotOffered
	if c.ended != nil {
		want = activities.RevocationDone
	}
	if ended.Revocation != want {
		t.Errorf("revocation: %q, want %q", ended.Revocation, want)
	}
	eventually(t, "the workflow closes", func() bool {
		_, err := s.client.Describe(within(t, time.Minute), id(name))
		return errors.Is(err, &connection.Problem{Type: connection.ErrConnectionNotFound})
	})
	gone(t, name)
	if all := s.since(t, mark); c.ended != nil && count(all, c.ended) == 0 {
		t.Errorf("the app was not told of the end: %+v", all)
	}
	_, err = run(t, name, "whoami", map[string]any{})
	problemOf(t, err, connection.ErrConnectionNotFound)
}

// again reconnects in place: the ID, the run, the account and the toolkits stay, the
// grant is another one, and the old one is ended at the app where that is offered.
func (c kindCase) again(t *testing.T, name string) {
	t.Helper()
	before, err := s.client.Describe(within(t, time.Minute), id(name))
	if err != nil {
		t.Fatal(err)
	}
	mark := s.mark(t)
	c.connect(t, name, c.method, true)
	var after workflows.Description
	eventually(t, "the reconnect is over", func() bool {
		after, err = s.client.Describe(within(t, time.Minute), id(name))
		return err == nil && after.Reconnect == nil
	})
	was, is := before.Look, after.Look
	if is.Status != connection.Active || is.Grant == was.Grant || is.Identity != was.Identity {
		t.Fatalf("was %+v, is %+v: %+v", was, is, after.Transitions)
	}
	if after.RunID != before.RunID || after.Method != before.Method || !reflect.DeepEqual(after.Toolkits, before.Toolkits) || !maps.Equal(after.Values, before.Values) {
		t.Errorf("was %+v, is %+v", before.State, after.State)
	}
	if c.ended != nil {
		eventually(t, "the old grant is ended", func() bool { return count(s.since(t, mark), c.ended) > 0 })
	}
	c.use(t, name)
}

// listed fails the test unless the connection is listed as active.
func (c kindCase) listed(t *testing.T, name string) {
	t.Helper()
	rows, _, err := s.client.List(within(t, time.Minute), workflows.Filter{App: "sandbox", Status: connection.Active}, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.ID == id(name) {
			return
		}
	}
	t.Errorf("not listed: %+v", rows)
}

// use runs an action, and asks the ledger how it was signed in.
func (c kindCase) use(t *testing.T, name string) {
	t.Helper()
	mark := s.mark(t)
	action, arguments, path := "whoami", map[string]any{}, "/api/v1/me"
	if c.action != "" {
		action, arguments, path = c.action, map[string]any{"name": "made by " + name}, "/api/v1/contacts"
	}
	if ran, err := run(t, name, action, arguments); err != nil || ran.Status/100 != 2 {
		t.Fatalf("%+v %v", ran, err)
	}
	// Other connections' watches ask the same sandbox meanwhile, each signed in its own way.
	own := func(e entry) bool { return e.Outcome == "ok" && e.Path == path && e.Auth == c.auth }
	if all := s.since(t, mark); count(all, own) == 0 {
		t.Errorf("no request signed in by %q: %+v", c.auth, all)
	}
}

// HTTP Digest goes on by itself when a nonce has become too old.
func TestKindsDigestGetsANewNonce(t *testing.T) {
	const name = "kind-stale"
	provided(map[string]string{"username": s.credentials["basic_username"]}, map[string]string{"password": s.credentials["basic_password"]})(t, name, "digest", false)
	if _, err := s.client.AwaitConnect(within(t, time.Minute), id(name)); err != nil {
		t.Fatal(err)
	}
	s.sandboxSettings(t, map[string]any{"nonce_ttl": "1s"})
	mark := s.mark(t)
	for range 2 {
		if _, err := run(t, name, "whoami", map[string]any{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond)
	}
	if n := count(s.since(t, mark), func(e entry) bool { return e.Outcome == "stale_nonce" }); n == 0 {
		t.Error("no nonce went stale: nothing was tried")
	}
	if _, err := s.client.Disconnect(within(t, time.Minute), id(name), "the test is over"); err != nil {
		t.Fatal(err)
	}
}
