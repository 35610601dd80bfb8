package workflows

import (
	"crypto/rand"
	"fmt"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// maxAttempts bounds how many links one connect hands out; far more than a person needs.
const maxAttempts = 100

func (c *connect) requestLink(ctx workflow.Context, in RequestLink) (Link, error) {
	if err := c.same(in.Fingerprint); err != nil {
		return Link{}, err
	}
	if err := c.planned(ctx); err != nil {
		return Link{}, err
	}
	if err := c.flows(activities.FlowBrowser); err != nil {
		return Link{}, err
	}
	if err := c.wanting(); err != nil {
		return Link{}, err
	}
	if len(c.progress.Attempts) >= maxAttempts {
		return Link{}, final(connection.Refused(connection.ErrLinkInvalid, "this connect has handed out too many links", "cancel it and start a new one"))
	}
	attempt := AttemptState{ID: fresh(ctx), State: AttemptOpen, Expires: workflow.Now(ctx).Add(linkLife)}
	c.progress.Attempts = append(c.progress.Attempts, attempt)
	link := Link{Attempt: attempt.ID, Expires: attempt.Expires}
	if c.plan.GatewayURL != "" {
		link.URL = fmt.Sprintf("%s/connect/%s/%s", c.plan.GatewayURL, c.in.Connection, attempt.ID)
	}
	return link, nil
}

func (c *connect) beginAuthorization(ctx workflow.Context, in BeginAuthorization) (*activities.BeginAuthorizationResult, error) {
	if err := c.planned(ctx); err != nil {
		return nil, err
	}
	attempt := c.find(in.Attempt)
	switch {
	case attempt == nil || len(in.StateSHA256) != 64:
		return nil, final(linkInvalid("this link is not known here"))
	case attempt.State != AttemptOpen || c.tested:
		return nil, final(linkInvalid("this link has been used"))
	case !workflow.Now(ctx).Before(attempt.Expires):
		attempt.State = AttemptExpired
		return nil, final(linkInvalid("this link is too old"))
	}
	// Single use from here on, whoever else presses the button while Vault is asked.
	attempt.State, attempt.StateSHA256 = AttemptBegun, in.StateSHA256
	quiet, prepared := c.preparation(ctx)
	result, err := beginAuthorize.do(quiet, fair(asked, c.in.Owner, c.in.Connection), "prepare the authorization", activities.BeginAuthorizationInput{
		Connection: c.in.Connection, Attempt: in.Attempt, Method: c.plan.Method, AuthConfig: c.in.AuthConfig,
		Scopes: c.plan.Scopes, Values: c.plan.Values})
	prepared()
	if err != nil {
		attempt = c.find(in.Attempt)
		attempt.State, attempt.StateSHA256 = AttemptOpen, ""
		return nil, final(why(err))
	}
	if result.StateSHA256 != "" { // the app has a state of its own, which the callback will bring
		c.find(in.Attempt).StateSHA256 = result.StateSHA256
	}
	return result, nil
}

// receiveAuthorizations takes callbacks. One that does not fit an attempt that has
// begun (another state, a second time, too late) changes nothing.
func (c *connect) receiveAuthorizations(ctx workflow.Context) {
	channel := workflow.GetSignalChannel(ctx, SignalAuthorization)
	for {
		var in AuthorizationReceived
		if !channel.Receive(ctx, &in) {
			return
		}
		attempt := c.find(in.Attempt)
		if attempt == nil || attempt.State != AttemptBegun || attempt.StateSHA256 != in.StateSHA256 || c.tested {
			workflow.GetLogger(ctx).Warn("a callback fits no attempt that has begun", "attempt", connection.Bound(in.Attempt, 64))
			continue
		}
		if !workflow.Now(ctx).Before(attempt.Expires) {
			attempt.State = AttemptExpired
			attempt.Problem = linkInvalid("the authorization took more than ten minutes")
			continue
		}
		attempt.State = AttemptExchanging
		c.pending = append(c.pending, &event{authorization: &in})
	}
}

func (c *connect) find(id string) *AttemptState {
	for i := range c.progress.Attempts {
		if c.progress.Attempts[i].ID == id {
			return &c.progress.Attempts[i]
		}
	}
	return nil
}

func linkInvalid(message string) *connection.Problem {
	return connection.Refused(connection.ErrLinkInvalid, message, "ask for a new link")
}

// randomName is a slug of 128 bits and more.
func randomName() string { return strings.ToLower(rand.Text()) }
