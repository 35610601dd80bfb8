package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// failure is an error as --output json writes it.
type failure struct {
	Error struct {
		Type     string `json:"type"`
		Message  string `json:"message"`
		Field    string `json:"field,omitempty"`
		Remedy   string `json:"remedy,omitempty"`
		ExitCode int    `json:"exit_code"`
	} `json:"error"`
}

// usage makes a problem of what the flag parser says before any command runs.
func (p *program) usage(err error) error {
	if _, ok := connection.AsProblem(err); ok || p.running {
		return err
	}
	return connection.InvalidInput("", err.Error(), "see: connected-apps --help")
}

// fail writes an error for people or for programs and answers the exit code.
func (p *program) fail(err error) int {
	problem := problemOf(err)
	code := exitOf(problem.Type)
	message := problem.Message
	if problem.Field != "" {
		message = problem.Field + ": " + message
	}
	if p.output == "json" {
		var f failure
		f.Error.Type, f.Error.Message, f.Error.Field, f.Error.Remedy, f.Error.ExitCode = problem.Type, problem.Message, problem.Field, problem.Remedy, code
		text, _ := json.Marshal(f) // strings and a number: it cannot fail
		fmt.Fprintln(p.errOut, string(text))
		return code
	}
	fmt.Fprintln(p.errOut, "error: "+clean(message))
	if problem.Remedy != "" {
		fmt.Fprintln(p.errOut, "what to do: "+clean(problem.Remedy))
	}
	return code
}

// problemOf finds the problem in an error; what is none is a defect of ours, or of a definition.
func problemOf(err error) *connection.Problem {
	if problem, ok := connection.AsProblem(err); ok {
		return problem
	}
	var definition *connectors.DefinitionError
	if errors.As(err, &definition) {
		return connection.InvalidInput("", err.Error(), "correct the definition; check it with: connected-apps apps validate DIR")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return connection.TemporalUnavailable("there was no answer in time")
	}
	return connection.Refused(connection.ErrInternal, connection.Bound(err.Error(), 300), "this should not happen; please report it")
}

// interrupted says, after Ctrl-C, what became of what was started.
func (p *program) interrupted(err error) int {
	var left *leftOpen
	if errors.As(err, &left) {
		fmt.Fprintln(p.errOut)
		fmt.Fprintln(p.errOut, left.say())
		return exitInterrupted
	}
	fmt.Fprintln(p.errOut, "interrupted: what was started goes on by itself")
	return exitInterrupted
}
