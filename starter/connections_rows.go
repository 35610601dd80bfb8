package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// connectionRow is a connection as connections list writes it.
type connectionRow struct {
	App         string              `json:"app"`
	Name        string              `json:"name"`
	ID          connection.ID       `json:"id"`
	Environment string              `json:"environment"`
	Status      connection.Status   `json:"status"`
	Account     string              `json:"account,omitempty"`
	AuthKind    connection.AuthKind `json:"auth_kind,omitempty"`
	AuthConfig  string              `json:"auth_config,omitempty"`
	Owner       string              `json:"owner,omitempty"`
	Toolkits    []string            `json:"toolkits"`
	// LastUsed is exact where LastUsedExact says so, and exact to the hour otherwise; null is never.
	LastUsed      *time.Time `json:"last_used"`
	LastUsedExact bool       `json:"last_used_exact"`
	Expires       *time.Time `json:"expires,omitempty"`
	Created       time.Time  `json:"created"`
	// WhatToDo is the command that a person may go on with; "" while nothing is to be done.
	WhatToDo string `json:"what_to_do,omitempty"`
}

func listed(row workflows.Row, exact bool) connectionRow {
	out := connectionRow{App: row.App, Name: row.Name, ID: row.ID, Environment: row.Environment, Status: row.Status, Account: row.Account,
		AuthKind: row.AuthKind, AuthConfig: row.AuthConfig, Owner: row.Owner, Toolkits: row.Toolkits, Created: row.Created,
		LastUsedExact: exact}
	if out.Toolkits == nil {
		out.Toolkits = []string{}
	}
	if out.Name == "" {
		out.Name = row.ID.Slug()
	}
	if !row.LastUsed.IsZero() {
		out.LastUsed = &row.LastUsed
	}
	if !row.Expires.IsZero() {
		out.Expires = &row.Expires
	}
	if row.Status == connection.Expired || row.Status == connection.Error {
		out.WhatToDo = whatToDo(row.ID, row.Status)
	}
	return out
}

// whatToDo is the command to go on with in a status; "" where nothing is to be done.
func whatToDo(id connection.ID, status connection.Status) string {
	switch status {
	case connection.Expired:
		return commandName + "reconnect " + id.String()
	case connection.Error:
		return commandName + "connections show " + id.String()
	case connection.Paused:
		return commandName + "connections resume " + id.String()
	case connection.Pending:
		return commandName + "connect " + id.String() + " --resume"
	case connection.Active, connection.Leaving:
	}
	return ""
}

// commandName begins every command that a person is told to type.
const commandName = "connected-apps "

// orders are the ways to sort a list, by the value of --sort. What has no time comes last.
var orders = map[string]func(a, b connectionRow) int{
	"app": func(a, b connectionRow) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	},
	"name": func(a, b connectionRow) int { return cmp.Compare(a.Name, b.Name) },
	"status": func(a, b connectionRow) int {
		return cmp.Compare(slices.Index(connection.Statuses(), a.Status), slices.Index(connection.Statuses(), b.Status))
	},
	"last-used": func(a, b connectionRow) int { return byTime(a.LastUsed, b.LastUsed, -1) },
	"expires":   func(a, b connectionRow) int { return byTime(a.Expires, b.Expires, 1) },
	"created":   func(a, b connectionRow) int { return b.Created.Compare(a.Created) },
}

// byTime compares two times, the earlier first with a sign of 1 and the later first
// with -1. What has no time comes after what has one.
func byTime(a, b *time.Time, sign int) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return sign * a.Compare(*b)
}

func showConnections(t *table, rows []connectionRow, wide bool, now time.Time) {
	head := []string{"APP", "NAME", "ENVIRONMENT", "STATUS", "LAST USED"}
	if wide {
		head = append(head, "ID", "ACCOUNT", "OWNER", "ACCESS ENDS", "CREATED")
	}
	troubled := slices.ContainsFunc(rows, func(row connectionRow) bool { return row.WhatToDo != "" })
	if troubled {
		head = append(head, "WHAT TO DO")
	}
	t.row(head...)
	for _, row := range rows {
		cells := []string{row.App, row.Name, row.Environment, string(row.Status), or(minute(row.LastUsed, now), "never")}
		if wide {
			cells = append(cells, row.ID.String(), or(row.Account, "-"), or(row.Owner, "-"), or(minute(row.Expires, now), "-"), minute(&row.Created, now))
		}
		if troubled {
			cells = append(cells, strings.TrimPrefix(row.WhatToDo, commandName))
		}
		t.row(cells...)
	}
}

// minute is a time to the minute with how far away it is; "" for none.
func minute(t *time.Time, now time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 MST") + " (" + ago(*t, now) + ")"
}

// counted says how many connections there are of each status.
func counted(rows []connectionRow) string {
	if len(rows) == 0 {
		return "no connections"
	}
	var parts []string
	for _, status := range connection.Statuses() {
		n := 0
		for _, row := range rows {
			if row.Status == status {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	return plural(len(rows), "connection") + ": " + strings.Join(parts, ", ")
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
