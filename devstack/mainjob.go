package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/vault"
	"connectedapps/workflows"

	"go.uber.org/zap"
)

const (
	// demo is the connection that the main job makes, or finds, and the auth config it is made with.
	demo       = connection.ID("development/sandbox/demo")
	demoClient = "demo"
	// mainJobWithin bounds the main job: it takes seconds.
	mainJobWithin = 5 * time.Minute
)

// mainJob is what the project is for, done once where a person can see it. A second
// time it finds what the first one made.
type mainJob struct {
	id connection.ID
	// authConfig is the slug of the client registration that the connection is made with.
	authConfig string
	// tidy removes both in the end: the servers outlive this run's sandbox app.
	tidy    bool
	tell    *narration
	client  *workflows.Client
	inbox   vault.Inbox
	sandbox *sandbox
	// parent is the program of examples/parent.
	parent  string
	spawner spawner
	logs    string
}

type step struct {
	title string
	do    func(context.Context) error
}

func (r *launch) mainJob(ctx context.Context) error {
	if !r.options.mainJob {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, mainJobWithin)
	defer cancel()
	catalogue, err := r.settings.Catalogue()
	if err != nil {
		return err
	}
	job := &mainJob{id: demo, authConfig: demoClient, tell: r.tell, sandbox: r.sandbox,
		parent: r.binary("example-parent"), spawner: r.stack.spawner, logs: r.path("logs")}
	if r.temporary && (r.around.temporal != "" || r.around.vault != "") {
		job.authConfig = "smoke-" + strings.ToLower(rand.Text()[:8])
		job.id = connection.ID(demo.Environment() + "/" + demo.App() + "/" + job.authConfig)
		job.tidy = true
	}
	environment := job.id.Environment()
	secrets, err := r.settings.Vault(environment, zap.NewNop())
	if err != nil {
		return err
	}
	job.client, err = r.settings.Client(environment, catalogue, secrets, zap.NewNop())
	if err != nil {
		return err
	}
	defer job.client.Temporal.Close()
	job.inbox = secrets.Inbox()
	return job.run(ctx)
}

func (j *mainJob) run(ctx context.Context) error {
	j.tell.heading("The main job, on the sandbox app")
	found, err := j.client.Describe(ctx, j.id)
	switch {
	case err == nil && found.Look.Status != connection.Pending:
		err = j.tell.step("Find the connection of an earlier run", func() error { return j.show(found) })
	case err == nil || connection.TypeOf(err) == connection.ErrConnectionNotFound:
		err = j.tell.step("Enter the app's client ID and secret once, as an auth config", func() error { return j.createAuthConfig(ctx) })
		if err == nil {
			err = j.tell.step("Connect by OAuth 2.0, authorization code with PKCE", func() error { return j.connect(ctx) })
		}
	}
	if err != nil {
		return err
	}
	steps := []step{
		{"Test it: ask the app whether the connection works", j.test},
		{"Look at its toolkit", j.toolkit},
		{"Use it from somebody else's workflow, through child workflows", j.useFromParent},
		{"Refresh it once", j.refresh},
		{"List the connections", j.list},
	}
	if j.tidy {
		steps = append(steps, step{"Disconnect it, since the servers outlive this run", j.disconnect})
	}
	for _, step := range steps {
		if err := j.tell.step(step.title, func() error { return step.do(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

func (j *mainJob) show(found workflows.Description) error {
	j.tell.say("connection", "%s, connected %s ago, account %s", found.ID, brief(time.Since(found.Created)), found.Look.Identity.Label)
	j.tell.say("status", "%s", found.Look.Status)
	if !found.Facts.LastRefresh.IsZero() {
		j.tell.say("refreshed", "%s ago", brief(time.Since(found.Facts.LastRefresh)))
	}
	if found.Look.Status == connection.Expired || found.Look.Status == connection.Paused {
		return fmt.Errorf("%s is %s (%s): disconnect it with bin/connected-apps connections disconnect %s, and start again",
			found.ID, found.Look.Status, found.Look.Reason, found.ID)
	}
	return nil
}

func (j *mainJob) createAuthConfig(ctx context.Context) error {
	name := fmt.Sprintf("%s/%s/%s", j.id.Environment(), j.id.App(), j.authConfig)
	_, err := j.client.DescribeAuthConfig(ctx, j.id.App(), j.authConfig)
	if err == nil {
		j.tell.say("auth config", "%s is there already", name)
		return nil
	}
	if connection.TypeOf(err) != connection.ErrAuthConfigNotFound {
		return err
	}
	id, secret, err := j.sandbox.client()
	if err != nil {
		return err
	}
	left, err := j.inbox.Leave(ctx, map[string]connection.Secret{"client_secret": connection.NewSecret(secret)})
	if err != nil {
		return err
	}
	j.tell.say("inbox", "the secret is left in Vault; only its reference travels: %s…", left[:8])
	made, err := j.client.CreateAuthConfig(ctx, activities.StoreAuthConfigInput{App: j.id.App(), Name: j.authConfig, Method: "oauth",
		ClientID: id, Values: map[string]string{"base_url": j.sandbox.url}, Inbox: left})
	if err != nil {
		return err
	}
	j.tell.say("auth config", "%s, client %s, %s", name, made.ClientID, made.Status)
	return nil
}

func (j *mainJob) test(ctx context.Context) error {
	result, err := j.client.Test(ctx, j.id)
	if err != nil {
		return err
	}
	if !result.Passed {
		return fmt.Errorf("the test did not pass: %w", result.Problem)
	}
	j.tell.say("passed", "%s: this is %s's account", result.Report.Tested, result.Report.Identity.Label)
	return nil
}

func (j *mainJob) toolkit(ctx context.Context) error {
	found, err := j.client.Describe(ctx, j.id)
	if err != nil {
		return err
	}
	for _, toolkit := range found.Toolkits {
		j.tell.say(toolkit.Name, "%s", strings.Join(toolkit.Actions, ", "))
	}
	if !slices.ContainsFunc(found.Toolkits, func(t connection.Toolkit) bool { return t.Name == connection.DefaultToolkit }) {
		return fmt.Errorf("%s has no toolkit %q", j.id, connection.DefaultToolkit)
	}
	return nil
}

func (j *mainJob) list(ctx context.Context) error {
	// The list is Temporal's visibility store, which follows a moment later.
	for tries := 0; ; tries++ {
		rows, _, err := j.client.List(ctx, workflows.Filter{}, 100, nil)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(rows, func(r workflows.Row) bool { return r.ID == j.id && r.Status == connection.Active }) {
			for _, row := range rows {
				j.tell.say(string(row.Status), "%-28s %s, %s, toolkits %s", row.ID, row.AuthKind, row.Account, strings.Join(row.Toolkits, ", "))
			}
			return nil
		}
		if tries == 50 {
			return fmt.Errorf("%s is not listed as Active: %v", j.id, rows)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
