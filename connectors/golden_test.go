package connectors

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"connectedapps/connection"
)

var update = flag.Bool("update", false, "write testdata/golden anew")

// Every request that the catalogue can make, as it goes over the wire. A change
// here is a change of what providers are sent, and is to be read as that.
func TestGoldenExchanges(t *testing.T) {
	for _, app := range catalogue(t).Apps() {
		t.Run(app.ID, func(t *testing.T) {
			var out strings.Builder
			for _, m := range app.Methods {
				if m.OAuth != nil {
					goldenOAuth(t, &out, m)
				}
				s := sessionOf(t, app.ID, m.ID)
				p := answering(200, `{}`)
				_, _ = s.Probe(context.Background(), p.client())
				record(&out, "probe with "+m.ID, p)
			}
			s := sessionOf(t, app.ID, app.Methods[0].ID)
			for _, action := range app.Actions {
				in := CallInput{Arguments: sample(t, action), IdempotencyKey: "idempotency-key-1"}
				if action.Paging != nil {
					in.Cursor = map[PagingKind]string{PagingLink: "page=2", PagingNextURL: "page=2", PagingOffset: "20", PagingPage: "2", PagingCursor: "cursor-2"}[action.Paging.Kind]
				}
				p := answering(200, `{"ok":true}`)
				if _, err := s.Call(context.Background(), p.client(), action, in); err != nil {
					t.Errorf("%s: %v", action.ID, err)
				}
				record(&out, "action "+action.ID, p)
			}
			compareGolden(t, filepath.Join("testdata", "golden", app.ID+".txt"), out.String())
		})
	}
}

// goldenOAuth records the authorization URL and the token requests of a method.
func goldenOAuth(t *testing.T, out *strings.Builder, m *Method) {
	t.Helper()
	s := sessionOf(t, m.app.ID, m.ID)
	scopes := m.ScopesFor(m.app.Actions)
	p := answering(200, `{"ok":true,"access_token":"a"}`)
	ctx := context.Background()
	if m.Kind == connection.OAuth2ClientCredentials {
		if _, err := m.ClientCredentials(ctx, p.client(), ClientCredentialsInput{Client: testClient, Scopes: scopes, Values: s.Values}); err != nil {
			t.Fatal(err)
		}
		record(out, m.ID+": client credentials", p)
	} else {
		url, err := m.Authorize(AuthorizeInput{Client: testClient, RedirectURI: "https://gateway.example/callback", Scopes: scopes, Challenge: "s256-challenge", Values: s.Values})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(out, "### %s: authorize, issuer %q\n%s\n\n", m.ID, m.Issuer(s.Values), strings.NewReplacer("?", "\n  ?", "&", "\n  &").Replace(url))
		if _, err := m.ExchangeCode(ctx, p.client(), ExchangeInput{Client: testClient, RedirectURI: "https://gateway.example/callback",
			Code: connection.NewSecret("the-code"), Verifier: connection.NewSecret("the-verifier"), Values: s.Values}); err != nil {
			t.Fatal(err)
		}
		record(out, m.ID+": exchange", p)
		p = answering(200, `{"ok":true,"access_token":"a"}`)
		if _, err := m.Refresh(ctx, p.client(), RefreshInput{Client: testClient, Refresh: connection.NewSecret("the-refresh-token"), Scopes: scopes, Values: s.Values}); err != nil {
			t.Fatal(err)
		}
		record(out, m.ID+": refresh", p)
	}
	p = answering(200, `{"ok":true}`)
	if offered, err := m.Revoke(ctx, p.client(), RevokeInput{Client: testClient, Credential: s.Credential, Values: s.Values}); err != nil && offered && m.OAuth.Revoke.Done == "" {
		t.Fatal(err)
	}
	record(out, m.ID+": revoke", p)
}

// record writes what a provider was asked.
func record(out *strings.Builder, title string, p *provider) {
	if len(p.asked) == 0 {
		fmt.Fprintf(out, "### %s\n(nothing is sent)\n\n", title)
		return
	}
	for i, asked := range p.asked {
		fmt.Fprintf(out, "### %s\n%s\n", title, asked)
		for _, name := range slices.Sorted(maps.Keys(p.header[i])) {
			fmt.Fprintf(out, "%s: %s\n", name, strings.Join(p.header[i][name], ", "))
		}
		if p.bodies[i] != "" {
			fmt.Fprintf(out, "\n%s\n", p.bodies[i])
		}
		out.WriteString("\n")
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	got = strings.TrimRight(got, "\n") + "\n"
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not what is sent; run with -update and read the difference. Sent:\n%s", file, got)
	}
}

// sample makes arguments that fill in every property of an action's schema.
func sample(t *testing.T, a *Action) json.RawMessage {
	t.Helper()
	if len(a.Input.RawMessage) == 0 {
		return nil
	}
	var schema map[string]any
	if err := json.Unmarshal(a.Input.RawMessage, &schema); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(sampleValue("", schema))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func sampleValue(name string, schema map[string]any) any {
	if choices, ok := schema["enum"].([]any); ok {
		return choices[len(choices)-1]
	}
	switch schema["type"] {
	case "object":
		out := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		for key, property := range properties {
			out[key] = sampleValue(key, property.(map[string]any))
		}
		if extra, ok := schema["additionalProperties"].(map[string]any); ok {
			out["X-Extra"] = sampleValue("extra", extra)
		}
		return out
	case "array":
		return []any{sampleValue(name, schema["items"].(map[string]any))}
	case "integer", "number":
		return 2
	case "boolean":
		return true
	}
	switch schema["format"] {
	case "date-time":
		return "2026-11-22T12:00:00Z"
	case "date":
		return "2026-11-22"
	}
	return "a " + name + "&é" // what has to be escaped, in every place
}
