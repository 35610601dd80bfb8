package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// fresh is the ID of a connection that there is not yet.
func (r *rig) fresh(name string) connection.ID {
	r.slugs++
	return connection.ID(fmt.Sprintf("%s/sandbox/%s-%d", environment, name, r.slugs))
}

// apiKey is the request for a connection of the sandbox by API key, whose secret waits
// in the inbox.
func (r *rig) apiKey(ctx context.Context, id connection.ID) (workflows.ConnectInput, connection.InboxRef, error) {
	ref, err := r.secrets.Inbox().Leave(ctx, map[string]connection.Secret{"api_key": connection.NewSecret(r.sandbox["api_key"])})
	return workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{Connection: id, Method: "api-key",
		Values: map[string]string{"base_url": r.ready.Sandbox}}}, ref, err
}

// connect makes a connection by API key and answers when it is active.
func (r *rig) connect(ctx context.Context, id connection.ID) error {
	in, ref, err := r.apiKey(ctx, id)
	if err != nil {
		return err
	}
	progress, err := r.client.Connect(ctx, in, ref)
	if err != nil {
		return err
	}
	if progress.Problem != nil {
		return progress.Problem
	}
	_, err = r.client.AwaitConnect(ctx, id)
	return err
}

// connectQuiet makes a connection that is looked at once a month only, so that nothing
// but what is measured is counted on the servers.
func (r *rig) connectQuiet(ctx context.Context, name string) (connection.ID, error) {
	id := r.fresh(name)
	if err := r.connect(ctx, id); err != nil {
		return id, fmt.Errorf("connect %s: %w", id, err)
	}
	rarely := connection.ProbeMax
	_, err := r.client.SetPolicy(ctx, id, workflows.SetPolicy{ProbeEvery: &rarely})
	return id, err
}

// disconnect ends a connection, whether or not the caller's time is up.
func (r *rig) disconnect(ctx context.Context, id connection.ID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if _, err := r.client.Disconnect(ctx, id, "it was measured"); err != nil {
		r.say("disconnect %s: %v", id, err)
	}
}

// listContacts is the action that is measured, and the same request made bare.
func listContacts(id connection.ID) (activities.CallActionInput, getInput) {
	return activities.CallActionInput{Connection: id, Action: "list-contacts", Arguments: json.RawMessage(`{"limit":5}`)},
		getInput{Path: "/contacts?limit=5"}
}
