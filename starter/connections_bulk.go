package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

// previewMost is how many connections are shown to whoever is asked to confirm.
const previewMost = 20

// bulkFlags are what connections disconnect is told.
type bulkFlags struct {
	reason, owner, app, status string
	dryRun, yes                bool
}

// check reports flags that do not go together. An owner that is empty, as a script's
// variable may be, must not mean everybody's connections.
func (f bulkFlags) check(c *cobra.Command, args []string) error {
	changed := c.Flags().Changed
	_, err := parseStatus(f.status)
	switch {
	case len(args) == 0 && !changed("owner"):
		return connection.InvalidInput("ID", "the argument is missing", "name a connection, or give --owner for all of an owner's")
	case len(args) > 0 && changed("owner"):
		return connection.InvalidInput("owner", "there is a connection ID too", "give one of the two")
	case changed("owner") && strings.TrimSpace(f.owner) == "":
		return connection.InvalidInput("owner", "it is empty", "name whose connections are to be disconnected")
	case len(args) > 0 && (changed("app") || changed("status") || changed("dry-run") || changed("yes")):
		return connection.InvalidInput("", "--app, --status, --dry-run and --yes go with --owner", "leave them out: the ID says which connection")
	case f.dryRun && f.yes:
		return connection.InvalidInput("dry-run", "there is --yes too", "give one of the two")
	}
	return err
}

// bulkReport is what became of the connections of an owner.
type bulkReport struct {
	Owner string `json:"owner"`
	Count int    `json:"count"`
	// DryRun is set when nothing was changed; Connections are then what would go.
	DryRun      bool            `json:"dry_run,omitempty"`
	Connections []connectionRow `json:"connections,omitzero"`
	// Counts are the results by revocation, with "failed" for those that are still there.
	Counts  map[string]int           `json:"counts,omitempty"`
	Results []workflows.Disconnected `json:"results,omitempty"`
	// LeftOut names environments that did not answer.
	LeftOut []string `json:"left_out,omitempty"`
}

// failedCount counts, in a report, those that are still connected.
const failedCount = "failed"

func (p *program) disconnectAll(c *cobra.Command, f bulkFlags) error {
	if !f.yes && !f.dryRun && !p.interactive() {
		return connection.InvalidInput("yes", "nobody is here to confirm that all connections of "+connection.Bound(f.owner, 60)+" are disconnected",
			"look at them with --dry-run, then repeat with --yes")
	}
	environments, err := p.chosen(c)
	if err != nil {
		return err
	}
	filter := workflows.Filter{Owner: f.owner, App: f.app, Status: connection.Status(f.status)}
	all, err := p.listAll(c.Context(), environments, filter, f.dryRun)
	if err != nil {
		return err
	}
	slices.SortFunc(all.rows, orders["app"])
	report := bulkReport{Owner: f.owner, Count: len(all.rows), LeftOut: all.left, DryRun: f.dryRun}
	if f.dryRun {
		report.Connections = all.rows
		return p.print(report, func(t *table) { preview(t, f.owner, all.rows) })
	}
	if !f.yes && len(all.rows) > 0 {
		t := &table{w: tabwriter.NewWriter(p.errOut, 0, 4, 2, ' ', 0)}
		preview(t, f.owner, all.rows)
		if err := t.w.Flush(); err != nil {
			return err
		}
		sure, err := p.confirm(c.Context(), "Disconnect "+plural(len(all.rows), "connection")+"? Credentials are destroyed, and this cannot be undone", false)
		if err != nil || !sure {
			p.note("Nothing was disconnected.")
			return err
		}
	}
	report.Results, err = p.disconnectEach(c.Context(), all.rows, f.reason)
	if err != nil {
		return err
	}
	report.Counts = tally(report.Results)
	if err := p.print(report, func(t *table) { showBulk(t, report) }); err != nil {
		return err
	}
	return report.problem()
}

func preview(t *table, owner string, rows []connectionRow) {
	t.row(plural(len(rows), "connection") + " of " + owner + " would be disconnected.")
	if len(rows) == 0 {
		return
	}
	t.gap()
	showConnections(t, rows[:min(len(rows), previewMost)], false, time.Now())
	if more := len(rows) - previewMost; more > 0 {
		t.row(fmt.Sprintf("and %d more", more))
	}
}

// disconnectEach disconnects one environment's connections after the other's.
func (p *program) disconnectEach(ctx context.Context, rows []connectionRow, reason string) ([]workflows.Disconnected, error) {
	ids := map[string][]connection.ID{}
	for _, row := range rows {
		ids[row.Environment] = append(ids[row.Environment], row.ID)
	}
	var results []workflows.Disconnected
	for _, name := range sortedKeys(ids) {
		some, err := p.disconnectIn(ctx, name, ids[name], reason)
		results = append(results, some...)
		if ctx.Err() != nil {
			p.note("%d of %s are disconnected; the same command again goes on", len(results), plural(len(rows), "connection"))
			return nil, ctx.Err()
		}
		results = append(results, unheard(ids[name], some, err)...)
	}
	slices.SortFunc(results, func(a, b workflows.Disconnected) int {
		return strings.Compare(a.Connection.String(), b.Connection.String())
	})
	return results, nil
}

func (p *program) disconnectIn(ctx context.Context, name string, ids []connection.ID, why string) ([]workflows.Disconnected, error) {
	e, err := p.prepare(name)
	if err != nil {
		return nil, err
	}
	results := make(chan workflows.Disconnected, len(ids))
	over := make(chan struct{})
	stand := func(context.Context) string { return fmt.Sprintf("%d of %d are done", len(results), len(ids)) }
	err = p.waitSaying(ctx, e, "the connections of "+name, stand, 0, func(ctx context.Context) error {
		defer close(over)
		return e.DisconnectAll(ctx, ids, why, func(result workflows.Disconnected) { results <- result })
	})
	<-over // who waits no longer, since no worker is there, has ended the context
	close(results)
	var all []workflows.Disconnected
	for result := range results {
		all = append(all, result)
	}
	return all, err
}

// unheard are the connections of which nothing was heard, each with why.
func unheard(ids []connection.ID, heard []workflows.Disconnected, err error) []workflows.Disconnected {
	var all []workflows.Disconnected
	for _, id := range ids {
		if !slices.ContainsFunc(heard, func(result workflows.Disconnected) bool { return result.Connection == id }) {
			all = append(all, workflows.Disconnected{Connection: id, Problem: problemOf(err)})
		}
	}
	return all
}

func tally(results []workflows.Disconnected) map[string]int {
	counts := map[string]int{}
	for _, result := range results {
		if result.Problem != nil {
			counts[failedCount]++
		} else {
			counts[result.Revocation]++
		}
	}
	return counts
}

func showBulk(t *table, report bulkReport) {
	var parts []string
	for _, what := range sortedKeys(report.Counts) {
		parts = append(parts, fmt.Sprintf("%d %s", report.Counts[what], strings.ReplaceAll(what, "-", " ")))
	}
	done := plural(report.Count-report.Counts[failedCount], "connection") + " of " + report.Owner + " disconnected"
	if len(parts) > 0 {
		done += "; the grants: " + strings.Join(parts, ", ")
	}
	t.row(done)
	for _, what := range sortedKeys(report.Counts) {
		t.fact(strings.ReplaceAll(what, "-", " "), disconnected[what])
	}
	for _, result := range report.Results {
		if result.Problem != nil {
			t.row(result.Connection.String(), result.Problem.Message)
		}
	}
}

// problem is why the report is not what was asked for: the first failure's type,
// with how many there are; nil when everything went.
func (r bulkReport) problem() error {
	if failed := r.Counts[failedCount]; failed > 0 {
		i := slices.IndexFunc(r.Results, func(result workflows.Disconnected) bool { return result.Problem != nil })
		return connection.Refused(r.Results[i].Problem.Type, fmt.Sprintf("%d of %s could not be disconnected", failed, plural(r.Count, "connection")),
			or(r.Results[i].Problem.Remedy, "see the reasons, then run the same command again"))
	}
	if len(r.LeftOut) > 0 {
		return connection.TemporalUnavailable("connections of " + strings.Join(r.LeftOut, ", ") + " were not disconnected, since Temporal did not answer there")
	}
	return nil
}
