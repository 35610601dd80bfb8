package workflows

import (
	"fmt"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// enter notes how far the connect has come, where people and operators see it.
func (c *connect) enter(ctx workflow.Context, phase Phase) {
	c.progress.Phase = phase
	// A start by our Client has them already.
	if _, given := workflow.GetTypedSearchAttributes(ctx).GetKeyword(AttributeApp); phase == PhaseValidating && !given {
		err := workflow.UpsertTypedSearchAttributes(ctx,
			AttributeApp.ValueSet(c.in.Connection.App()), AttributeEnvironment.ValueSet(c.in.Connection.Environment()),
			AttributeName.ValueSet(c.name()), keyword(AttributeOwner, c.in.Owner))
		if err != nil {
			workflow.GetLogger(ctx).Error("search attributes were refused", "error", err)
		}
	}
	workflow.SetCurrentDetails(ctx, c.details())
}

// attributes are what a connect is found by; what it has none of is left out.
func (in ConnectInput) attributes() temporal.SearchAttributes {
	all := []temporal.SearchAttributeUpdate{AttributeApp.ValueSet(in.Connection.App()),
		AttributeEnvironment.ValueSet(in.Connection.Environment()), AttributeName.ValueSet(in.name())}
	if in.Owner != "" {
		all = append(all, AttributeOwner.ValueSet(in.Owner))
	}
	return temporal.NewSearchAttributes(all...)
}

// details is what an operator reads on top of the run in the Web UI; no secret can be in it.
func (c *connect) details() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**: %s\n", c.in.Connection, c.progress.Phase)
	if c.plan != nil {
		fmt.Fprintf(&b, "\n- app: %s, by %s\n", c.plan.AppName, c.plan.MethodTitle)
		if len(c.plan.Scopes) > 0 {
			fmt.Fprintf(&b, "- scopes asked for: %s\n", strings.Join(c.plan.Scopes, " "))
		}
		fmt.Fprintf(&b, "- toolkit `%s`: %s\n", c.plan.Toolkit, strings.Join(c.plan.Actions, ", "))
	}
	if q := c.progress.Question; q != nil {
		fmt.Fprintf(&b, "- waits for an answer: %s\n", q.Title)
	}
	if d := c.progress.Device; d != nil {
		fmt.Fprintf(&b, "- waits for the code to be typed in at %s until %s\n", d.VerificationURI, d.Expires.UTC().Format("15:04 MST"))
	}
	if t := c.progress.Test; t != nil {
		fmt.Fprintf(&b, "- tested: %s; account: %s\n", t.Tested, t.Identity.Label)
	}
	if p := c.progress.Problem; p != nil {
		fmt.Fprintf(&b, "- problem: %s\n", p.Error())
	}
	fmt.Fprintf(&b, "- the session ends %s\n", c.until.UTC().Format("2006-01-02 15:04 MST"))
	return b.String()
}

// waitForPerson says what is waited for.
func (c *connect) waitForPerson(ctx workflow.Context) {
	switch c.plan.Flow {
	case activities.FlowBrowser:
		c.enter(ctx, PhaseAuthorization)
	case activities.FlowDevice:
		c.enter(ctx, PhaseDevice)
	case activities.FlowInput, activities.FlowAutomatic:
		c.enter(ctx, PhaseCredential)
	}
}

func (c *connect) settleAttempt(id string, err error) {
	attempt := c.find(id)
	if attempt == nil {
		return
	}
	if err != nil {
		attempt.State, attempt.Problem = AttemptFailed, why(err)
		return
	}
	attempt.State = AttemptSucceeded
}

// failAttempt marks the attempt whose credential did not pass its test.
func (c *connect) failAttempt(problem *connection.Problem) {
	if attempt := c.find(c.attempt); attempt != nil {
		attempt.State, attempt.Problem = AttemptFailed, problem
	}
}

// closeAttempts ends every other attempt once one has succeeded.
func (c *connect) closeAttempts() {
	for i := range c.progress.Attempts {
		if a := &c.progress.Attempts[i]; a.State == AttemptOpen || a.State == AttemptBegun {
			a.State = AttemptExpired
		}
	}
}

// discard is the compensation of everything that was obtained.
func (c *connect) discard(ctx workflow.Context) error { return c.discardOthers(ctx, "") }

// discardOthers revokes and destroys every candidate but the one to keep, and removes the attempts.
func (c *connect) discardOthers(ctx workflow.Context, keep string) error {
	if err := c.stopDevice(ctx); err != nil {
		return err
	}
	if err := c.allPrepared(ctx); err != nil {
		return err
	}
	err := discardCandidates(ctx, activities.DiscardInput{Connection: c.in.Connection, Keep: keep})
	if unrevoked(err) {
		(&Alerts{}).grantMayLive(ctx, c.subject(), "what was not adopted was removed")
	}
	return err
}

// discardCandidates is shared with the Connection, which does the same for a
// connect that died. A grant whose revocation is given up after a day is still
// destroyed here; the error then is one that unrevoked knows.
func discardCandidates(ctx workflow.Context, in activities.DiscardInput) error {
	report, err := discardAttempts.do(ctx, vaultWork, "remove authorization attempts", in)
	if err != nil {
		return err
	}
	return endCandidates(ctx, report.Candidates, "")
}

// endCandidates revokes and destroys. account is whose they are, "" where that is not known.
func endCandidates(ctx workflow.Context, candidates []connection.CredentialRef, account string) error {
	var left error
	for _, ref := range candidates {
		if _, err := revokeGrant.do(ctx, fair(revoking, "", ref.Connection), "revoke the grant that is not used", activities.RevokeInput{Ref: ref, Account: account}); err != nil {
			left = final(connection.Refused(connection.ErrProviderUnavailable, "a grant could not be revoked and may still live at the app",
				"remove the authorization in the app's own settings"))
		}
		if err := destroy.do(ctx, vaultWork, "destroy the credential that is not used", activities.DestroyInput{Ref: ref}); err != nil {
			return err
		}
	}
	return left
}
