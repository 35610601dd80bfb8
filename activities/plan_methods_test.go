package activities

import (
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
