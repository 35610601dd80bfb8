package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors"

	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// TestEveryErrorTypeHasAnExitCode reads the error types from their source, so that a new one is noticed.
func TestEveryErrorTypeHasAnExitCode(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../connection/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]int{}
	for _, exit := range exits {
		for _, kind := range exit.types {
			listed[kind]++
		}
	}
	found := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Err") || len(spec.Values) == 0 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		kind, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		if listed[kind] != 1 {
			t.Errorf("%s is listed %d times in the table of exit codes, want once", kind, listed[kind])
		}
		return true
	})
	if found < 25 {
		t.Errorf("only %d error types were found: the check sees too little", found)
	}
}

func TestFail(t *testing.T) {
	cases := map[string]struct {
		err  error
		code int
		text string
	}{
		"with field and remedy": {connection.InvalidInput("name", "it is missing", "give one"), 2, "error: name: it is missing\nwhat to do: give one\n"},
		"conflict":              {connection.Refused(connection.ErrConnectionIDTaken, "taken", ""), 7, "error: taken\n"},
		"foreign text":          {connection.Refused(connection.ErrRejectedInput, "no\n\x1b[31mred\u202e", ""), 4, "error: no [31mred\n"},
		"defect":                {errors.New("boom"), 1, "error: boom\nwhat to do: this should not happen; please report it\n"},
		"across temporal":       {connection.VaultUnavailable("sealed").Temporal(), 6, "error: sealed\n"},
	}
	for name, c := range cases {
		var out bytes.Buffer
		p := &program{errOut: &out}
		if code := p.fail(c.err); code != c.code || !strings.HasPrefix(out.String(), c.text) {
			t.Errorf("%s: %d %q", name, code, out.String())
		}
	}
}

func TestArguments(t *testing.T) {
	s := schemaOf(json.RawMessage(`{"type":"object","properties":{
		"n":{"type":"integer"},"f":{"type":"number"},"b":{"type":"boolean"},"s":{"type":"string"},"o":{"type":"object"},
		"l":{"type":"array","items":{"type":"integer"}},"t":{"type":"array","items":{"type":"string"}},
		"maybe":{"type":["integer","null"]},"text":{"type":["string","null"]},"any":{},"un":{"oneOf":[]}}}`))
	cases := []struct {
		object string
		words  []string
		want   string // "" is refused
	}{
		{"", nil, `{}`},
		{"", []string{"n=5", "f=-1.50", "b=true"}, `{"b":true,"f":-1.50,"n":5}`},
		{"", []string{"n=12345678901234567890"}, `{"n":12345678901234567890}`},
		{"", []string{"s=5"}, `{"s":"5"}`},
		{"", []string{"s=true"}, `{"s":"true"}`},
		{"", []string{"s=a=b"}, `{"s":"a=b"}`},
		{"", []string{"s="}, `{"s":""}`},
		{"", []string{`o={"a":1}`}, `{"o":{"a":1}}`},
		{"", []string{"l=[1,2]"}, `{"l":[1,2]}`},
		{"", []string{"l=1", "l=2"}, `{"l":[1,2]}`},
		{"", []string{"t=1", "t=x"}, `{"t":["1","x"]}`},
		{"", []string{"maybe=null"}, `{"maybe":null}`},
		{"", []string{"text=null"}, `{"text":null}`},
		{"", []string{"any=3"}, `{"any":3}`},
		{"", []string{"any=three"}, `{"any":"three"}`},
		{"", []string{"un=[1]"}, `{"un":[1]}`},
		{"", []string{"unknown=word"}, `{"unknown":"word"}`},
		{`{"n":1,"s":"x"}`, []string{"n=2"}, `{"n":2,"s":"x"}`},
		{"", []string{"n=five"}, ""},
		{"", []string{"b=yes"}, ""},
		{"", []string{"o=[1]"}, ""},
		{"", []string{"l=x"}, ""},
		{"", []string{"n"}, ""},
		{"", []string{"=1"}, ""},
		{`[1]`, nil, ""},
		{`null`, nil, ""},
		{`{"n":`, nil, ""},
	}
	for _, c := range cases {
		got, err := arguments(s, []byte(c.object), c.words)
		if (err == nil) != (c.want != "") || err == nil && string(got) != c.want {
			t.Errorf("%s %q: got %s, %v; want %s", c.object, c.words, got, err, c.want)
		}
		if err != nil && exitOf(connection.TypeOf(err)) != exitUsage {
			t.Errorf("%s %q: type %s", c.object, c.words, connection.TypeOf(err))
		}
	}
}

func TestParseSecrets(t *testing.T) {
	one := []connectors.Input{{Name: "token", Secret: true}}
	two := append([]connectors.Input{{Name: "id", Secret: true}}, one...)
	cases := []struct {
		wanted []connectors.Input
		raw    string
		want   map[string]string // nil is refused
	}{
		{one, "abc\n", map[string]string{"token": "abc"}},
		{one, " abc \r\n", map[string]string{"token": " abc "}},
		{one, `{"token":"abc"}`, map[string]string{"token": "abc"}},
		{one, `{"type":"service_account"}` + "\n", map[string]string{"token": `{"type":"service_account"}`}},
		{one, `{"token":"abc","other":"x"}`, nil},
		{two, `{"id":"a","token":"b"}`, map[string]string{"id": "a", "token": "b"}},
		{two, `{"id":"a"} {"token":"b"}`, nil},
		{two, `{"id":1}`, nil},
		{two, "abc", nil},
		{two, "null", nil},
	}
	for _, c := range cases {
		got, err := parseSecrets(c.wanted, []byte(c.raw))
		if (err == nil) != (c.want != nil) || len(got) != len(c.want) {
			t.Errorf("%q: %d secrets, %v", c.raw, len(got), err)
			continue
		}
		for name, want := range c.want {
			if got[name].Reveal() != want {
				t.Errorf("%q: %s is another", c.raw, name)
			}
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for d, want := range map[time.Duration]string{0: "just now", 61 * time.Second: "1 minute ago", 3 * time.Hour: "3 hours ago",
		72 * time.Hour: "3 days ago", -30 * time.Second: "in 30 seconds", -2 * time.Hour: "in 2 hours"} {
		if got := ago(now.Add(-d), now); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	if ago(time.Time{}, now) != "" {
		t.Error("never is empty")
	}
}

func TestPollsForgetsWorkersThatLeft(t *testing.T) {
	now := time.Now()
	queue := func(ages ...time.Duration) *workflowservice.DescribeTaskQueueResponse {
		answer := &workflowservice.DescribeTaskQueueResponse{}
		for _, age := range ages {
			answer.Pollers = append(answer.Pollers, &taskqueuepb.PollerInfo{LastAccessTime: timestamppb.New(now.Add(-age))})
		}
		return answer
	}
	if polls(queue(), now) || polls(queue(2*time.Minute), now) || !polls(queue(2*time.Minute, time.Minute), now) {
		t.Error("a worker is there if it polled within the life of a long poll, and only then")
	}
}
