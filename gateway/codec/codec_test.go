package codec

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/proto"
)

const (
	site = "https://connect.example"
	ui   = "https://temporal.example"
	// canary is in every payload, and must be in no log.
	canary = "canary-of-a-contact"
)

// reverse stands for a codec: it turns data round and marks it.
type reverse struct{ away error }

func turned(data []byte) []byte {
	out := bytes.Clone(data)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func (v reverse) Seal(_ context.Context, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(all))
	for i, payload := range all {
		out[i] = &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("binary/encrypted")}, Data: turned(payload.Data)}
	}
	return out, v.away
}

func (v reverse) Open(_ context.Context, payload *commonpb.Payload) (*commonpb.Payload, error) {
	if v.away != nil {
		return nil, v.away
	}
	if string(payload.Metadata["encoding"]) != "binary/encrypted" {
		return payload, nil
	}
	if string(payload.Data) == "broken" {
		return nil, connection.Refused(connection.ErrPayloadUnreadable, "a sealed payload does not open: it was changed", "look")
	}
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: turned(payload.Data)}, nil
}

func (reverse) Status() string { return "sealed" }

// people knows tokens and cookies by what they say.
type people struct{}

func (people) Identify(r *http.Request) (access.Person, error) {
	name := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	browser := false
	if cookie, err := r.Cookie("session"); err == nil && name == "" {
		name, browser = cookie.Value, true
	}
	if name == "" || name == "stranger" {
		return access.Person{}, connection.Refused(connection.ErrNotSignedIn, "nobody is signed in here", "sign in")
	}
	who := access.Person{Subject: name, Roles: map[string]access.Role{"staging": access.Role(name)}, ToolsOnly: name == "agent"}
	if browser {
		who.FormToken = "form"
	}
	return who, nil
}

type bench struct {
	t    *testing.T
	h    *Handler
	logs *observer.ObservedLogs
}

func newBench(t *testing.T, temporalUI string, payloads reverse) *bench {
	t.Helper()
	own, err := web.ParseSite(site)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	return &bench{t, New(Options{Site: own, Authenticator: people{}, TemporalUI: temporalUI, Log: zap.New(core),
		Environments: backend.NewSet(backend.Environment{Name: "staging", Namespace: "stage-ns", Payloads: payloads},
			backend.Environment{Name: "production", Namespace: "prod-ns", Payloads: payloads})}), logs}
}

func (b *bench) do(method, path, body string, change ...func(*http.Request)) *http.Response {
	b.t.Helper()
	r := httptest.NewRequest(method, site+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	for _, entry := range b.logs.All() {
		text, _ := json.Marshal(entry.ContextMap())
		if strings.Contains(entry.Message+string(text), canary) {
			b.t.Errorf("a payload is in the log: %s %s", entry.Message, text)
		}
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		b.t.Errorf("%s %s may be stored", method, path)
	}
	return w.Result()
}

func (b *bench) refused(what string, response *http.Response, status int, kind string) problem {
	b.t.Helper()
	text, _ := io.ReadAll(response.Body)
	var told problem
	if err := json.Unmarshal(text, &told); err != nil || response.StatusCode != status || told.Status != status || told.Error != kind ||
		response.Header.Get("Content-Type") != "application/problem+json" || strings.Contains(string(text), canary) {
		b.t.Errorf("%s: %d %s", what, response.StatusCode, text)
	}
	return told
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func token(who string) func(*http.Request) { return header("Authorization", "Bearer "+who) }
func session(who string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "session", Value: who}) }
}

var plain = &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"` + canary + `"`)}

func textOf(t *testing.T, all ...*commonpb.Payload) string {
	t.Helper()
	text, err := json.Marshal(&commonpb.Payloads{Payloads: all}) // as the SDK's remote codec writes it
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The SDK's own client of the protocol gets back what it gave.
func TestRemoteCodecOfTheSDK(t *testing.T) {
	b := newBench(t, "", reverse{})
	server := httptest.NewServer(b.h)
	defer server.Close()
	for name, endpoint := range map[string]string{"by address": "/codec/stage-ns", "by header": "/codec"} {
		remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{Endpoint: server.URL + endpoint, ModifyRequest: func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer operator")
			r.Header.Set("X-Namespace", "stage-ns")
			return nil
		}})
		sealed, err := remote.Encode([]*commonpb.Payload{plain, plain})
		if err != nil || len(sealed) != 2 || string(sealed[0].Metadata["encoding"]) != "binary/encrypted" {
			t.Fatalf("%s: %v, %v", name, sealed, err)
		}
		opened, err := remote.Decode(append(sealed, plain))
		if err != nil || len(opened) != 3 || !proto.Equal(opened[1], plain) || !proto.Equal(opened[2], plain) {
			t.Errorf("%s: %v, %v", name, opened, err)
		}
	}
	if b.logs.FilterMessage("payloads were handed out").FilterField(zap.String("subject", "operator")).Len() != 4 {
		t.Error("it is not noted who asked")
	}
}

func TestWhoMayOpen(t *testing.T) {
	b := newBench(t, ui, reverse{})
	for _, does := range []string{"decode", "encode"} {
		path := "/codec/stage-ns/" + does
		for _, who := range []string{"operator", "admin"} {
			if got := b.do("POST", path, textOf(t, plain), token(who)); got.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", who, got.StatusCode)
			}
		}
		b.refused("viewer", b.do("POST", path, textOf(t, plain), token("viewer")), http.StatusForbidden, connection.ErrNotAllowed)
		b.refused("agent", b.do("POST", path, textOf(t, plain), token("agent")), http.StatusForbidden, connection.ErrNotAllowed)
		b.refused("another environment", b.do("POST", "/codec/prod-ns/"+does, textOf(t, plain), token("admin")), http.StatusForbidden, connection.ErrNotAllowed)
		got := b.do("POST", path, textOf(t, plain))
		b.refused("nobody", got, http.StatusUnauthorized, connection.ErrNotSignedIn)
		if got.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Error("nobody is told how to sign in")
		}
		b.refused("an environment's name", b.do("POST", "/codec/staging/"+does, textOf(t, plain), token("admin")), http.StatusNotFound, connection.ErrUnknownEnvironment)
		b.refused("two namespaces", b.do("POST", path, textOf(t, plain), token("admin"), header("X-Namespace", "prod-ns")), http.StatusBadRequest, connection.ErrInvalidInput)
		b.refused("no namespace", b.do("POST", "/codec/"+does, textOf(t, plain), token("admin")), http.StatusBadRequest, connection.ErrInvalidInput)
		if got := b.do("GET", path, "", token("admin")); got.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("GET: %d", got.StatusCode)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	b := newBench(t, ui, reverse{})
	for what, body := range map[string]string{"no JSON": canary, "a list": `["` + canary + `"]`, "data that is no base64": `{"payloads":[{"data":"` + canary + `!"}]}`} {
		b.refused(what, b.do("POST", "/codec/stage-ns/decode", body, token("operator")), http.StatusBadRequest, connection.ErrInvalidInput)
	}
	b.refused("too much", b.do("POST", "/codec/stage-ns/decode", `{"payloads":[{"data":"`+strings.Repeat("A", maxBody)+`"}]}`, token("operator")), http.StatusBadRequest, connection.ErrInvalidInput)
	broken := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("binary/encrypted")}, Data: []byte("broken")}
	told := b.refused("broken", b.do("POST", "/codec/stage-ns/decode", textOf(t, plain, plain, broken), token("operator")), http.StatusBadRequest, connection.ErrPayloadUnreadable)
	if told.Field != "payloads[2]" {
		t.Errorf("it is not said which: %+v", told)
	}
	away := newBench(t, ui, reverse{away: connection.VaultUnavailable("Vault is sealed")})
	for _, does := range []string{"decode", "encode"} {
		away.refused("Vault away", away.do("POST", "/codec/stage-ns/"+does, textOf(t, plain), token("operator")), http.StatusServiceUnavailable, connection.ErrVaultUnavailable)
	}
}
