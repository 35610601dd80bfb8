package main

import (
	"context"
	"sync"
)

const (
	// pageSize is how many rows are asked for at once, the most that Temporal answers by default.
	pageSize = 1000
	// listLimit bounds a list: beyond it a filter is wanted.
	listLimit = 5000
)

// listing is a list that environments can be asked for.
type listing[R any] struct {
	// what is listed, in the plural, and the flags that narrow the list.
	what, narrow string
	// page asks one environment for a page, and for the token of the next one.
	page func(ctx context.Context, e *environment, token []byte) ([]R, []byte, error)
}

// asked is one environment's part in a list.
type asked[R any] struct {
	e    *environment
	rows []R
	err  error
}

// everywhere asks every environment at once and answers a part for each, in their
// order. One that does not answer is a warning, unless no other does.
func everywhere[R any](ctx context.Context, p *program, environments []string, list listing[R]) ([]asked[R], error) {
	parts := make([]asked[R], len(environments))
	err := p.wait(ctx, "the lists", func(ctx context.Context) error {
		var all sync.WaitGroup
		for i, name := range environments { // one after the other: what they share is opened once
			parts[i].e, parts[i].err = p.prepare(name)
		}
		for i := range parts {
			if parts[i].err == nil {
				all.Go(func() { parts[i].rows, parts[i].err = list.of(ctx, parts[i].e) })
			}
		}
		all.Wait()
		return nil
	})
	if err != nil {
		return nil, err
	}
	failed, cut := 0, false
	for _, part := range parts {
		if part.err != nil {
			failed++
		}
		cut = cut || len(part.rows) >= listLimit
	}
	if failed == len(parts) && failed > 0 {
		return nil, parts[0].err
	}
	for i, part := range parts {
		if part.err != nil {
			p.note("warning: the environment %s is left out: %s", environments[i], part.err)
		}
	}
	if cut {
		p.note("warning: only the first %d %s of an environment are listed; narrow the list with %s", listLimit, list.what, list.narrow)
	}
	return parts, nil
}

// of asks one environment for all pages, up to the limit.
func (l listing[R]) of(ctx context.Context, e *environment) ([]R, error) {
	if err := e.reachable(ctx); err != nil {
		return nil, err
	}
	var rows []R
	for token := []byte(nil); ; {
		some, next, err := l.page(ctx, e, token)
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
		if len(next) == 0 || len(rows) >= listLimit {
			return rows, nil
		}
		token = next
	}
}
