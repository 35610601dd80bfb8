package main

import (
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// bareConnectInput is what a connect by API key is made of.
type bareConnectInput struct {
	Request activities.ConnectRequest `json:"request"`
	Inbox   connection.InboxRef       `json:"inbox"`
	Grant   string                    `json:"grant"`
}

// bareConnect runs the activities of a connect by API key in their order, in our
// worker, and nothing else: no reservation, no compensation, no entity.
func bareConnect(ctx workflow.Context, in bareConnectInput) error {
	options := workflow.ActivityOptions{TaskQueue: workflows.Queue, StartToCloseTimeout: time.Minute,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, MaximumAttempts: 3}}
	own := workflow.WithActivityOptions(ctx, options)
	options.TaskQueue = workflows.EgressQueue
	egress := workflow.WithActivityOptions(ctx, options)
	id := in.Request.Connection

	var plan activities.ConnectPlan
	if err := workflow.ExecuteActivity(own, "ValidateConnect", in.Request).Get(ctx, &plan); err != nil {
		return err
	}
	var stored activities.StoredReport
	if err := workflow.ExecuteActivity(egress, "StoreCredential", activities.StoreCredentialInput{Connection: id, Grant: in.Grant,
		Method: plan.Method, Inbox: in.Inbox, Values: plan.Values}).Get(ctx, &stored); err != nil {
		return err
	}
	var probed activities.ProbeReport
	if err := workflow.ExecuteActivity(egress, "ProbeConnection", activities.ProbeInput{Ref: stored.Ref}).Get(ctx, &probed); err != nil {
		return err
	}
	gate := connection.Gate{Status: connection.Active, Grant: in.Grant, Toolkits: map[string][]string{plan.Toolkit: plan.Actions}}
	if err := workflow.ExecuteActivity(own, "AdoptCandidate", activities.AdoptInput{Ref: probed.Ref, Gate: gate}).Get(ctx, nil); err != nil {
		return err
	}
	return workflow.ExecuteActivity(own, "DiscardAttempts", activities.DiscardInput{Connection: id, Keep: in.Grant}).Get(ctx, nil)
}
