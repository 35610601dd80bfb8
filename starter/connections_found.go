package main

import (
	"context"
	"fmt"
	"time"

	"connectedapps/workflows"
)

// exactLimit is how many connections Vault is asked about for one list, one read
// each, and exactTime how long that may take.
const exactLimit, exactTime = 200, 5 * time.Second

// found is what the environments answered to a list.
type found struct {
	rows []connectionRow
	// left names the environments that did not answer; nil when all did.
	left []string
	// inexact says why the times of last use are not exact; "" when they are, or nobody asked.
	inexact string
}

// listAll asks every environment for its connections.
func (p *program) listAll(ctx context.Context, environments []string, filter workflows.Filter, exact bool) (found, error) {
	parts, err := everywhere(ctx, p, environments, listing[workflows.Row]{
		what: "connections", narrow: "--app, --status or --owner",
		page: func(ctx context.Context, e *environment, token []byte) ([]workflows.Row, []byte, error) {
			return e.List(ctx, filter, pageSize, token)
		},
	})
	if err != nil {
		return found{}, err
	}
	out := found{rows: []connectionRow{}}
	if exact {
		out.inexact = p.exact(ctx, parts)
	}
	for i, part := range parts {
		if part.err != nil {
			out.left = append(out.left, environments[i])
		}
		for _, row := range part.rows {
			out.rows = append(out.rows, listed(row, exact && out.inexact == ""))
		}
	}
	return out, nil
}

// exact asks Vault when each connection was last used, and answers why it could
// not, or did not; "" when all rows are exact.
func (p *program) exact(ctx context.Context, parts []asked[workflows.Row]) string {
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

func (p *program) exactOf(ctx context.Context, part asked[workflows.Row]) error {
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
