package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
)

// A flock is connected by nobody: its documents are written into Vault and its
// workflows started with the state that a real connect has left, which is how a
// Connection continues as new. One connection is made by the real way, and the
// others are copies of it with tokens of their own.
const (
	flockClient = "bench-flock"
	flockConfig = "bench-flock"
	flockSecret = "bench-flock-secret" // of a client that only this sandbox knows
	flockScopes = "offline_access contacts.read contacts.write"
	// flockWriters is how many are made at once.
	flockWriters = 24
	// growTries is how often one is tried to be made.
	growTries = 6
)

// flock is connections that are alike.
type flock struct {
	stack *stack
	name  string
	ids   []connection.ID
	state workflows.State
	held  connection.Document
}

// member says how one of a flock differs.
type member struct {
	// issued and expires are of its access token.
	issued, expires time.Time
	// refreshable gives it a refresh token of its own; the others can only be looked at.
	refreshable bool
	// probeEvery is its policy; 0 leaves the app's.
	probeEvery time.Duration
}

// newFlock makes the connection that the others are copies of. name is for IDs.
func (s *stack) newFlock(ctx context.Context, name string) (*flock, error) {
	c := &flock{stack: s, name: name}
	id := c.id("template")
	err := s.sandbox.admin(ctx, http.MethodPost, "/admin/clients",
		map[string]any{"id": flockClient, "secret": flockSecret, "redirect_uris": []string{}}, nil)
	if err != nil {
		return nil, err
	}
	inbox := s.admin.Inbox()
	ref, err := inbox.Leave(ctx, map[string]connection.Secret{"client_secret": connection.NewSecret(flockSecret)})
	if err != nil {
		return nil, err
	}
	values := map[string]string{"base_url": s.ready.Sandbox}
	if _, err := s.client.DescribeAuthConfig(ctx, "sandbox", flockConfig); err != nil {
		if _, err := s.client.CreateAuthConfig(ctx, activities.StoreAuthConfigInput{App: "sandbox", Name: flockConfig, Method: "password",
			ClientID: flockClient, Values: values, Inbox: ref}); err != nil {
			return nil, err
		}
	}
	ref, err = inbox.Leave(ctx, map[string]connection.Secret{"password": connection.NewSecret(s.sandbox.credentials["basic_password"])})
	if err != nil {
		return nil, err
	}
	progress, err := s.client.Connect(ctx, workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id, Method: "password",
		AuthConfig: flockConfig, Values: map[string]string{"username": s.sandbox.credentials["basic_username"]}}}, ref)
	if err == nil && progress.Problem != nil {
		err = progress.Problem
	}
	if err == nil {
		_, err = s.client.AwaitConnect(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	described, err := s.client.Describe(ctx, id)
	if err != nil {
		return nil, err
	}
	stored, err := s.admin.Documents().Read(ctx, connection.CredentialRef{Connection: id})
	if err != nil {
		return nil, err
	}
	c.state, c.held = described.State, stored.Document
	// It has served: nothing but the flock is to be counted.
	if _, err := s.client.Disconnect(ctx, id, "the others are made"); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *flock) id(name string) connection.ID {
	return connection.ID(fmt.Sprintf("%s/sandbox/%s-%s", environment, c.name, name))
}

// grow adds members, some at once, and tells how far it is.
func (c *flock) grow(ctx context.Context, r *rig, count int, of func(i int) member) error {
	began, first := time.Now(), len(c.ids)
	for i := range count {
		c.ids = append(c.ids, c.id(fmt.Sprintf("%05d", first+i)))
	}
	var done atomic.Int64
	return together(ctx, count, flockWriters, func(ctx context.Context, i int) error {
		err := c.add(ctx, c.ids[first+i], of(first+i))
		for tries := 1; err != nil && tries < growTries && ctx.Err() == nil; tries++ { // servers that are hurried may be late
			_ = sleep(ctx, time.Duration(tries)*time.Second)
			err = c.add(ctx, c.ids[first+i], of(first+i))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.ids[first+i], err)
		}
		if n := done.Add(1); n%1000 == 0 {
			r.say("%d of %d connections are open after %s", n, count, time.Since(began).Round(time.Second))
		}
		return nil
	})
}

// add writes the document, then starts the workflow with the state that fits it.
func (c *flock) add(ctx context.Context, id connection.ID, m member) error {
	ref := connection.CredentialRef{Connection: id}
	token := c.held.Credential.Default()
	if m.refreshable {
		var err error
		if token, err = c.stack.sandbox.family(ctx); err != nil {
			return err
		}
	}
	token.IssuedAt, token.ExpiresAt = m.issued, m.expires
	held := c.held
	held.Credential.Tokens = map[string]connection.Token{connection.DefaultToken: token}
	documents := c.stack.admin.Documents()
	if _, err := documents.Write(ctx, ref, held, 0); err != nil && !errors.Is(err, connection.ErrVersionConflict) { // of an earlier try
		return err
	}
	state := c.state
	state.ID, state.DisplayName, state.Created = id, id.Slug(), time.Now()
	state.Policy.ProbeEvery = m.probeEvery
	_, err := c.stack.client.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: workflows.ConnectionWorkflowID(id), TaskQueue: workflows.Queue},
		workflows.TypeConnection, state)
	return err
}

// end terminates the workflows, whether or not the caller's time is up, and leaves the documents.
func (c *flock) end(ctx context.Context, r *rig) {
	ctx = context.WithoutCancel(ctx)
	err := together(ctx, len(c.ids), flockWriters, func(ctx context.Context, i int) error {
		return c.stack.client.Temporal.TerminateWorkflow(ctx, workflows.ConnectionWorkflowID(c.ids[i]), "", "it was measured")
	})
	if err != nil {
		r.say("not all were ended: %v", err)
	}
}

// together does a thing count times, at most so many at once, until one fails.
func together(ctx context.Context, count, most int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var next atomic.Int64
	for range min(most, count) {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
