package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"connectedapps/connection"
	"connectedapps/vault"
)

// vaultBars count what actions ask of Vault.
func vaultBars() []bar {
	return []bar{{
		name: "vault-per-action", what: "reads of Vault for an action: gate, credential and toolkit together",
		floor: "one KV v2 read", target: "≤ 1", run: vaultPerAction,
	}}
}

// cold is longer than any document is cached, which is 5 s.
const cold = 5500 * time.Millisecond

func vaultPerAction(ctx context.Context, r *rig) (*result, error) {
	n := 10
	if r.short {
		n = 3
	}
	var ids []connection.ID
	defer func() {
		for _, id := range ids {
			r.disconnect(ctx, id)
		}
	}()
	for range n {
		id, err := r.connectQuiet(ctx, "bench-vault")
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	r.say("waiting until nothing is cached")
	if err := sleep(ctx, cold); err != nil {
		return nil, err
	}
	first, err := r.auditing(ctx, func() error { return r.eachOnce(ctx, ids) })
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, cold); err != nil {
		return nil, err
	}
	again, err := r.auditing(ctx, func() error { return r.eachOnce(ctx, ids) })
	if err != nil {
		return nil, err
	}
	warm, err := r.auditing(ctx, func() error {
		for range 5 {
			if err := r.eachOnce(ctx, ids); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	reads := func(all []vaultRequest) float64 { return float64(counted(byWorker(all), "", "read", "list")) }
	writes := func(all []vaultRequest) float64 {
		return float64(counted(byWorker(all), "", "create", "update", "patch", "delete"))
	}
	took, err := r.plainReads(ctx, ids[0], 200)
	if err != nil {
		return nil, err
	}
	return &result{Checks: []check{
		atMost("reads for the first action on a connection", reads(first)/float64(n), 1, "").exact(),
		atMost("reads for an action when nothing is cached", reads(again)/float64(n), 1, "").exact(),
		atMost("reads for an action among others within 5 s", reads(warm)/float64(5*n), 1, "").exact(),
	}, Figures: []figure{
		{"writes for the first action in a minute (when it was last used)", writes(first) / float64(n), ""},
		{"writes for a later one", writes(again) / float64(n), ""},
		{"one KV v2 read over net/http, p50", milliseconds(quantile(took, 0.5)), "ms"},
		{"one KV v2 read over net/http, p95", milliseconds(quantile(took, 0.95)), "ms"},
	}}, nil
}

// eachOnce runs an action of each connection.
func (r *rig) eachOnce(ctx context.Context, ids []connection.ID) error {
	for _, id := range ids {
		if err := r.standaloneOurs(id)(ctx); err != nil {
			return err
		}
	}
	return nil
}

// plainReads times reads of a document with nothing but net/http.
func (r *rig) plainReads(ctx context.Context, id connection.ID, times int) ([]time.Duration, error) {
	address := fmt.Sprintf("%s/v1/%s/data/connections/%s/%s", r.ready.Vault, vault.Layout{Environment: environment}.Secrets(), id.App(), id.Slug())
	return timed(ctx, times, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		request.Header.Set("X-Vault-Token", r.root.Token())
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("vault answered %s", response.Status)
		}
		return nil
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
