package api

import (
	"net/http"
	"strings"
	"testing"
)

// document is the OpenAPI document as somebody without a token gets it.
func document(t *testing.T) map[string]any {
	t.Helper()
	var doc map[string]any
	newBench(t).do("", "GET", "/openapi.json", "").json(http.StatusOK, &doc)
	return doc
}

func TestDocumentIsServedToAnybodyAndTellsNothing(t *testing.T) {
	b := newBench(t)
	w := b.do("", "GET", "/openapi.yaml", "")
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "components:") || w.Header().Get("Content-Type") != "application/openapi+yaml" {
		t.Fatalf("%d %q: %.60s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	text := b.do("", "GET", "/openapi.json", "").Body.String()
	for _, hidden := range []string{"production", "unpkg", "cdn."} {
		if hidden != "production" && strings.Contains(text, hidden) {
			t.Errorf("the document mentions %q", hidden)
		}
	}
	for _, path := range []string{"/docs", "/schemas/Problem.json", "/openapi-3.0.json"} {
		b.do("admin", "GET", path, "").problem(http.StatusNotFound, "InvalidInput")
		b.do("", "GET", path, "").problem(http.StatusUnauthorized, "NotSignedIn")
	}
}

func TestDocumentIsWhole(t *testing.T) {
	doc := document(t)
	if doc["openapi"] != "3.1.0" {
		t.Errorf("openapi is %v", doc["openapi"])
	}
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	eachRef(doc, func(ref string) {
		if name, ok := strings.CutPrefix(ref, "#/components/schemas/"); !ok || schemas[name] == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	})
	seen := map[string]bool{}
	for path, item := range doc["paths"].(map[string]any) {
		for method, raw := range item.(map[string]any) {
			op := raw.(map[string]any)
			id, _ := op["operationId"].(string)
			if id == "" || seen[id] || op["summary"] == "" || op["description"] == nil || len(op["tags"].([]any)) != 1 {
				t.Errorf("%s %s has no operationId of its own, summary, description or tag: %v", method, path, id)
			}
			seen[id] = true
			responses := op["responses"].(map[string]any)
			if responses["401"] == nil || responses["403"] == nil || responses["503"] == nil {
				t.Errorf("%s does not say how it is refused", id)
			}
			if parameters, ok := op["parameters"].([]any); ok {
				for _, p := range parameters {
					if p.(map[string]any)["description"] == nil {
						t.Errorf("%s: the parameter %v has no description", id, p.(map[string]any)["name"])
					}
				}
			}
			if strings.Count(path, "{") != strings.Count(path, "}") || strings.Contains(path, "...") {
				t.Errorf("%s is no path template", path)
			}
		}
	}
	for name, raw := range schemas {
		for property, s := range raw.(map[string]any)["properties"].(map[string]any) {
			schema := s.(map[string]any)
			if schema["description"] == nil && schema["$ref"] == nil {
				t.Errorf("%s.%s has no description", name, property)
			}
		}
	}
}

func TestSecretsAreWriteOnly(t *testing.T) {
	schemas := document(t)["components"].(map[string]any)["schemas"].(map[string]any)
	secrets := 0
	for name, raw := range schemas {
		for property, s := range raw.(map[string]any)["properties"].(map[string]any) {
			schema := s.(map[string]any)
			inner, _ := schema["additionalProperties"].(map[string]any)
			if schema["format"] == "password" || inner["format"] == "password" {
				secrets++
				if schema["writeOnly"] != true {
					t.Errorf("%s.%s is a secret and not writeOnly", name, property)
				}
			}
		}
	}
	if secrets < 8 {
		t.Errorf("%d secrets were found", secrets)
	}
}

func TestRequestsAreClosedAndAnswersOpen(t *testing.T) {
	schemas := document(t)["components"].(map[string]any)["schemas"].(map[string]any)
	for name, closed := range map[string]bool{"ConnectRequest": true, "PolicyChange": true, "Run": true, "Details": false, "Connection": false, "Problem": false} {
		if got := schemas[name].(map[string]any)["additionalProperties"] == false; got != closed {
			t.Errorf("%s: closed is %v", name, got)
		}
	}
}

func eachRef(value any, f func(string)) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if ref, ok := inner.(string); ok && key == "$ref" {
				f(ref)
			}
			eachRef(inner, f)
		}
	case []any:
		for _, inner := range v {
			eachRef(inner, f)
		}
	}
}

// idsOf lists the operations of the document with method and path.
func idsOf(t *testing.T, doc map[string]any) map[string][2]string {
	t.Helper()
	out := map[string][2]string{}
	for path, item := range doc["paths"].(map[string]any) {
		for method, raw := range item.(map[string]any) {
			out[raw.(map[string]any)["operationId"].(string)] = [2]string{strings.ToUpper(method), path}
		}
	}
	return out
}
