package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// crowdSize is how many actions meet a 401 at the same time.
const crowdSize = 500

// crowdWaits is how long the first refresh of a crowd takes: within the time-out of the
// request, and long enough for all to come.
const crowdWaits = 8 * time.Second

// crowd lets many actions find out together that the access is no longer accepted.
func (l *lane) crowd(ctx context.Context, s *subject) ([]finding, error) {
	if _, err := l.act(ctx, s, "list-contacts", ""); err != nil { // the worker knows the document
		return nil, err
	}
	began := time.Now()
	if err := l.sandbox.revokeAccess(ctx, s.family); err != nil {
		return nil, err
	}
	// The first refresh takes a while, so that the others are there before it is answered.
	first := l.gate.holdAt(l.environment, point{kind: kindRedeem}, []string{l.key(s)})
	go func() {
		first.await(1, gather)
		time.Sleep(crowdWaits)
		l.gate.let(l.environment, deliver)
	}()
	errs := make([]error, crowdSize)
	var all sync.WaitGroup
	for i := range crowdSize {
		all.Go(func() {
			for range 3 { // a caller whom Temporal did not answer in time asks again, by the same key
				_, errs[i] = l.act(ctx, s, "list-contacts", fmt.Sprintf("crowd-%d-%d", began.UnixNano(), i))
				if errs[i] == nil {
					return
				}
			}
		})
	}
	all.Wait()
	var found []finding
	for _, err := range errs {
		if err != nil {
			found = append(found, finding{lineBroken, fmt.Sprintf("an action of a crowd failed: %v", err)})
		}
	}
	refreshes, err := l.sandbox.of(ctx, func(e entry) bool {
		return e.Kind == "token" && e.Family == s.family && e.Time.After(began)
	})
	if err == nil && len(refreshes) != 1 {
		found = append(found, finding{lineCrowd, fmt.Sprintf("%d token requests for %d actions", len(refreshes), crowdSize)})
	}
	return found, err
}

// revokeAccess ends the access tokens of a family; its refresh token stays good.
func (s *sandbox) revokeAccess(ctx context.Context, family string) error {
	return s.do(ctx, "POST", "/admin/revoke-access-tokens", map[string]any{"family": family}, nil)
}
