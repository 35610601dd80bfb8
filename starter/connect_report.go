package main

import (
	"strings"

	"connectedapps/workflows"
)

// printConnected ends a connect with what it made: the toolkit.
func (p *program) printConnected(progress workflows.Progress) error {
	result := progress.Result
	if result == nil {
		result = &workflows.ConnectResult{Connection: progress.Connection}
	}
	rows := p.actionsOf(result.Connection, result.Toolkit)
	return p.print(result, func(t *table) {
		t.row("CONNECTION", result.Connection.String())
		t.row("STATUS", string(result.Status))
		t.fact("ACCOUNT", account(result.Identity))
		if progress.Test != nil && progress.Test.Untestable {
			t.row("TESTED", "no: the app offers nothing to test with")
		}
		if progress.Stored != nil {
			t.fact("NOT GRANTED", strings.Join(progress.Stored.Missing, " "))
		}
		t.fact("NOT COVERED", strings.Join(result.Uncovered, " "))
		if result.Toolkit.Name == "" { // a reconnect keeps the toolkits there are
			return
		}
		t.row("TOOLKIT", result.Toolkit.Name)
		t.gap()
		showActions(t, rows)
	})
}
