package connectors

import (
	"maps"
	"strings"
	"testing"

	"connectedapps/connection"
)

func TestTextInputs(t *testing.T) {
	text := Input{Name: "key", Secret: true, Type: "text"}
	line := Input{Name: "key", Secret: true}
	for _, test := range []struct {
		input       Input
		given, want string
		refused     bool
	}{
		{input: text, given: " -----BEGIN KEY-----\r\nabc\rdef\n-----END KEY-----\r\n", want: "-----BEGIN KEY-----\nabc\ndef\n-----END KEY-----"},
		{input: text, given: "one line", want: "one line"},
		{input: text, given: "a\x00b", refused: true},
		{input: text, given: "a\tb", refused: true},
		{input: text, given: "a\x1b[2Jb", refused: true},
		{input: text, given: strings.Repeat("x", maxSecret+1), refused: true},
		{input: line, given: "a\nb", refused: true},
		{input: line, given: "a\r\nb", refused: true},
	} {
		_, got, err := CheckInputs([]Input{test.input}, nil, map[string]connection.Secret{"key": connection.NewSecret(test.given)})
		if test.refused {
			if problem := problemOf(t, err); problem.Type != connection.ErrInvalidInput || problem.Field != "key" {
				t.Errorf("%.20q: %+v", test.given, problem)
			}
		} else if err != nil || got["key"].Reveal() != test.want {
			t.Errorf("%q: %q %v", test.given, got["key"].Reveal(), err)
		}
	}
	values, _, err := CheckInputs([]Input{{Name: "note", Type: "text"}}, map[string]string{"note": "a\r\nb"}, nil)
	if err != nil || values["note"] != "a\nb" {
		t.Errorf("%q %v", values, err)
	}
}

func TestOnceInputs(t *testing.T) {
	inputs := []Input{{Name: "host"}, {Name: "code", Secret: true, Once: true}, {Name: "day", Once: true}}
	if got := OnceNames(inputs); !maps.Equal(got, map[string]bool{"code": true, "day": true}) {
		t.Errorf("%v", got)
	}
	values, secrets, err := CheckInputs(inputs, map[string]string{"host": "h", "day": "d"}, map[string]connection.Secret{"code": connection.NewSecret("c")})
	if err != nil || values["day"] != "d" || secrets["code"].Reveal() != "c" {
		t.Errorf("%v %v", values, err)
	}
}
