package api

import (
	"context"
	"net/http"

	"connectedapps/gateway/access"
)

// Me is whoever asks.
type Me struct {
	Subject string            `json:"subject" example:"token/platform" doc:"Identifies them in logs."`
	Name    string            `json:"name,omitempty" doc:"How people know them."`
	Roles   map[string]string `json:"roles" example:"{\"development\": \"operator\"}" doc:"Their role by environment: viewer, operator or admin, each of which includes those before it."`
	Unknown []string          `json:"unknown,omitempty" example:"[\"production\"]" doc:"Environments whose Vault cannot say just now which role you have there: ask again in a moment."`
}

// EnvironmentItem is an environment in a list.
type EnvironmentItem struct {
	Name string `json:"name" example:"development" doc:"The environment's name: the first part of a connection's ID."`
	Role string `json:"role" example:"operator" doc:"Your role there."`
}

type nothing struct{}

type meAnswer struct{ Body Me }

// EnvironmentList is the environments that may be seen.
type EnvironmentList struct {
	Items   []EnvironmentItem `json:"items" doc:"The environments, in the order in which people are shown them."`
	Unknown []string          `json:"unknown,omitempty" example:"[\"production\"]" doc:"Environments whose Vault cannot say just now which role you have there: ask again in a moment."`
}

type environmentsAnswer struct{ Body EnvironmentList }

func (a *api) registerPeople() {
	register(a, operation{id: "show-me", method: http.MethodGet, path: "/me", tag: "People", summary: "Show who you are",
		description: "Answers whom your token or session belongs to and what they may do. Nothing but a good token is needed."},
		func(ctx context.Context, _ *nothing) (*meAnswer, error) {
			person := access.Of(ctx)
			out := Me{Subject: person.Subject, Name: person.Name, Roles: map[string]string{}, Unknown: person.Away}
			for _, e := range a.visible(person, access.Viewer) {
				out.Roles[e.Name] = string(person.Roles[e.Name])
			}
			return &meAnswer{out}, nil
		})
	register(a, operation{id: "list-environments", method: http.MethodGet, path: "/environments", tag: "People", summary: "List environments",
		description: "Lists the environments in which you have a role. Others are as if they did not exist."},
		func(ctx context.Context, _ *nothing) (*environmentsAnswer, error) {
			person := access.Of(ctx)
			out := EnvironmentList{Items: []EnvironmentItem{}, Unknown: person.Away}
			for _, e := range a.visible(person, access.Viewer) {
				out.Items = append(out.Items, EnvironmentItem{e.Name, string(person.Roles[e.Name])})
			}
			return &environmentsAnswer{out}, nil
		})
}
