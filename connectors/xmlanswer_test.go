package connectors

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"connectedapps/connection"
)

func TestReadXML(t *testing.T) {
	for text, want := range map[string]string{
		`<?xml version="1.0"?><r><token>t1</token><n>7</n></r>`:                        `{"r":{"n":"7","token":"t1"}}`,
		"\ufeff<r xmlns=\"urn:x\" xmlns:s=\"urn:s\"><s:a id=\"1\">x</s:a><a>y</a></r>": `{"r":{"a":[{"id":"1","text":"x"},"y"]}}`,
		`<r><a/><a>2</a><a>3</a><b><c>4</c></b></r>`:                                   `{"r":{"a":["","2","3"],"b":{"c":"4"}}}`,
		`<r><refresh>r2</refresh><access>a`:                                            `{"r":{"access":null,"refresh":"r2"}}`,
		`<r>a &amp; b</r>`:                                                             `{"r":"a \u0026 b"}`,
		`<!DOCTYPE r [<!ENTITY x "y">]><r>&x;</r>`:                                     `null`,
		`<r><a>1</a><b>&x;</b></r>`:                                                    `{"r":{"a":"1","b":null}}`,
		`{"a":1}`:                                                                      `null`,
		``:                                                                             `null`,
	} {
		got, _ := json.Marshal(readXML([]byte(text)))
		if string(got) != want {
			t.Errorf("%s: %s", text, got)
		}
	}
	deep := strings.Repeat("<a>", 1<<15)
	if got, _ := json.Marshal(readXML([]byte(deep))); strings.Count(string(got), `"a"`) > maxSalvageDepth+3 {
		t.Error("the depth is not bounded")
	}
}

func TestXMLTokenAnswer(t *testing.T) {
	s := serve(t, always(200, `<response><token>t1</token><renew>r1</renew><left>90</left></response>`))
	m := fake(t, "oauth2-client-credentials", `    oauth:
      client_auth: post
      token: {url: "{+base_url}/token"}
      answer: {format: xml, tokens: {default: {access: response.token, refresh: response.renew, expires: response.left}}}
`)
	grant, err := m.Obtain(context.Background(), s.Client(), ObtainInput{Client: testClient, Values: at(s)})
	if err != nil {
		t.Fatal(err)
	}
	if got := grant.Tokens[connection.DefaultToken]; got.Access.Reveal() != "t1" || got.Refresh.Reveal() != "r1" || got.Lifetime.Seconds() != 90 || s.got[0].header.Get("Accept") != "application/xml" {
		t.Errorf("%+v", got)
	}
}
