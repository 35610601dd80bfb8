package workflows

import (
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// device is one authorization on another device.
type device struct {
	attempt string
	life    time.Duration
	polled  bool
	stopped bool
	over    bool
	cancel  workflow.CancelFunc // once it is polled
}

// requestDevice answers the code to show: that of the authorization that is under
// way, or of a new one when there is none, or its code has expired.
func (c *connect) requestDevice(ctx workflow.Context, in RequestDevice) (DevicePrompt, error) {
	if err := c.same(in.Fingerprint); err != nil {
		return DevicePrompt{}, err
	}
	if err := c.planned(ctx); err != nil {
		return DevicePrompt{}, err
	}
	if err := c.flows(activities.FlowDevice); err != nil {
		return DevicePrompt{}, err
	}
	if err := c.beginning.Lock(ctx); err != nil {
		return DevicePrompt{}, err
	}
	defer c.beginning.Unlock()
	if prompt := c.progress.Device; prompt != nil && !c.device.over && workflow.Now(ctx).Before(prompt.Expires) {
		return *prompt, nil
	}
	if err := c.beginnable(); err != nil {
		return DevicePrompt{}, err
	}
	c.devices++
	next := &device{attempt: fresh(ctx)}
	quiet, prepared := c.preparation(ctx)
	report, err := beginDevice.do(quiet, fair(asked, c.in.Owner, c.in.Connection), "ask for a code to authorize with", activities.BeginDeviceInput{
		Connection: c.in.Connection, Attempt: next.attempt, Method: c.plan.Method, AuthConfig: c.in.AuthConfig,
		Scopes: c.plan.Scopes, Values: c.plan.Values})
	prepared()
	if err != nil {
		return DevicePrompt{}, final(why(err))
	}
	if err := c.beginnable(); err != nil { // it may be over since
		return DevicePrompt{}, err
	}
	c.dropDevice()
	next.life = report.Lifetime
	prompt := DevicePrompt{UserCode: report.UserCode, VerificationURI: report.VerificationURI,
		VerificationURIComplete: report.VerificationURIComplete, Expires: workflow.Now(ctx).Add(report.Lifetime)}
	c.device, c.progress.Device = next, &prompt
	if c.current == nil {
		c.progress.Problem = nil
		c.enter(ctx, PhaseDevice)
	}
	return prompt, nil
}

// beginnable reports, as an error, why no further code is handed out.
func (c *connect) beginnable() error {
	if err := c.open(); err != nil {
		return err
	}
	if err := c.wanting(); err != nil {
		return err
	}
	if c.devices >= maxAttempts {
		return final(connection.Refused(connection.ErrLinkInvalid, "this connect has handed out too many codes", "cancel it and start a new one"))
	}
	return nil
}

// pollDevices asks for one authorization after the other whether the person has
// authorized. A success is what a callback is elsewhere.
func (c *connect) pollDevices(ctx workflow.Context) {
	quiet, _ := workflow.NewDisconnectedContext(ctx)
	for {
		err := workflow.Await(ctx, func() bool { return c.device != nil && !c.device.polled && !c.device.over })
		if err != nil {
			return
		}
		d := c.device
		var polling workflow.Context
		polling, d.cancel = workflow.WithCancel(quiet)
		d.polled = true
		report, err := pollDevice.do(polling, fair(pollingFor(d.life), c.in.Owner, c.in.Connection), "has the person authorized?", activities.PollDeviceInput{
			Connection: c.in.Connection, Attempt: d.attempt, Method: c.plan.Method, Scopes: c.plan.Scopes, Values: c.plan.Values})
		d.over = true
		switch {
		case d.stopped || c.tested:
			// Nobody wants it any more. What it stored nevertheless is a candidate like any other.
		case err != nil:
			c.expireDevice(quiet, why(err))
		default:
			c.progress.Device = nil
			c.pending = append(c.pending, &event{device: report})
		}
	}
}

// expireDevice leaves the connect waiting for another code.
func (c *connect) expireDevice(ctx workflow.Context, problem *connection.Problem) {
	c.progress.Device = nil
	if problem.Retryable { // it was asked to the end of the code's life
		problem = connection.Refused(connection.ErrAuthorizationFailed, "nobody authorized before the code expired", "ask for a new code")
	}
	if c.current == nil {
		c.progress.Problem = problem
		c.enter(ctx, PhaseDevice)
	}
}

// dropDevice stops asking for the present authorization, without waiting.
func (c *connect) dropDevice() {
	d := c.device
	if d == nil || d.over {
		return
	}
	d.stopped = true
	if !d.polled {
		d.over = true
		return
	}
	d.cancel()
}

// stopDevice waits until nothing is asked any more: what a poll stores after the
// candidates have been removed would be left behind.
func (c *connect) stopDevice(ctx workflow.Context) error {
	c.dropDevice()
	return workflow.Await(ctx, func() bool { return c.device == nil || c.device.over })
}
