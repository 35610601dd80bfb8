package activities

import (
	"testing"

	"connectedapps/connection"
)

func TestWhatASessionMayFix(t *testing.T) {
	catalogue, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		in   ConnectRequest
		kind string
	}{
		"nothing":                    {ConnectRequest{}, ""},
		"a client is chosen later":   {ConnectRequest{Method: "oauth"}, ""},
		"a value is given later":     {ConnectRequest{Method: "basic"}, ""},
		"a method by its kind":       {ConnectRequest{Method: "oauth2-code", AuthConfig: "demo"}, ""},
		"an action":                  {ConnectRequest{Actions: []string{"list-contacts"}}, ""},
		"a value of every method":    {ConnectRequest{Values: map[string]string{"base_url": "http://127.0.0.1:1"}}, ""},
		"a value of one method":      {ConnectRequest{Values: map[string]string{"username": "ada"}}, ""},
		"no such method":             {ConnectRequest{Method: "smoke-signals"}, connection.ErrAuthKindNotOffered},
		"no such app":                {ConnectRequest{Connection: "development/nothing/test"}, connection.ErrUnknownApp},
		"no such action":             {ConnectRequest{Actions: []string{"fly"}}, connection.ErrUnknownAction},
		"no such access":             {ConnectRequest{Access: "all"}, connection.ErrInvalidInput},
		"actions beside an access":   {ConnectRequest{Access: "read", Actions: []string{"list-contacts"}}, connection.ErrInvalidInput},
		"no such value":              {ConnectRequest{Values: map[string]string{"colour": "red"}}, connection.ErrInvalidInput},
		"not one of the method":      {ConnectRequest{Method: "api-key", Values: map[string]string{"username": "ada"}}, connection.ErrInvalidInput},
		"a malformed value":          {ConnectRequest{Values: map[string]string{"base_url": "over there"}}, connection.ErrInvalidInput},
		"a secret":                   {ConnectRequest{Method: "api-key", Values: map[string]string{"api_key": "CANARY"}}, connection.ErrInvalidInput},
		"a secret of some method":    {ConnectRequest{Values: map[string]string{"password": "CANARY"}}, connection.ErrInvalidInput},
		"a name that cannot be":      {ConnectRequest{AuthConfig: "../demo"}, connection.ErrInvalidInput},
		"a toolkit that cannot be":   {ConnectRequest{Toolkit: "My Toolkit"}, connection.ErrInvalidInput},
		"a connection that is no ID": {ConnectRequest{Connection: "test"}, connection.ErrInvalidInput},
	} {
		t.Run(name, func(t *testing.T) {
			if test.in.Connection == "" {
				test.in.Connection = testID
			}
			method, err := CheckPart(catalogue, test.in)
			if connection.TypeOf(err) != test.kind || err == nil && (method == nil) != (test.in.Method == "") {
				t.Errorf("%v %v", method, err)
			}
			if err != nil {
				secretFree(t, err.Error())
			}
		})
	}
}
