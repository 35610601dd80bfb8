package activities

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// A plan has the actions that its way to authenticate offers, and no others.
func TestPlanKeepsToTheMethod(t *testing.T) {
	catalogue, err := connectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	id, err := connection.ParseID("dev/discord/ann")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Plan(catalogue, ConnectRequest{Connection: id, Method: "oauth", AuthConfig: "main"})
	if err != nil || !slices.Equal(plan.Actions, []string{"get-user", "list-servers"}) || !slices.Equal(plan.Scopes, []string{"guilds", "identify"}) {
		t.Errorf("%+v %v", plan, err)
	}
	if plan, err := Plan(catalogue, ConnectRequest{Connection: id, Method: "bot", Actions: []string{"send-message"}}); err != nil || len(plan.Actions) != 1 {
		t.Errorf("%+v %v", plan, err)
	}
	_, err = Plan(catalogue, ConnectRequest{Connection: id, Method: "oauth", AuthConfig: "main", Actions: []string{"send-message"}})
	if connection.TypeOf(err) != connection.ErrInvalidInput || !strings.Contains(err.Error(), "send-message") {
		t.Error(err)
	}
}

// What a connection has is no reason to refuse its reconnect: what the app or the
// method does not know any more is left out. What somebody asks for now is refused.
func TestPlanLeavesOutWhatIsGone(t *testing.T) {
	catalogue, err := connectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	const id connection.ID = "dev/discord/ann"
	known, foreign := []string{"get-user", "list-servers"}, "send-message" // of the bot alone
	for name, c := range map[string]struct {
		kept, actions []string
		access        string
		want          []string
		problem       string
	}{
		"all is there":              {kept: known[:1], want: known[:1]},
		"one is gone":               {kept: []string{"get-user", "abolished"}, want: known[:1]},
		"one is of another method":  {kept: []string{"get-user", foreign}, want: known[:1]},
		"an action more":            {kept: []string{"get-user", "abolished"}, actions: known[1:], want: known},
		"all are gone":              {kept: []string{"abolished", foreign}, want: known}, // they change nothing
		"asked for, gone":           {kept: known, actions: []string{"abolished"}, problem: connection.ErrUnknownAction},
		"asked for, another method": {kept: known, actions: []string{foreign}, problem: connection.ErrInvalidInput},
		"the least":                 {kept: []string{"abolished"}, access: connectors.AccessRead, want: known},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := Plan(catalogue, ConnectRequest{Connection: id, Method: "oauth", AuthConfig: "main", Access: c.access, Actions: c.actions,
				Kept: Kept{Actions: c.kept}})
			if connection.TypeOf(err) != c.problem || err == nil && !slices.Equal(plan.Actions, c.want) {
				t.Errorf("%+v, %v", plan, err)
			}
		})
	}
}

func TestPlanKeepsTheValuesThatTheMethodAsksFor(t *testing.T) {
	catalogue, err := connectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	request := ConnectRequest{Connection: "dev/sandbox/ann", Method: "digest",
		Kept:   Kept{Values: map[string]string{"base_url": "http://127.0.0.1:1", "username": "ada", "access_key_id": "of-another-method"}},
		Values: map[string]string{"username": "grace"}}
	plan, err := Plan(catalogue, request)
	if want := map[string]string{"base_url": "http://127.0.0.1:1", "username": "grace"}; err != nil || !maps.Equal(plan.Values, want) {
		t.Errorf("%+v, %v", plan, err)
	}
	request.Values = map[string]string{"access_key_id": "asked for now"}
	if _, err := Plan(catalogue, request); connection.TypeOf(err) != connection.ErrInvalidInput {
		t.Errorf("%v", err)
	}
}

// Where an app lives may have been known to the client registration alone.
func TestAnotherMethodKeepsTheValuesOfTheRegistration(t *testing.T) {
	w := newWorld(t, "strict")
	request := ConnectRequest{Connection: testID, Method: "api-key", Kept: Kept{AuthConfig: testConfig}}
	for name, c := range map[string]struct {
		kept map[string]string
		by   string
		want string
	}{
		"the registration's":     {nil, testConfig, w.provider.URL},
		"not one from before it": {map[string]string{"base_url": "http://127.0.0.1:1"}, testConfig, w.provider.URL},
		"it is there no longer":  {map[string]string{"base_url": "http://127.0.0.1:1"}, "gone", "http://127.0.0.1:1"},
		"there was none of them": {nil, "", "http://127.0.0.1:9070"},
	} {
		request.Kept.Values, request.Kept.AuthConfig = c.kept, c.by
		plan, err := w.process().validateConnect(background, request)
		if err != nil || plan.Values["base_url"] != c.want {
			t.Errorf("%s: %+v, %v", name, plan, err)
		}
	}
}
