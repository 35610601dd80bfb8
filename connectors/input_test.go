package connectors

import (
	"fmt"
	"strings"
	"testing"

	"connectedapps/connection"
)

func TestCheckInputs(t *testing.T) {
	inputs := []Input{
		{Name: "base_url", Format: "url", TrimSuffix: "/api/v1"},
		{Name: "shop", Pattern: "[a-z]+", AddSuffix: ".shop", TrimPrefix: "https://", Optional: true},
		{Name: "region", Enum: []string{"eu", "us"}, Default: "eu"},
		{Name: "live", Type: "boolean", Optional: true},
		{Name: "port", Type: "integer", Optional: true},
		{Name: "key", Secret: true, Pattern: "k_.+"},
		{Name: "free", Secret: true, Optional: true},
	}
	inputs[1].Pattern = `[a-z]+\.shop`
	key := map[string]connection.Secret{"key": connection.NewSecret(" k_secret\n")}
	values, secrets, err := CheckInputs(inputs, map[string]string{"base_url": " HTTPS://Git.Example:8443/Sub/api/v1", "shop": "https://acme", "live": "true", "port": "12"}, key)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"base_url": "https://git.example:8443/Sub", "shop": "acme.shop", "region": "eu", "live": "true", "port": "12"}
	if fmt.Sprint(values) != fmt.Sprint(want) || secrets["key"].Reveal() != "k_secret" {
		t.Errorf("%v", values)
	}
	good := map[string]string{"base_url": "https://a"}
	tests := []struct {
		name    string
		values  map[string]string
		secrets map[string]connection.Secret
		field   string
	}{
		{"missing", nil, key, "base_url"},
		{"missing secret", good, nil, "key"},
		{"unknown", map[string]string{"base_url": "https://a", "shp": "x"}, key, "shp"},
		{"unknown secret", good, map[string]connection.Secret{"kez": connection.NewSecret("CANARY-k_x")}, "kez"},
		{"secret as a value", map[string]string{"base_url": "https://a", "key": "CANARY-k_x"}, nil, "key"},
		{"value as a secret", nil, map[string]connection.Secret{"base_url": connection.NewSecret("CANARY")}, "base_url"},
		{"choice", map[string]string{"base_url": "https://a", "region": "CANARY"}, key, "region"},
		{"boolean", map[string]string{"base_url": "https://a", "live": "yes"}, key, "live"},
		{"integer", map[string]string{"base_url": "https://a", "port": "1.5"}, key, "port"},
		{"pattern of a secret", good, map[string]connection.Secret{"key": connection.NewSecret("CANARY-x")}, "key"},
		{"line break in a secret", good, map[string]connection.Secret{"key": connection.NewSecret("k_\r\nCANARY: x")}, "key"},
		{"line break in a free secret", good, map[string]connection.Secret{"key": key["key"], "free": connection.NewSecret("CANARY\r\nX: y")}, "free"},
		{"NUL", map[string]string{"base_url": "https://a\x00"}, key, "base_url"},
		{"too long", map[string]string{"base_url": "https://" + strings.Repeat("a", maxValue)}, key, "base_url"},
		{"too long a secret", good, map[string]connection.Secret{"key": connection.NewSecret("k_" + strings.Repeat("a", maxSecret))}, "key"},
	}
	for _, test := range tests {
		_, _, err := CheckInputs(inputs, test.values, test.secrets)
		problem := problemOf(t, err)
		if problem.Type != connection.ErrInvalidInput || problem.Field != test.field || strings.Contains(fmt.Sprintf("%+v", problem), "CANARY") {
			t.Errorf("%s: %+v", test.name, problem)
		}
	}
}

func TestFormats(t *testing.T) {
	tests := map[string]struct {
		good map[string]string
		bad  []string
	}{
		"url": {map[string]string{"https://A.example/": "https://a.example", "http://127.0.0.1:9070": "http://127.0.0.1:9070", "https://[::1]:3/x/": "https://[::1]:3/x"},
			[]string{"a.example", "ftp://a", "https://", "https://u:p@a", "https://a?b", "https://a#b", "https://a/../b", "https://a/%2e%2e", "https://a/%2f", "javascript:x", "https://a%2fb", `https://a\b`, "https:a"}},
		"host": {map[string]string{"A.Example": "a.example", "a.example:8443": "a.example:8443", "127.0.0.1": "127.0.0.1", "[::1]:90": "[::1]:90"},
			[]string{"https://a", "a/b", "a@b", "a b", "a..b", "-a", "a:b", "a#b", "a%2f", "[fe80::1%25eth0]:1"}},
		"email":  {map[string]string{"a@b.example": "a@b.example"}, []string{"a", "A <a@b.example>", "a@b, c@d", "a@b\r\n"}},
		"path":   {map[string]string{"/a/b": "/a/b", "/": "/"}, []string{"a", "/a?b", "/a#b", "/../a", "/a//b", "/a%2fb", "//a"}},
		"header": {map[string]string{"X-API-Key": "X-API-Key"}, []string{"X A", "X:A", "", "Host", "content-length", "X\r\nY"}},
		"query":  {map[string]string{"api_key": "api_key", "a[b]": "a[b]"}, []string{"a=b", "a&b", "", "a b"}},
		"scopes": {map[string]string{"b,a  a": "a b"}, nil},
	}
	for format, test := range tests {
		for value, want := range test.good {
			if got, reason := formats[format](value); got != want || reason != "" {
				t.Errorf("%s %q: %q %s", format, value, got, reason)
			}
		}
		for _, value := range test.bad {
			if got, reason := formats[format](value); reason == "" {
				t.Errorf("%s %q is accepted as %q", format, value, got)
			}
		}
	}
	if len(tests) != len(formats) {
		t.Errorf("%d of %d formats are tested", len(tests), len(formats))
	}
}
