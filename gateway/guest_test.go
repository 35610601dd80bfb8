package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// oneSession is a fake of a connect session that a browser claims, and that ends by itself then.
type oneSession struct {
	*fake
	state workflows.ConnectSessionState
}

func (f *oneSession) ConnectSession(context.Context, string) (workflows.ConnectSessionState, error) {
	return f.state, nil
}

func (f *oneSession) ClaimConnectSession(_ context.Context, _ string, in workflows.ClaimSession) (workflows.ConnectSessionState, error) {
	f.state.BrowserSHA256, f.state.State = in.BrowserSHA256, workflows.SessionCancelled
	return f.state, nil
}

// Guests need not have signed in, and are led back where this gateway's operator allows it.
func TestGuestsNeedNotHaveSignedIn(t *testing.T) {
	b := newBench(t, "https://connect.example")
	site, err := web.ParseSite(b.url)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := access.New(access.Options{Site: site, Environments: []access.Environment{{Name: "development", Sealer: b.fake, Store: noStore{}}}})
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte("token"))
	for _, test := range []struct{ allowed, refresh string }{
		{"https://platform.example", "3;url=https://platform.example/done?connect_session=abc&status=cancelled"}, {"https://other.example", ""},
	} {
		f := &oneSession{fake: b.fake, state: workflows.ConnectSessionState{State: workflows.SessionOpen, Created: time.Now(), ConnectSessionInput: workflows.ConnectSessionInput{
			Environment: "development", Session: "abc", App: "atlas", ReturnTo: "https://platform.example/done", TokenSHA256: hex.EncodeToString(hash[:])}}}
		f.state.Connection = testID
		b.gateway, err = New(Options{URL: b.url, Catalogue: b.gateway.catalogue, Guard: guard, ReturnTo: []string{test.allowed},
			Environments: []backend.Environment{{Name: "development", Client: f, Sealer: f, Inbox: f}}})
		if err != nil {
			t.Fatal(err)
		}
		const page = "/connect-session/development/abc"
		invitation := b.do("GET", page+"/token")
		if invitation.StatusCode != http.StatusOK || len(invitation.Cookies()) != 1 {
			t.Fatalf("%d %v", invitation.StatusCode, invitation.Cookies())
		}
		if got := b.do("POST", page+"/token", fromOurPage, with(invitation.Cookies()...)); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != page {
			t.Fatalf("%d to %q: %s", got.StatusCode, got.Header.Get("Location"), body(t, got))
		}
		if got := b.do("GET", page, with(invitation.Cookies()...)); got.StatusCode != http.StatusOK || got.Header.Get("Refresh") != test.refresh {
			t.Errorf("%d, then %q: %s", got.StatusCode, got.Header.Get("Refresh"), body(t, got))
		}
	}
}
