package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

func TestListShowsWhatIsWrongAndWhatToDo(t *testing.T) {
	houses := twoHouses(t)
	code, out, errOut := runIn(t, houses, used{"development/sandbox/b": time.Now().Add(-3 * time.Minute)}, "connections", "list")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || errOut != "" || len(lines) != 4 {
		t.Fatalf("%d\n%s%s", code, out, errOut)
	}
	for i, want := range [][]string{
		{"APP", "NAME", "ENVIRONMENT", "STATUS", "LAST USED", "WHAT TO DO"},
		{"github", "Cat[31m", "staging", "Error", "never", "connections show staging/github/c"},
		{"sandbox", "Ant", "development", "Expired", "never", "reconnect development/sandbox/a"},
		{"sandbox", "Bee", "development", "Active", "UTC (3 minutes ago)"},
	} {
		at := 0
		for _, part := range want {
			j := strings.Index(lines[i][at:], part)
			if j < 0 {
				t.Fatalf("no %q in order in %q", part, lines[i])
			}
			at += j
		}
	}
	_, out, _ = runIn(t, houses, used{}, "connections", "list", "--wide", "--sort", "expires")
	if !strings.Contains(out, "ACCESS ENDS") || !strings.Contains(out, "(in 3 days)") || strings.Index(out, "staging/github/c") > strings.Index(out, "development/sandbox/a") {
		t.Error(out)
	}
}

func TestListWithoutVaultSaysSo(t *testing.T) {
	code, out, errOut := runIn(t, twoHouses(t), nil, "connections", "list")
	if code != 0 || !strings.Contains(errOut, "LAST USED is exact to the hour: there is no login for Vault") || !strings.Contains(out, "hours ago") {
		t.Errorf("%d\n%s%s", code, out, errOut)
	}
	_, out, errOut = runIn(t, twoHouses(t), nil, "connections", "list", "--output", "json")
	var rows []connectionRow
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 3 || rows[0].LastUsedExact || errOut != "" {
		t.Errorf("%v %s%s", err, out, errOut)
	}
	if rows[0].WhatToDo != "connected-apps connections show staging/github/c" || rows[2].WhatToDo != "" {
		t.Errorf("%v", rows)
	}
}

func TestListOfManyAsksVaultForNone(t *testing.T) {
	h := &house{}
	for i := range exactLimit + 1 {
		h.has(t, fmt.Sprintf("development/sandbox/c%d", i), "ConnectionStatus", "Active")
	}
	_, out, errOut := runIn(t, map[string]*house{"development": h}, used{"development/sandbox/c0": time.Now()}, "connections", "list")
	if !strings.Contains(errOut, "more than 200 connections") || strings.Contains(out, "just now") {
		t.Error(errOut)
	}
}

func TestListNamesAnEnvironmentThatIsAway(t *testing.T) {
	houses := twoHouses(t)
	houses["staging"].away = true
	code, out, errOut := runIn(t, houses, used{}, "connections", "list")
	if code != 0 || !strings.Contains(errOut, "warning: the environment staging is left out") || strings.Contains(out, "github") {
		t.Errorf("%d\n%s%s", code, out, errOut)
	}
	if code, _, _ = runIn(t, houses, used{}, "connections", "list", "--environment", "staging"); code != exitUnavailable {
		t.Errorf("exit code %d", code)
	}
}

func TestListAsksForWhatTheFlagsSay(t *testing.T) {
	houses := twoHouses(t)
	code, _, errOut := runIn(t, houses, used{}, "connections", "list", "--environment", "staging", "--status", "Error", "--name", "Cat", "--account", "x",
		"--toolkit", "reader", "--auth-kind", "api-key", "--auth-config", "demo", "--owner", "ada", "--app", "github", "--expires-before", "2027-01-31")
	if code != 0 || len(houses["staging"].queries) != 1 || len(houses["development"].queries) != 0 {
		t.Fatalf("%d %s", code, errOut)
	}
	for _, want := range []string{"ConnectionStatus = 'Error'", "ConnectionName = 'Cat'", "ConnectionAccount = 'x'", "ConnectionToolkit = 'reader'",
		"ConnectionAuthKind = 'api-key'", "ConnectionAuthConfig = 'demo'", "ConnectionOwner = 'ada'", "ConnectionApp = 'github'", "ConnectionExpires < '2027-01-31T00:00:00Z'"} {
		if !strings.Contains(houses["staging"].queries[0], want) {
			t.Errorf("no %s in %s", want, houses["staging"].queries[0])
		}
	}
}

func TestCounted(t *testing.T) {
	for want, all := range map[string][]connection.Status{
		"no connections":                              nil,
		"1 connection: 1 Paused":                      {connection.Paused},
		"4 connections: 2 Active, 1 Error, 1 Expired": {connection.Expired, connection.Active, connection.Error, connection.Active},
	} {
		var rows []connectionRow
		for _, status := range all {
			rows = append(rows, connectionRow{Status: status})
		}
		if got := counted(rows); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestCompletionAsksForConnections(t *testing.T) {
	houses := twoHouses(t)
	_, out, _ := runIn(t, houses, nil, "__complete", "connections", "show", "development/sandbox/")
	if !strings.Contains(out, "development/sandbox/a\tExpired\n") || !strings.Contains(out, ":4\n") {
		t.Error(out)
	}
	if len(houses["staging"].queries) != 0 || !strings.Contains(houses["development"].queries[0], "STARTS_WITH 'connection/development/sandbox/'") {
		t.Errorf("%v", houses["development"].queries)
	}
	if _, out, _ = runIn(t, houses, nil, "__complete", "toolkits", "show", "development/sandbox/a", ""); !strings.Contains(out, "reader\n") {
		t.Error(out)
	}
	if _, out, _ = runIn(t, houses, nil, "__complete", "actions", "run", "development/sandbox/a", "list-contacts", "--toolkit", ""); !strings.Contains(out, "reader\n") {
		t.Error(out)
	}
	_, out, errOut := runIn(t, houses, nil, "__complete", "connections", "show", "nowhere/sandbox/")
	if strings.Contains(out, "nowhere") || strings.Contains(errOut, "error") {
		t.Errorf("%s%s", out, errOut)
	}
}

func TestShowSaysEverything(t *testing.T) {
	now := time.Now()
	d := workflows.Description{RunID: "run-1", LastLook: "healthy; next look in 6h", NextLook: now.Add(time.Hour + time.Second)}
	d.ID, d.DisplayName, d.Owner, d.Method, d.Kind, d.AuthConfig = "development/sandbox/a", "Ant", "ada", "oauth", connection.OAuth2Code, "demo"
	d.Renewable = true
	d.Look = activities.Look{Status: connection.Error, Reason: "a scope is gone", Remedy: "reconnect with it", Scopes: []string{"read"}, Lost: []string{"write"},
		Identity: connection.Identity{Account: "7", Label: "ada@example.com", Tenant: "Analytical"}, Expires: now.Add(72*time.Hour + time.Minute), Ending: "the refresh token",
		LastUsed: now.Add(-time.Hour), Work: &connection.WorkTrouble{Count: 5, Reason: "503", Since: now}}
	d.Toolkits = []connection.Toolkit{{Name: "reader", Actions: []string{"list-contacts"}}}
	d.Policy = connection.Policy{ProbeEvery: 15 * time.Minute, Expires: now.Add(240*time.Hour + time.Minute)}
	d.Alerts.Open = []workflows.OpenAlert{{Since: now, News: workflows.AlertNews{Kind: connection.AlertScopeLost, Reason: "write is gone"}}}
	d.Reconnect = &workflows.OpenReconnect{Since: now, RequestedBy: "grace"}
	d.Facts = connection.Facts{LastUsed: now.Add(-3*time.Minute - time.Second), LastProbe: now, LastRefresh: now, LastOK: now}
	for i := range 12 {
		d.Transitions = append(d.Transitions, workflows.Transition{At: now, What: fmt.Sprintf("change-%d.", i)})
	}
	var out bytes.Buffer
	p := &program{out: &out, output: "table"}
	report := p.shown(d)
	report.exact = true
	text := func(timeline bool) string {
		out.Reset()
		if err := p.print(report, func(t *table) { showConnection(t, report); showTimeline(t, report.Transitions, timeline) }); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	short := strings.Join(strings.Fields(text(false)), " ")
	for _, want := range []string{"ID development/sandbox/a", "(sandbox)", "NAME Ant", "OWNER ada", "STATUS Error", "REASON a scope is gone", "WHAT TO DO reconnect with it",
		"WORK FAILS 5 attempts", "ALERT scope-lost since", "just now): write is gone", "RECONNECT under way", "asked for by grace", "ACCOUNT ada@example.com (7)", "ORGANISATION Analytical",
		"oauth2-code, renewed by itself", "AUTH CONFIG demo", "SCOPES read", "SCOPES LOST write", "TOOLKIT reader: list-contacts", "looked at every 15m;", "(in 10 days)",
		"(in 3 days): the refresh token", "LAST USED", "(3 minutes ago)", "LAST TEST", "LAST REFRESH", "LAST LOOK healthy", "NEXT LOOK", "(in 1 hour)",
		"WORKFLOW connection/development/sandbox/a, run run-1", "change-11.", "2 before that: --timeline shows them"} {
		if !strings.Contains(short, want) {
			t.Errorf("no %q in\n%s", want, short)
		}
	}
	if strings.Contains(short, "change-1.") || !strings.Contains(text(true), "change-1.") {
		t.Error("only --timeline shows all changes")
	}
	p.output = "json"
	if shown := text(false); !strings.Contains(shown, `"display_name": "Ant"`) || !strings.Contains(shown, `"what_to_do": "reconnect with it"`) || !strings.Contains(shown, `"status": "Error"`) {
		t.Error(shown)
	}
}
