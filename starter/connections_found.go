package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"connectedapps/workflows"
)

const (
	// pageSize is how many rows are asked for at once, the most that Temporal answers by default.
	pageSize = 1000
	// listLimit bounds a list: beyond it a filter is wanted.
	listLimit = 5000
	// exactLimit is how many connections Vault is asked about for one list, one read
	// each, and exactTime how long that may take.
	exactLimit, exactTime = 200, 5 * time.Second
)

// found is what the environments answered to a list.
type found struct {
	rows []connectionRow
	// left names the environments that did not answer; nil when all did.
	left []string
	// inexact says why the times of last use are not exact; "" when they are, or nobody asked.
	inexact string
}

// asked is one environment's part in a list.
type asked struct {
	e    *environment
	rows []workflows.Row
	err  error
}

// listAll asks every environment at once. One that does not answer is a warning,
// unless no other does.
func (p *program) listAll(ctx context.Context, environments []string, filter workflows.Filter, exact bool) (found, error) {
	parts := make([]asked, len(environments))
	err := p.wait(ctx, "the lists", func(ctx context.Context) error {
		var all sync.WaitGroup
		for i, name := range environments { // one after the other: what they share is opened once
			parts[i].e, parts[i].err = p.prepare(name)
		}
		for i := range parts {
			if parts[i].err == nil {
				all.Go(func() { parts[i].rows, parts[i].err = parts[i].e.list(ctx, filter) })
			}
		}
		all.Wait()
		return nil
	})
	if err != nil {
		return found{}, err
	}
	out := found{rows: []connectionRow{}}
	cut := false
	for i, part := range parts {
		if part.err != nil {
			out.left = append(out.left, environments[i])
		}
		cut = cut || len(part.rows) >= listLimit
	}
	if len(out.left) == len(parts) && len(parts) > 0 {
		return found{}, parts[0].err
	}
	for i, part := range parts {
		if part.err != nil {
			p.note("warning: the environment %s is left out: %s", environments[i], part.err)
		}
	}
	if cut {
		p.note("warning: only the first %d connections of an environment are listed; narrow the list with --app, --status or --owner", listLimit)
	}
	if exact {
		out.inexact = p.exact(ctx, parts)
	}
	for _, part := range parts {
		for _, row := range part.rows {
			out.rows = append(out.rows, listed(row, exact && out.inexact == ""))
		}
	}
	return out, nil
}

// exact asks Vault when each connection was last used, and answers why it could
// not, or did not; "" when all rows are exact.
func (p *program) exact(ctx context.Context, parts []asked) string {
	total := 0
	for _, part := range parts {
		total += len(part.rows)
	}
	if total > exactLimit {
		return fmt.Sprintf("the list has more than %d connections", exactLimit)
	}
	for _, part := range parts {
		if len(part.rows) == 0 {
			continue
		}
		if err := p.exactOf(ctx, part); err != nil {
			return reason(err)
		}
	}
	return ""
}

func (p *program) exactOf(ctx context.Context, part asked) error {
	if part.e.Facts == nil {
		if err := p.openVault(part.e); err != nil {
			return err
		}
		part.e.Facts = part.e.vault.Documents()
	}
	return p.wait(ctx, "Vault", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, exactTime)
		defer cancel()
		return part.e.Exact(ctx, part.rows)
	})
}
