package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
)

// connect goes the way a person goes, page by page.
func (j *mainJob) connect(ctx context.Context) error {
	link, err := j.client.RequestLink(ctx, workflows.ConnectInput{
		ConnectRequest: activities.ConnectRequest{Connection: j.id, Method: "oauth", AuthConfig: j.authConfig},
		DisplayName:    "Demo", RequestedBy: "devstack",
	})
	if err != nil {
		return err
	}
	j.tell.say("link", "%s\nsingle use, good for %s", link.URL, brief(time.Until(link.Expires).Round(time.Minute)))
	if err := j.authorize(ctx, link.URL); err != nil {
		return err
	}
	result, err := j.client.AwaitConnect(ctx, j.id)
	if err != nil {
		return err
	}
	j.tell.say("connected", "%s is %s: account %s (%s)", result.Connection, result.Status, result.Identity.Label, result.Identity.Account)
	j.tell.say("granted", "%s", strings.Join(result.Scopes, ", "))
	return nil
}

// authorize opens the link in a browser of its own, presses the buttons, and
// waits for the page that tells what came of it.
func (j *mainJob) authorize(ctx context.Context, link string) error {
	b, err := newBrowser()
	if err != nil {
		return err
	}
	asked, err := b.open(ctx, link)
	if err != nil {
		return err
	}
	j.tell.say("gateway", "page %q shows who asks for what", asked.title)
	onward, err := b.submit(ctx, asked, nil)
	if err != nil {
		return err
	}
	provider := onward.links["provider"]
	if provider == "" {
		return fmt.Errorf("the gateway's page %q does not lead to the app: %s", onward.title, onward.status)
	}
	consent, err := b.open(ctx, provider)
	if err != nil {
		return err
	}
	j.tell.say("sandbox", "page %q", consent.title)
	j.tell.say("", "ada approves")
	result, err := b.submit(ctx, consent, url.Values{"user": {"ada"}, "decision": {"approve"}})
	for err == nil && !strings.HasSuffix(result.title, "is connected") {
		if strings.Contains(result.title, "not") {
			return fmt.Errorf("the gateway says: %s: %s", result.title, result.status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the gateway still says %q: %w", result.title, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
		result, err = b.open(ctx, result.at.String())
	}
	if err == nil {
		j.tell.say("gateway", "page %q: %s", result.title, result.status)
	}
	return err
}

// useFromParent runs examples/parent, a program that knows nothing but names and JSON.
func (j *mainJob) useFromParent(ctx context.Context) error {
	before, err := j.sandbox.ledger(ctx, "api", 0)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, j.parent, "--connection", j.id.String())
	cmd.Env = append(os.Environ(), "TEMPORAL_NAMESPACE="+j.client.Namespace())
	log, err := os.OpenFile(filepath.Join(j.logs, "example-parent.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, log
	if err := j.spawner.start(cmd); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s is not built: run make build", j.parent)
		}
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("the parent workflow failed (%w):\n%s", err, tail(log.Name(), 5))
	}
	j.tell.say("parent", "ContactsDigest ran list-contacts and create-contact, and answered")
	j.tell.say("", "%s", strings.TrimSpace(out.String()))
	since := 0
	if len(before) > 0 {
		since = before[len(before)-1].Seq
	}
	calls, err := j.sandbox.ledger(ctx, "api", since)
	if err != nil {
		return err
	}
	for _, call := range calls {
		j.tell.say("ledger", "%s", call)
	}
	return nil
}

// refresh spends the refresh token once, and counts in the app's own ledger that it was once.
func (j *mainJob) refresh(ctx context.Context) error {
	before, err := j.sandbox.ledger(ctx, "token", 0)
	if err != nil {
		return err
	}
	j.tell.say("before", "%d token requests in the app's ledger", len(before))
	result, err := j.client.Refresh(ctx, j.id)
	if err != nil {
		return err
	}
	after, err := j.sandbox.ledger(ctx, "token", 0)
	if err != nil {
		return err
	}
	for _, request := range after[len(before):] {
		j.tell.say("ledger", "%s", request)
	}
	j.tell.say("after", "%d token requests; the credential in Vault is generation %d, status %s", len(after), result.Generation, result.Status)
	refreshed := 0
	for _, request := range after[len(before):] {
		if request.GrantType == "refresh_token" && request.Outcome == "ok" {
			refreshed++
		}
	}
	if refreshed == 0 {
		return errors.New("the app has seen no refresh")
	}
	return nil
}

// disconnect revokes the grant at the app and removes what this run left on servers of the person's.
func (j *mainJob) disconnect(ctx context.Context) error {
	result, err := j.client.Disconnect(ctx, j.id, "the smoke test is over")
	if err != nil {
		return err
	}
	j.tell.say("grant", "%s", result.Revocation)
	handle, err := j.client.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflows.AuthConfigWorkflowID(j.client.Environment, j.id.App(), j.authConfig),
		UpdateName: workflows.UpdateDelete, Args: []any{struct{}{}}, WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		return err
	}
	return handle.Get(ctx, nil)
}
