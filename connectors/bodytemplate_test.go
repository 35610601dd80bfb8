package connectors

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// templateOf reads a template as a definition's is read.
func templateOf(t testing.TB, text string) any {
	t.Helper()
	var template any
	if err := json.Unmarshal([]byte(text), &template); err != nil {
		t.Fatal(err)
	}
	return template
}

func TestBodyTemplate(t *testing.T) {
	arguments := `{"text":"{secret} \"q\"","n":12345678901234567890,"list":[1,{"a":"{text}"}],"object":{"k":null},"yes":false,"null":null,"empty":""}`
	for template, want := range map[string]string{
		`{"a":"{text}"}`:                                  `{"a":"{secret} \"q\""}`,
		`{"a":"{n}","b":"{yes}"}`:                         `{"a":12345678901234567890,"b":false}`,
		`{"a":"{list}","b":["{object}","{list}"]}`:        `{"a":[1,{"a":"{text}"}],"b":[{"k":null},[1,{"a":"{text}"}]]}`,
		`{"a":"<{text}> {n} {yes}"}`:                      `{"a":"<{secret} \"q\"> 12345678901234567890 false"}`,
		`{"a":"{nobody}","b":"x {nobody}","c":"{n}"}`:     `{"c":12345678901234567890}`,
		`{"a":{"b":["{nobody}"]},"c":{},"d":[],"e":null}`: `{"c":{},"d":[],"e":null}`,
		`{"a":"{null}","b":"x{null}","c":"{empty}"}`:      `{"a":null,"c":""}`,
		`["{n}","{nobody}",1.5,true]`:                     `[12345678901234567890,1.5,true]`,
		`{"a":"{nobody}"}`:                                `{}`,
		`["{nobody}"]`:                                    `[]`,
		`"{list}"`:                                        `[1,{"a":"{text}"}]`,
		`{"query":"{ me { id } }","v":"{tenant}/{sum}"}`:  `{"query":"{ me { id } }","v":"t1/2ef7bde608ce5404e97d5f042f95f89f1c232871"}`,
		`{"{text}":"{text2}","k":"{}{ n }"}`:              `{"k":"{}{ n }"}`,
		`{"a":"{hello}"}`:                                 `{"a":"HELLO"}`,
	} {
		server := recording(t, nil)
		s := sessionWith(server.URL, Method{Kind: connection.None}, nil)
		s.Values["tenant"] = "t1"
		a := made(Request{Method: "POST", Body: &Body{Template: templateOf(t, template), Static: map[string]any{"static": 1}}})
		a.Compute = []Computed{{"hello", `"hello".upperAscii()`}, {"sum", `hex(sha1(hello.lowerAscii() + "!" )) == "" ? "" : hex(sha1("Hello World!"))`}}
		if err := s.callMade(t, a, arguments); err != nil {
			t.Errorf("%s: %v", template, err)
		} else if server.bodies[0] != want {
			t.Errorf("%s: %s", template, server.bodies[0])
		}
	}
	server := recording(t, nil)
	s := sessionWith(server.URL, Method{Kind: connection.None}, nil)
	problem := problemOf(t, s.callMade(t, made(Request{Method: "POST", Body: &Body{Template: map[string]any{"a": "x {list}"}}}), arguments))
	if problem.Type != connection.ErrInvalidArguments || problem.Field != "$.list" || len(server.asked) > 0 {
		t.Errorf("%+v", problem)
	}
}

func TestTemplateWithCursor(t *testing.T) {
	for template, want := range map[string]string{
		`{"variables":{"after":"{after}","n":1}}`: `{"variables":{"after":"c1","n":1}}`,
		`{"n":1}`: `{"after":"c1","n":1}`,
	} {
		server := recording(t, nil)
		s := sessionWith(server.URL, Method{Kind: connection.None}, nil)
		a := made(Request{Method: "POST", Body: &Body{Template: templateOf(t, template)}})
		a.Paging = &Paging{Kind: PagingCursor, To: "after", InBody: true}
		if _, err := s.Call(t.Context(), real(outbound.Policy{}), a, CallInput{Arguments: json.RawMessage(`{}`), Cursor: "c1"}); err != nil || server.bodies[0] != want {
			t.Errorf("%s: %v %v", template, server.bodies, err)
		}
	}
}

func TestLists(t *testing.T) {
	for lists, want := range map[string]string{
		"": "a%5B0%5D=1&a%5B1%5D=x&o%5Bl%5D%5B0%5D=y", "indexed": "a%5B0%5D=1&a%5B1%5D=x&o%5Bl%5D%5B0%5D=y",
		"brackets": "a%5B%5D=1&a%5B%5D=x&o%5Bl%5D%5B%5D=y", "repeat": "a=1&a=x&o%5Bl%5D=y",
	} {
		server := recording(t, nil)
		s := sessionWith(server.URL, Method{Kind: connection.None}, nil)
		for _, body := range []*Body{{Encoding: "form", Lists: lists}, {Encoding: "form", Lists: lists, Template: map[string]any{"a": "{a}", "o": "{o}"}}} {
			if err := s.callMade(t, made(Request{Method: "POST", Body: body}), `{"a":[1,"x"],"o":{"l":["y"]}}`); err != nil {
				t.Fatal(err)
			}
		}
		if server.bodies[0] != want || server.bodies[1] != want {
			t.Errorf("%s: %v", lists, server.bodies)
		}
	}
}

// What an action computes is for its body, query and headers; a line break in it
// ends nothing.
func TestActionCompute(t *testing.T) {
	server := recording(t, nil)
	s := sessionWith(server.URL, Method{Kind: connection.None}, nil)
	s.Values["tenant"] = "t1"
	a := made(Request{Method: "POST", Path: "/x", Query: map[string]Text{"q": "{encoded}"}, Headers: map[string]Text{"X-Sum": "{sum}", "X-None": "{none}"},
		Body: &Body{Template: map[string]any{"message": map[string]any{"raw": "{encoded}"}, "count": "{count}"}}})
	a.Compute = []Computed{{"encoded", `base64url("To: " + to + "\r\n\r\n" + tenant)`}, {"sum", `hex(md5(encoded))`}, {"none", `missing`}, {"count", `string(size(parse_json(list)))`}}
	if err := s.callMade(t, a, `{"to":"ann","list":[1,2]}`); err != nil {
		t.Fatal(err)
	}
	asked := server.asked[0]
	if asked.URL.Query().Get("q") != "VG86IGFubg0KDQp0MQ" || len(asked.Header.Get("X-Sum")) != 32 || asked.Header.Values("X-None") != nil ||
		server.bodies[0] != `{"count":"2","message":{"raw":"VG86IGFubg0KDQp0MQ"}}` {
		t.Errorf("%s %v %s", asked.URL, asked.Header, server.bodies[0])
	}
	a.Compute = []Computed{{"sum", `to + "\r\nX-Admin: 1"`}}
	a.Request.Body = nil
	if problem := problemOf(t, s.callMade(t, a, `{"to":"CANARY"}`)); problem.Type != connection.ErrInvalidArguments || len(server.asked) != 1 {
		t.Errorf("%+v", problem)
	}
	a.Compute = []Computed{{"sum", `to.split("-")[3]`}}
	if problem := problemOf(t, s.callMade(t, a, `{"to":"CANARY"}`)); problem.Type != connection.ErrInvalidArguments || problem.Field != "$.sum" || strings.Contains(problem.Error(), "CANARY") {
		t.Errorf("%+v", problem)
	}
	if asked.Header.Get("X-Admin") != "" || asked.Method != http.MethodPost {
		t.Error(asked.Header)
	}
}
