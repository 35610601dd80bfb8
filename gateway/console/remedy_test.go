package console

import (
	"net/http"
	"testing"

	"connectedapps/connection"
	"connectedapps/workflows"
)

func TestRemediesNameNoCommands(t *testing.T) {
	const id = connection.ID("development/atlas/maps")
	for remedy, want := range map[string]string{
		"":                                        "",
		"reload the page":                         "reload the page",
		connection.NotFound(id).Remedy:            "connect the app first",
		connection.AuthenticateAgain(id):          "a person must authenticate again",
		connection.PausedByPerson(id).Remedy:      "resume it first",
		"see: connected-apps alerts sinks list":   "",
		"take one of: connected-apps alerts list": "",
		"connect the app again once it is gone: connected-apps connect a/b/c":                                                                "connect the app again once it is gone",
		"finish connecting it, or cancel that: connected-apps connect a/b/c --cancel":                                                        "finish connecting it, or cancel that",
		"create one with: connected-apps auth-configs create a/b/NAME":                                                                       "create one",
		"list what there is with: connected-apps connections list":                                                                           "list what there is",
		"make a new one with: connected-apps console":                                                                                        "make a new one",
		"choose another one, or take it back into use with: connected-apps auth-configs retire a/b/c --undo":                                 "choose another one",
		"choose another name, or give it a new key or URL: connected-apps alerts sinks rotate a":                                             "choose another name, or give it a new key or URL",
		"give the other client an auth config of its own (connected-apps auth-configs create), then: connected-apps reconnect --auth-config": "give the other client an auth config of its own",
		"reconnect them with another auth config, or disconnect them; connected-apps auth-configs retire keeps others from joining":          "reconnect them with another auth config, or disconnect them",
		"send one that was not revoked; an administrator makes one with: connected-apps access create":                                       "send one that was not revoked; an administrator makes one",
		"try again in a moment, or sign in with a one-time link: connected-apps console":                                                     "try again in a moment, or sign in with a one-time link",
		connection.IdentityChanged(id, connection.Identity{Label: "a"}, connection.Identity{Label: "b"}).Remedy:                              "authenticate as the account that the connection has",
		connection.TenantChanged(id, connection.Identity{}, connection.Identity{}).Remedy:                                                    "choose the organisation that the connection has",
	} {
		if got := forPage(remedy); got != want {
			t.Errorf("%q becomes %q, want %q", remedy, got, want)
		}
	}
	b := newConnectBench(t).at(workflows.PhaseTestFailed, "key")
	b.progress.Problem = connection.PausedByPerson(id)
	b.get(connectAt).want(t, http.StatusOK, "Resume it first.").without(t, "connected-apps ")
	b.get("/connections/development/atlas/none/reconnect").want(t, http.StatusNotFound, "Connect the app first.").without(t, "connected-apps ")
}
