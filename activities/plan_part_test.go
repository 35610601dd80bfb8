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

// Whoever chooses an auth config by themselves brings what is their own: what the
// organisation shares, and a client that acts for itself, is theirs to fix.
func TestAChosenAuthConfigLendsNoAccess(t *testing.T) {
	w := newWorld(t, "strict")
	w.vault.configs["sandbox/everybody"] = configEntry{connection.AuthConfig{Method: "api-key",
		Fields: map[string]connection.Secret{"api_key": connection.NewSecret("good-key")}}, 1}
	for _, test := range []struct {
		method, config string
		lent           bool
	}{
		{"api-key", "everybody", true}, {"basic", "everybody", true}, {"login", "everybody", true},
		{"client-credentials", "service", true}, {"private-key-jwt", "service", true},
		{"oauth", testConfig, false}, {"oauth1", "app", false}, {"device", "app", false}, {"password", "app", false},
	} {
		in := ConnectRequest{Connection: testID, Method: test.method, AuthConfig: test.config, AuthConfigChosen: true, Values: map[string]string{}}
		_, err := w.process().validateConnect(background, in)
		problem, _ := connection.AsProblem(err)
		if refused := problem != nil && problem.Message == notLent().Message; refused != test.lent ||
			refused && (problem.Type != connection.ErrInvalidInput || problem.Field != "auth_config" || problem.Retryable) {
			t.Errorf("%s: %v", test.method, err)
		}
		if in.AuthConfigChosen = false; test.config == "everybody" && test.method == "api-key" {
			if plan, err := w.process().validateConnect(background, in); err != nil || plan.Flow != FlowAutomatic {
				t.Errorf("what was offered: %+v, %v", plan, err)
			}
		}
	}
}
