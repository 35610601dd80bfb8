package console

import (
	"context"
	"net/http"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

func (c *Console) sinkRoutes() {
	const sink = "/alerts/sinks/{environment}/{name}"
	c.read("/alerts/sinks", c.showSinks)
	c.write("/alerts/sinks/{environment}", c.createSink)
	c.write(sink+"/rotate", c.rotateSink)
	c.write(sink+"/test", c.testSink)
	c.write(sink+"/delete", c.deleteSink)
}

// sinksPage is where the alerts of each environment are delivered.
type sinksPage struct {
	Environments []sinksOf
	// Made is a sink that has just got a key, which this page alone shows.
	Made *madeSink
	// Tested is what came of a test message; nil where none was sent.
	Tested *outcome
	// Typed is what was typed into the form that did not pass.
	Typed workflows.CreateSink
}

// sinksOf are the sinks of one environment.
type sinksOf struct {
	Name     string
	Sinks    []workflows.SinkState
	MayAdmin bool
	Problem  *connection.Problem
}

// madeSink is a sink with its new signing key.
type madeSink struct {
	Environment, Name string
	// Key is shown this once: the receiver must have it.
	Key string
}

func (c *Console) showSinks(w http.ResponseWriter, r *http.Request) error {
	return c.sinksPage(w, r, sinksPage{}, nil)
}

// sinksPage shows the sinks around what was just done with one; problem is nil where that worked.
func (c *Console) sinksPage(w http.ResponseWriter, r *http.Request, page sinksPage, problem *connection.Problem) error {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	answers := everywhere(c, r, func(e backend.Environment) ([]workflows.SinkState, error) { return e.Client.Sinks(ctx) })
	for _, answer := range answers {
		page.Environments = append(page.Environments, sinksOf{Name: answer.Environment.Name, Sinks: answer.Answer, Problem: answer.Problem,
			MayAdmin: access.Of(r.Context()).May(answer.Environment.Name, access.Admin)})
	}
	return c.showWith(w, r, "sinks.html", "alerts", "Where alerts are delivered", page, problem)
}

// sinkNamed is a sink of an environment; ErrSinkNotFound where there is none.
func sinkNamed(ctx context.Context, e backend.Environment, name string) (workflows.SinkState, error) {
	sinks, err := e.Client.Sinks(ctx)
	if err != nil {
		return workflows.SinkState{}, err
	}
	for _, sink := range sinks {
		if sink.Name == name {
			return sink, nil
		}
	}
	return workflows.SinkState{}, activities.NoSink(connection.Bound(name, 63))
}
