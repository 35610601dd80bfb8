package main

import (
	"context"
	"errors"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

// shownReport is everything that is known of a connection.
type shownReport struct {
	workflows.Description
	App         string `json:"app"`
	AppName     string `json:"app_name,omitempty"`
	Environment string `json:"environment"`
	// WhatToDo is what a person can do about its status; "" while nothing is to be done.
	WhatToDo string `json:"what_to_do,omitempty"`
	// MethodTitle is the method as the app's definition names it.
	MethodTitle string `json:"method_title,omitempty"`
	PolicyWords string `json:"policy_words"`
	WorkflowID  string `json:"workflow_id"`
	// exact reports whether Vault was asked for the facts.
	exact bool
}

func (p *program) connectionsShowCommand() *cobra.Command {
	var timeline bool
	c := p.entityCommand("show ID", "Show everything that is known of a connection, without its secrets",
		`  connected-apps connections show development/sandbox/my-account
  connected-apps connections show development/sandbox/my-account --timeline`,
		func(ctx context.Context, e *environment, id connection.ID, _ []string) error {
			d, err := p.describe(ctx, e, id)
			if err != nil {
				return err
			}
			report := p.shown(d)
			report.exact = e.Facts != nil
			return p.print(report, func(t *table) {
				showConnection(t, report)
				showTimeline(t, report.Transitions, timeline)
			})
		})
	c.Flags().BoolVar(&timeline, "timeline", false, "show all changes that are kept, up to a hundred, and not only the last ten")
	return c
}

// shown puts a description into the words of the app's definition.
func (p *program) shown(d workflows.Description) shownReport {
	report := shownReport{Description: d, App: d.ID.App(), Environment: d.ID.Environment(), PolicyWords: p.policyWords(d.ID, d.Policy),
		WorkflowID: workflows.ConnectionWorkflowID(d.ID), WhatToDo: d.Look.Remedy}
	if report.WhatToDo == "" && d.Look.Status != connection.Error { // of an error, this is where people look already
		report.WhatToDo = whatToDo(d.ID, d.Look.Status)
	}
	if app, known := p.appOf(d.ID.String()); known {
		report.AppName = app.Name
		if method, err := app.Method(d.Method); err == nil && d.Method != "" {
			report.MethodTitle = method.Title
		}
	}
	return report
}

// describe asks the connection's workflow and, where this caller may, Vault for
// the exact times of last use. Without Vault it says so and does without.
func (p *program) describe(ctx context.Context, e *environment, id connection.ID) (workflows.Description, error) {
	var d workflows.Description
	var missing error
	if e.Facts == nil {
		if missing = p.openVault(e); missing == nil {
			e.Facts = e.vault.Documents()
		}
	}
	err := p.work(ctx, e, "the connection", func(ctx context.Context) error {
		var err error
		d, err = e.Describe(ctx, id)
		return err
	})
	if d.FactsProblem != nil {
		missing, e.Facts = d.FactsProblem, nil
	}
	if missing != nil && err == nil {
		p.note("warning: the exact times of last use, test and refresh are left out: %s", reason(missing))
	}
	return d, err
}

func reason(err error) string {
	var problem *connection.Problem
	if errors.As(err, &problem) {
		return problem.Message
	}
	return "Vault does not answer"
}
