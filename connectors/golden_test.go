package connectors

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"

	"github.com/dlclark/regexp2"

	"connectedapps/connection"
)

var update = flag.Bool("update", false, "write testdata/golden anew")

// Every request that the catalogue can make, as it goes over the wire. A change
// here is a change of what providers are sent, and is to be read as that. Time
// and randomness stand still, so that nonces and times are always the same.
func TestGoldenExchanges(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	key := newGoldenKey(t)
	// The clock behind a pattern's budget is one for the process, and cannot keep a bubble's time.
	budget := patternBudget
	patternBudget = regexp2.DefaultMatchTimeout
	defer func() { patternBudget = budget }()
	own, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, app := range own.Apps() {
		t.Run(app.ID, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &golden{t: t, app: app, key: key}
				for _, m := range app.Methods {
					g.method(m)
				}
				g.actions()
				compareGolden(t, filepath.Join("testdata", "golden", app.ID+".txt"), g.key.mask(g.out.String()))
			})
		})
	}
}

// method records everything that is sent to obtain, keep, test and end a credential.
func (g *golden) method(m *Method) {
	if m.OAuth != nil {
		m.OAuth.TLS = nil // a certificate shows in no request, and the test's provider takes none
	}
	s := g.session(m)
	if m.OAuth != nil && m.OAuth.Metadata != nil {
		issuer, _ := expandURL(m.OAuth.Metadata.Issuer, s.Values)
		g.send(m, "metadata", fmt.Sprintf(`{"issuer":%q}`, issuer), func(hc *http.Client) error {
			_, err := m.Discover(ctx(), hc, s.Values)
			return err
		})
	}
	switch m.Kind {
	case connection.OAuth2Code:
		g.code(m, s)
	case connection.OAuth2Device:
		g.device(m, s)
	case connection.OAuth2ClientCredentials, connection.OAuth2JWTBearer, connection.OAuth2Grant:
		g.send(m, "obtain", tokenAnswered, func(hc *http.Client) error {
			_, err := m.Obtain(ctx(), hc, ObtainInput{Client: s.Client, Scopes: g.scopes(m), Values: s.Values, Fields: s.Credential.Fields})
			return err
		})
	case connection.OAuth1:
		g.oauth1(m, s)
	case connection.MultiStep, connection.APIKey, connection.Bearer, connection.Headers, connection.Basic, connection.Digest,
		connection.SigV4, connection.None:
	default:
		g.t.Errorf("%s: nothing is recorded of the kind %s", m.ID, m.Kind)
	}
	g.steps(m, s, StageSteps, m.Steps)
	g.steps(m, s, StageFollowUp, m.FollowUp)
	if m.OAuth != nil && (m.Kind.NeedsBrowser() || m.Kind == connection.OAuth2Device || m.OAuth.Refresh.With != "") {
		g.send(m, "refresh", tokenAnswered, func(hc *http.Client) error {
			_, err := m.Refresh(ctx(), hc, RefreshInput{Client: s.Client, Refresh: connection.NewSecret("the-refresh-token"), Scopes: g.scopes(m),
				Values: s.Values, Previous: s.Credential, RedirectURI: goldenRedirect})
			return err
		})
	}
	g.send(m, "probe", `{}`, func(hc *http.Client) error {
		_, err := s.Probe(ctx(), hc)
		return err
	})
	if m.OAuth != nil && m.OAuth.Revoke != nil {
		g.send(m, "revoke", `{"ok":true}`, func(hc *http.Client) error {
			_, err := m.Revoke(ctx(), hc, RevokeInput{Client: s.Client, Credential: s.Credential, Values: s.Values})
			return err
		})
	}
	if m.Logout != nil {
		g.send(m, "logout", `{}`, func(hc *http.Client) error {
			_, err := m.RunLogout(ctx(), hc, StepInput{Client: s.Client, Credential: s.Credential, Values: s.Values})
			return err
		})
	}
}

// code records a sign-in in a browser.
func (g *golden) code(m *Method, s Session) {
	url, err := m.Authorize(AuthorizeInput{Client: s.Client, RedirectURI: goldenRedirect, Scopes: g.scopes(m), Challenge: "s256-challenge", Values: s.Values})
	if err != nil {
		g.t.Errorf("%s: %v", m.ID, err)
	}
	fmt.Fprintf(&g.out, "### %s: authorize, issuer %q\n%s\n\n", m.ID, m.Issuer(s.Values), strings.NewReplacer("?", "\n  ?", "&", "\n  &").Replace(url))
	callback := map[string]string{m.OAuth.codeParameter(): "the-code"}
	for name, value := range m.OAuth.Callback {
		callback[value.Parameter] = s.Values[name]
	}
	if rule := m.OAuth.CallbackHMAC; rule != nil {
		callback[rule.Parameter] = hex.EncodeToString(signed(callback, rule.Algorithm, s.Client.Secret.Reveal()))
	}
	g.send(m, "exchange", tokenAnswered, func(hc *http.Client) error {
		_, err := m.ExchangeCode(ctx(), hc, ExchangeInput{Client: s.Client, RedirectURI: goldenRedirect, Code: connection.NewSecret("the-code"),
			Verifier: connection.NewSecret("the-verifier"), Values: s.Values, Callback: callback, Fields: s.Credential.Fields, Scopes: g.scopes(m)})
		return err
	})
}

func (g *golden) device(m *Method, s Session) {
	g.send(m, "device", `{"device_code":"d","user_code":"u","verification_uri":"https://provider.example/device","expires_in":900}`, func(hc *http.Client) error {
		_, err := m.BeginDevice(ctx(), hc, DeviceInput{Client: s.Client, Scopes: g.scopes(m), Values: s.Values})
		return err
	})
	g.send(m, "poll", tokenAnswered, func(hc *http.Client) error {
		_, err := m.PollDevice(ctx(), hc, PollDeviceInput{Client: s.Client, DeviceCode: connection.NewSecret("the-device-code"), Values: s.Values})
		return err
	})
}

func (g *golden) oauth1(m *Method, s Session) {
	g.send(m, "request token", "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true", func(hc *http.Client) error {
		begun, err := m.BeginOAuth1(ctx(), hc, OAuth1BeginInput{Client: s.Client, CallbackURL: goldenRedirect, Values: s.Values})
		fmt.Fprintf(&g.out, "### %s: authorize\n%s\n\n", m.ID, begun.URL)
		return err
	})
	g.send(m, "exchange", "oauth_token=t&oauth_token_secret=s", func(hc *http.Client) error {
		_, err := m.ExchangeOAuth1(ctx(), hc, OAuth1ExchangeInput{Client: s.Client, Token: "t", Secret: connection.NewSecret("the-temporary-secret"),
			Verifier: connection.NewSecret("the-verifier"), Values: s.Values})
		return err
	})
}

// steps records each step, whatever its condition says.
func (g *golden) steps(m *Method, s Session, stage string, steps []Step) {
	for i := range steps {
		steps[i].When = ""
		title := fmt.Sprintf("%s %s", stage, steps[i].ID)
		if ask := steps[i].Ask; ask != nil {
			fmt.Fprintf(&g.out, "### %s: %s\nasks: %s\n\n", m.ID, title, ask.Title)
			continue
		}
		if steps[i].Sign != nil {
			out, err := m.RunStep(ctx(), http.DefaultClient, StepInput{Stage: stage, Step: steps[i].ID, Client: s.Client, Credential: s.Credential, Values: s.Values})
			if err != nil {
				g.t.Errorf("%s: %s: %v", m.ID, title, err)
				continue
			}
			fmt.Fprintf(&g.out, "### %s: %s\n%s: %s\n\n", m.ID, title, steps[i].Sign.Name, out.Tokens[steps[i].Sign.Name].Access.Reveal())
			continue
		}
		g.send(m, title, `{}`, func(hc *http.Client) error {
			_, err := m.RunStep(ctx(), hc, StepInput{Stage: stage, Step: steps[i].ID, Client: s.Client, Credential: s.Credential, Values: s.Values})
			return err
		})
	}
}

// actions records every action, with the first way to authenticate that offers it.
func (g *golden) actions() {
	for _, action := range g.app.Actions {
		m := g.app.Methods[slices.IndexFunc(g.app.Methods, action.OfferedBy)]
		s := g.session(m)
		in := CallInput{Arguments: sample(g.t, action), IdempotencyKey: "idempotency-key-1"}
		if action.Paging != nil {
			in.Cursor = map[PagingKind]string{PagingLink: "page=2", PagingNextURL: "page=2", PagingOffset: "20", PagingPage: "2", PagingCursor: "cursor-2"}[action.Paging.Kind]
		}
		g.send(m, "action "+action.ID, `{"ok":true}`, func(hc *http.Client) error {
			_, err := s.Call(ctx(), hc, action, in)
			return err
		})
	}
}

// send records one exchange. What the answer was taken for is told by the type
// of the problem: few providers would answer like this. Nothing sent is a defect.
func (g *golden) send(m *Method, title, body string, do func(*http.Client) error) {
	p := answering(200, body)
	err := do(p.client())
	if err != nil && len(p.asked) == 0 {
		g.t.Errorf("%s: %s: %v", m.ID, title, err)
	}
	record(&g.out, m.ID+": "+title, p)
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
	if only, ok := schema["const"]; ok {
		return only
	}
	for _, alternatives := range []string{"oneOf", "anyOf"} {
		if either, ok := schema[alternatives].([]any); ok && schema["type"] == nil {
			return sampleValue(name, either[0].(map[string]any))
		}
	}
	kind := schema["type"]
	if several, ok := kind.([]any); ok {
		kind = several[0]
	}
	switch kind {
	case "object":
		out := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		for key, property := range properties {
			out[key] = sampleValue(key, property.(map[string]any))
		}
		if extra, ok := schema["additionalProperties"].(map[string]any); ok {
			out["X-Extra"] = sampleValue("extra", extra)
		}
		if len(out) == 0 && schema["minProperties"] != nil {
			out["field"] = "value"
		}
		return out
	case "array":
		items, _ := schema["items"].(map[string]any)
		return []any{sampleValue(name, items)}
	case "integer", "number":
		return sampleNumber(schema)
	case "boolean":
		return true
	}
	return sampleText(name, schema)
}

// sampleNumber is two, or the nearest that is allowed.
func sampleNumber(schema map[string]any) float64 {
	value := 2.0
	if most, ok := schema["maximum"].(float64); ok {
		value = min(value, most)
	}
	if least, ok := schema["minimum"].(float64); ok {
		value = max(value, least)
	}
	return value
}

// sampleText is a text with what has to be escaped in every place, or the first
// of a few that the schema allows.
func sampleText(name string, schema map[string]any) string {
	switch schema["format"] {
	case "date-time":
		return "2026-11-22T12:00:00Z"
	case "date":
		return "2026-11-22"
	case "uri":
		return "https://value.example/" + name
	case "email":
		return "ada@value.example"
	}
	wanted, _ := schema["pattern"].(string)
	most, bounded := schema["maxLength"].(float64)
	least, _ := schema["minLength"].(float64)
	for _, text := range append([]string{"a " + name + "&é", "a-" + name}, sampleTexts...) {
		length := float64(len([]rune(text)))
		if length < least || bounded && length > most {
			continue
		}
		if wanted == "" || matches(wanted, text) {
			return text
		}
	}
	return "no sample fits"
}

// sampleTexts are what identifiers, amounts, dates and the like look like.
var sampleTexts = []string{"12", "EUR", "eur", "u2", "2026-11-22", "+15550100", "MG" + strings.Repeat("0", 32), "#C0FFEE", "a.b", "/path", "A1",
	"datadoghq.eu", "003000000000001AAA", "2026-11-22T12:00:00", "0f8fad5b-d9cb-469f-a165-70867728950e", "https://value.example/0f8fad5b-d9cb-469f"}

func matches(pattern, text string) bool {
	compiled, err := compilePattern(pattern)
	return err == nil && compiled.MatchString(text)
}
