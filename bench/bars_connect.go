package main

import (
	"context"
	"errors"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
)

// connectBars compare a whole connect.
func connectBars() []bar {
	return []bar{{
		name: "connect", what: "a connect by API key, from the request to the active connection",
		floor: "the same activities run bare", target: "p50 ≤ 1.3", run: connects,
	}}
}

// perBlock is how many connects a block makes.
const perBlock = 3

func connects(ctx context.Context, r *rig) (*result, error) {
	var made []connection.ID
	defer func() {
		for _, id := range made {
			r.disconnect(ctx, id)
		}
	}()
	ours := side{name: "ours", block: func(ctx context.Context) ([]time.Duration, error) {
		return timed(ctx, perBlock, func(ctx context.Context) error {
			id := r.fresh("bench-connect")
			made = append(made, id)
			return r.connect(ctx, id)
		})
	}}
	var bared []connection.ID
	defer func() {
		for _, id := range bared {
			if err := r.destroyBare(ctx, id); err != nil {
				r.say("destroy %s: %v", id, err)
			}
		}
	}()
	floor := side{name: "floor", block: func(ctx context.Context) ([]time.Duration, error) {
		return timed(ctx, perBlock, func(ctx context.Context) error {
			id := r.fresh("bench-bare")
			bared = append(bared, id)
			return r.connectBare(ctx, id)
		})
	}}
	rounds, err := r.pairs(ctx, ours, floor, 4)
	if err != nil {
		return nil, err
	}
	found := &result{Rounds: rounds, Checks: []check{over(rounds, byP50, atMost("p50 over the floor's", 0, 1.3, ""))}}
	if len(made) == 0 {
		return nil, errors.New("no connect was made")
	}
	return found, nil
}

// connectBare does what [rig.connect] does, with the floor's workflow.
func (r *rig) connectBare(ctx context.Context, id connection.ID) error {
	in, ref, err := r.apiKey(ctx, id)
	if err != nil {
		return err
	}
	run, err := r.bare.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: parentQueue}, "BareConnect",
		bareConnectInput{Request: in.ConnectRequest, Inbox: ref, Grant: r.unique()})
	if err != nil {
		return err
	}
	return run.Get(ctx, nil)
}

// destroyBare removes what a bare connect left in Vault.
func (r *rig) destroyBare(ctx context.Context, id connection.ID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	handle, err := r.client.Temporal.ExecuteActivity(ctx, client.StartActivityOptions{ID: r.unique(), TaskQueue: workflows.Queue,
		StartToCloseTimeout: time.Minute}, "DestroyCredential", activities.DestroyInput{Ref: connection.CredentialRef{Connection: id}, Everything: true})
	if err != nil {
		return err
	}
	return handle.Get(ctx, nil)
}
