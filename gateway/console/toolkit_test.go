package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/workflows"

	"github.com/dlclark/regexp2"
)

const tried = demo + "/toolkits/default/actions/create-contact"

func TestToolkitPage(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	page := d.get(demo + "/toolkits/default")
	safe(t, page)
	holds(t, page, "3 actions", `href="`+tried+`"`, "changes data", "destroys data", "Arguments of", "As JSON Schema", "whole number")
	holds(t, page, "connected-apps access create my-agent --agent", "--toolkit development/sandbox/demo/default",
		"&#34;url&#34;: &#34;http://127.0.0.1:8400/mcp&#34;", "&#34;args&#34;: [&#34;mcp&#34;, &#34;--toolkit&#34;,")
	edit := d.get(demo + "/toolkits/default/edit")
	holds(t, edit, `value="list-contacts" checked`, `value="whoami">`)
	if status := d.serve("GET", demo+"/toolkits/nothing", nil).StatusCode; status != http.StatusNotFound {
		t.Errorf("an unknown toolkit: %d", status)
	}
	if status := d.serve("GET", demo+"/toolkits/default/actions/whoami", nil).StatusCode; status != http.StatusForbidden {
		t.Errorf("an action that the toolkit has not got: %d", status)
	}
}

func TestActionPageHasWaysToCallIt(t *testing.T) {
	page := newDesk(t).connected(connection.Active).get(tried)
	safe(t, page)
	holds(t, page, "ExecuteChildWorkflow", "temporal workflow start --namespace &#39;dev-ns&#39;", "--type RunAction --task-queue connected-apps",
		"connected-apps actions run development/sandbox/demo create-contact", "http://127.0.0.1:8400/api/v1/connections/development/sandbox/demo/actions/create-contact",
		"data-copy=", "This changes data", `name="sure" value="yes" required`)
}

// keyOn is the key that a form was given.
func keyOn(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `name="key" value="`)
	key, _, _ := strings.Cut(rest, `"`)
	if !found || !runKey.MatchString(key) {
		t.Fatalf("the form has the key %q", key)
	}
	return key
}

func TestActionRunsOnceForAForm(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	key := keyOn(t, d.get(tried))
	form := []string{"key", key, "sure", "yes", "arg:name", "Grace Hopper"}
	var both sync.WaitGroup
	answers := make([]*http.Response, 3)
	for i := range answers {
		both.Go(func() { answers[i] = d.post(tried, form...) })
	}
	both.Wait()
	for _, answer := range answers {
		if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || to != tried+"/runs/"+key {
			t.Errorf("%d to %q", answer.StatusCode, to)
		}
	}
	if deeds := d.dev.deedsOf(); deeds != `run create-contact {"name":"Grace Hopper"}` {
		t.Errorf("done: %s", deeds)
	}
	page := d.get(tried + "/runs/" + key)
	safe(t, page)
	holds(t, page, "It is done", "The app answered 200.", "Grace Hopper", `&lt;script&gt;alert(\&#34;x`)
	lacks(t, page, "Next page") // what changes data has no next page to be had by a button
	page = textOf(t, d.post(tried, "key", key, "sure", "yes", "arg:name", "Somebody else"))
	holds(t, page, "This key was used for another request")
	if again := keyOn(t, page); again == key {
		t.Error("the form came back with a key that is used up")
	}
}

func TestActionIsCheckedBeforeItRuns(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	key := keyOn(t, d.get(tried))
	for _, tc := range []struct {
		form []string
		says string
	}{
		{[]string{"sure", "yes"}, `id="arg-0-bad">It is missing.`},
		{[]string{"arg:name", scripted}, "This needs to be confirmed"},
		{[]string{"sure", "yes", "json", "[]"}, "The arguments are not a JSON object"},
		{[]string{"sure", "yes", "json", "{" + scripted}, "The arguments are not JSON"},
		{[]string{"sure", "yes", "json", `{"nonsense":1}`}, "role=\"alert\""},
	} {
		page := textOf(t, d.post(tried, append(tc.form, "key", key)...))
		safe(t, page)
		holds(t, page, tc.says)
		if keyOn(t, page) != key {
			t.Error("the form came back with another key")
		}
	}
	if status := d.post(tried, "sure", "yes", "arg:name", "x", "key", "short").StatusCode; status != http.StatusBadRequest {
		t.Errorf("without a key: %d", status)
	}
	if deeds := d.dev.deedsOf(); deeds != "" {
		t.Errorf("refused, and done: %s", deeds)
	}
}

func TestRunThatFailsOrTakesLong(t *testing.T) {
	t.Parallel()
	d := newDesk(t).connected(connection.Expired)
	d.dev.runErr = connection.Refused(connection.ErrOutcomeUnknown, scripted, "look in the app")
	key := keyOn(t, d.get(tried))
	response := d.post(tried, "key", key, "sure", "yes", "arg:name", "x")
	page := d.get(response.Header.Get("Location"))
	safe(t, page)
	holds(t, page, "It did not work", "OutcomeUnknown", "Look in the app.")

	d.dev.runErr, d.dev.slow = nil, true
	key = keyOn(t, d.get(tried))
	response = d.post(tried, "key", key, "sure", "yes", "arg:name", "x", "wait", "yes")
	run := d.dev.runs[key]
	run.Reason = scripted
	d.dev.runs[key] = run
	page = d.get(response.Header.Get("Location"))
	safe(t, page)
	holds(t, page, "It waits for a person to reconnect", `hx-trigger="load delay:2s"`, "Attempt 1 runs", "come back to its address", demo[1:]+"/reconnect")
	part := d.get(response.Header.Get("Location"), byHTMX)
	lacks(t, part, "<!doctype html>")
	holds(t, part, `id="run"`)
	if status := d.serve("GET", tried+"/runs/zzzzzzzzzzzzzzzzzzzz", nil).StatusCode; status != http.StatusBadRequest {
		t.Errorf("an unknown run: %d", status)
	}
}

func TestResultLeadsToTheNextPage(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	const list = demo + "/toolkits/default/actions/list-contacts"
	page := d.get(list)
	lacks(t, page, `name="sure"`)
	response := d.post(list, "key", keyOn(t, page), "arg:limit", "5")
	page = d.get(response.Header.Get("Location"))
	holds(t, page, `name="cursor" value="more"`, "Next page")
	response = d.post(list, "key", keyOn(t, page), "json", "{\n  \"limit\": 5\n}", "cursor", "more")
	if got := len(d.dev.runs); response.StatusCode != http.StatusSeeOther || got != 2 {
		t.Errorf("%d, %d runs", response.StatusCode, got)
	}
}

// Every action of the built-in catalogue has a form that renders, and valid arguments
// typed into it come out as they were.
func TestEveryActionHasAForm(t *testing.T) {
	catalogue, err := builtInCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	actions, whole, inexact := 0, 0, 0
	for _, app := range catalogue.Apps() {
		id := connection.ID("development/" + app.ID + "/all")
		toolkit := connection.Toolkit{Name: "default"}
		for _, action := range app.Actions {
			toolkit.Actions = append(toolkit.Actions, action.ID)
		}
		d.dev.described[id] = workflows.Description{State: workflows.State{ID: id, Toolkits: []connection.Toolkit{toolkit}, Method: app.Methods[0].ID}}
		holds(t, d.get(pageOf(id)+"/toolkits/default"), fmt.Sprintf("%d action", len(app.Actions)))
		for _, action := range app.Actions {
			actions++
			page := d.get(pageOf(id) + "/toolkits/default/actions/" + action.ID)
			holds(t, page, "Run it", "Call it")
			fields := argumentFields(action.Input.RawMessage, nil)
			for i, field := range fields {
				holds(t, page, fmt.Sprintf(`id="arg-%d" name=%q`, i, field.Field))
				if field.Control == controlJSON {
					whole++
				}
			}
			if action.CheckArguments(json.RawMessage(exampleArguments(action.Input.RawMessage))) != nil {
				inexact++
			}
			for _, arguments := range samples(t, action) {
				out, err := argumentsOf(fields, typedIn(t, fields, arguments))
				if err != nil || !sameJSON(t, out, arguments) {
					t.Errorf("%s %s: typed %s, came out %s, %v", app.ID, action.ID, arguments, out, err)
				} else if err := action.CheckArguments(out); err != nil {
					t.Errorf("%s %s: %s: %v", app.ID, action.ID, out, err)
				}
			}
		}
	}
	t.Logf("%d actions, %d fields of JSON, %d examples that one must change first", actions, whole, inexact)
	if actions < 300 || inexact > actions/10 {
		t.Errorf("%d actions, and %d examples are not valid", actions, inexact)
	}
}

// samples are valid arguments of an action: the least there can be, and one with every argument.
func samples(t *testing.T, action *connectors.Action) []json.RawMessage {
	t.Helper()
	schema, ok := parseSchema(action.Input.RawMessage)
	if !ok {
		return []json.RawMessage{json.RawMessage("{}")}
	}
	var valid []json.RawMessage
	for _, all := range []bool{false, true} {
		least := json.RawMessage(sample(schema, all, 0))
		if !all && action.CheckArguments(least) != nil { // one of several is wanted
			for _, property := range schema.Properties {
				one := schema
				one.Required = append([]string{property.Name}, schema.Required...)
				if least = json.RawMessage(sample(one, false, 0)); action.CheckArguments(least) == nil {
					break
				}
			}
		}
		if err := action.CheckArguments(least); err != nil {
			if !all {
				t.Errorf("%s %s: no sample: %s: %v", action.App().ID, action.ID, least, err)
			}
			continue
		}
		valid = append(valid, least)
	}
	return valid
}

// sample is a value that a schema accepts, as far as one can be told.
func sample(n schemaNode, all bool, depth int) string {
	switch {
	case len(n.Enum) > 0:
		return string(n.Enum[len(n.Enum)-1])
	case len(n.Const) > 0:
		return string(n.Const)
	case n.takesText() && n.Type.one() == "":
		return `"plain <text>"`
	case n.Pattern != "":
		wanted, err := regexp2.Compile(n.Pattern, regexp2.ECMAScript|regexp2.Unicode)
		if err != nil {
			return `""`
		}
		matches := func(text string) bool { found, err := wanted.MatchString(text); return found && err == nil }
		for _, try := range []string{"1", "a1", "me", "12345678", "+15551234567", "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6", "ABCDEF123456", "ACME-1", "v1.2",
			"2027-01-31", "2027-01-31T12:00:00Z", "00000000-0000-4000-8000-000000000000", "ada@example.com", "ada/repo", "a.b", "USD", "usd", "C12345678",
			"U12345678", "1700000000.000100", "/a", "https://example.com/", "SELECT Id FROM Account", "00Q000000000001", "AC00000000000000000000000000000000",
			"urn:li:person:abc", "projects/1", "Sheet1!A1:B2", "AAPL", "Bearer", "id:abc", "people/me", "cus_123", "price_123", "12:00", "en-US"} {
			if matches(try) && len(try) >= n.MinLength && (n.MaxLength == 0 || len(try) <= n.MaxLength) {
				return estateQuoted(try)
			}
		}
		return `""`
	}
	switch n.Type.one() {
	case "string":
		text := map[string]string{"email": "ada@example.com", "uri": "https://example.com/?a=1&b=2", "date": "2027-01-31", "date-time": "2027-01-31T12:00:00Z",
			"uuid": "00000000-0000-4000-8000-000000000000"}[n.Format]
		if n.Format == "" {
			text = strings.Repeat("<a> \"b\" é\n", 1+n.MinLength/8)
			if n.MaxLength > 0 && len(text) > n.MaxLength {
				text = strings.Repeat("x", n.MaxLength)
			}
			text = strings.TrimSpace(text)
		}
		return estateQuoted(text)
	case "integer", "number":
		if n.Minimum != "" {
			return n.Minimum.String()
		}
		return "12345678901"
	case "boolean":
		return "false"
	case "array":
		items, _ := parseSchema(n.Items)
		item := sample(items, all, depth+1)
		if n.MinItems > 1 {
			return "[" + strings.Repeat(item+",", n.MinItems-1) + item + "]"
		}
		return "[" + strings.ReplaceAll(item, `\n`, " ") + "]"
	case "object":
	default:
		return `{"a":[1,"b"]}`
	}
	var parts []string
	for _, property := range n.Properties {
		node, _ := parseSchema(property.Schema)
		if all || slices.Contains(n.Required, property.Name) {
			parts = append(parts, estateQuoted(property.Name)+":"+sample(node, all && depth < 2, depth+1))
		}
	}
	if len(n.Properties) == 0 {
		return `{"a":"b"}`
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// typedIn types arguments into a form, as a person with a browser does.
func typedIn(t *testing.T, fields []argumentField, arguments json.RawMessage) url.Values {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(arguments, &object); err != nil {
		t.Fatal(err)
	}
	typed := url.Values{}
	for _, field := range fields {
		value, given := object[field.Name]
		switch {
		case !given:
			typed.Set(field.Field, "")
		case field.Control == controlList:
			var items []json.RawMessage
			if err := json.Unmarshal(value, &items); err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, item := range items {
				lines = append(lines, plainText(item))
			}
			typed.Set(field.Field, strings.Join(lines, "\r\n"))
		case field.Control == controlChoice || field.Control == controlJSON:
			typed.Set(field.Field, string(value))
		default:
			typed.Set(field.Field, strings.ReplaceAll(plainText(value), "\n", "\r\n"))
		}
	}
	return typed
}

func sameJSON(t *testing.T, a, b json.RawMessage) bool {
	t.Helper()
	decode := func(raw json.RawMessage) (value any) {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	return reflect.DeepEqual(decode(a), decode(b))
}

func TestResultsAreReadable(t *testing.T) {
	for raw, want := range map[string]string{
		`"\u003cb\u003e \u0026"`: `"<b> &"`, `"\\u003c"`: `"\\u003c"`, `"\\\u003c"`: `"\\<"`, `"\u00e9\n\""`: `"\u00e9\n\""`, `1.50`: `1.50`, ``: ``,
	} {
		got := pretty(json.RawMessage(raw))
		if got != want || raw != "" && !sameJSON(t, json.RawMessage(got), json.RawMessage(raw)) {
			t.Errorf("%s is shown as %s, not %s", raw, got, want)
		}
	}
}

func TestRunIsChangedAndRunAgain(t *testing.T) {
	d := newDesk(t).connected(connection.Active)
	d.dev.runErr = connection.Refused(connection.ErrRejectedInput, "the app refuses it", "change it")
	key := keyOn(t, d.get(tried))
	d.post(tried, "key", key, "sure", "yes", "arg:name", scripted, "projection", "name", "wait", "yes")
	run := tried + "/runs/" + key
	holds(t, d.get(run), `href="`+run+`/again">Change and run again`)
	page := d.get(run + "/again?arg:name=planted")
	safe(t, page)
	holds(t, page, `value="&lt;script&gt;`, `name="projection" value="name"`, `name="wait" value="yes" checked`)
	lacks(t, page, "planted", `name="sure" value="yes" checked`)
	if again := keyOn(t, page); again == key {
		t.Error("it would be the same run")
	}
	d.as(access.Viewer)
	if status := d.serve("GET", run+"/again", nil).StatusCode; status != http.StatusForbidden {
		t.Errorf("a viewer: %d", status)
	}
}

func TestTypedArgumentsAreTheInverse(t *testing.T) {
	schema := json.RawMessage(`{"type":"object","required":["limit"],"properties":{"name":{"type":"string"},"limit":{"type":"integer","default":7},
		"sure":{"type":"boolean"},"tags":{"type":"array","items":{"type":"string"}},"any":{},"of":{"enum":["a",1,null]}}}`)
	fields := argumentFields(schema, nil)
	for _, given := range []string{
		`{}`, `{"name":"Ada <b>","limit":3,"sure":false,"tags":["a","b c"],"any":{"x":[1,"2"]},"of":1}`, `{"limit":12345678901234567890}`,
		`{"name":""}`, `{"tags":["a\nb"]}`, `{"tags":[]}`, `{"tags":"none"}`, `{"unknown":1}`, `{"name":5}`,
	} {
		typed := typedArguments(fields, json.RawMessage(given))
		again, err := argumentsOf(fields, typed)
		if err != nil || !equalJSON(again, json.RawMessage(given)) {
			t.Errorf("%s came back as %s, %v", given, again, err)
		}
	}
	if typedArguments(fields, json.RawMessage(`{"name":"x"}`)).Has(wholeField) {
		t.Error("what the fields can say is given as JSON")
	}
}
