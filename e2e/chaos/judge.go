package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

// budget is how long an announced spender may take before it is taken for dead; it is
// the product's promise, and written here once more on purpose.
const budget = 45 * time.Second

// redeemTimeout is how long the product waits for a token endpoint.
const redeemTimeout = 20 * time.Second

// finding is one thing that must not be.
type finding struct {
	line string // of the scoreboard
	what string
}

// verdict is what came of one cell.
type verdict struct {
	cell     *cell
	status   connection.Status
	lost     bool // only a person can help
	behind   bool // somebody's intent was open when the lane was struck
	noticed  time.Duration
	resumed  time.Duration
	findings []finding
	// seen is what the gates saw of the connection, where something was found or somebody asked for it.
	seen []string
}

func (v *verdict) find(line, format string, args ...any) {
	c := v.cell
	v.findings = append(v.findings, finding{line, fmt.Sprintf("%s/%s at %s (%s, %s, store %s): ", c.lane.environment, c.subject.name, c.point.name,
		c.strike, c.subject.mode.name, c.subject.store) + fmt.Sprintf(format, args...)})
}

// judge finds out what became of a cell, and puts right what only a person can.
func (c *cell) judge(ctx context.Context) (*verdict, error) {
	v := &verdict{cell: c}
	var err error
	switch c.point.op {
	case opRefresh, opAction:
		err = c.judgeLiving(ctx, v)
	case opRevoked:
		err = c.judgeRevoked(ctx, v)
	case opConnect:
		err = c.judgeConnect(ctx, v)
	case opDisconnect:
		err = c.judgeGone(ctx, v)
	}
	if err != nil {
		return nil, fmt.Errorf("judging %s at %s: %w", c.lane.key(c.subject), c.point.name, err)
	}
	c.clock(v)
	if len(v.findings) > 0 || c.lane.seen {
		for _, r := range c.lane.gate.since(c.lane.key(c.subject), c.began.Add(-seenBefore)) {
			v.seen = append(v.seen, r.told(c.struck))
		}
	}
	return v, nil
}

// seenBefore is how long before its round a finding is told from: rounds before have left intents.
const seenBefore = 3 * time.Minute

// judgeLiving: a connection that was refreshed, or acted, under a fault.
func (c *cell) judgeLiving(ctx context.Context, v *verdict) error {
	tested, err := c.lane.product.Test(ctx, c.lane.id(c.subject))
	described, describeErr := c.lane.product.Describe(ctx, c.lane.id(c.subject))
	if describeErr != nil {
		return describeErr
	}
	v.status = described.Look.Status
	v.lost = v.status == connection.Expired || connection.TypeOf(err) == connection.ErrReconnectRequired
	if c.point.op == opRefresh && c.err != nil && connection.TypeOf(c.err) == connection.ErrReconnectRequired {
		v.lost = true
	}
	switch {
	case v.lost && !c.excused():
		v.find(lineAvoidable, "%s: %v", described.Look.Reason, err)
	case v.lost:
		if err := c.judgeAlert(ctx, v, described.Look.Status); err != nil {
			return err
		}
	case err != nil || !tested.Passed:
		v.find(lineBroken, "does not work afterwards: status %s, %+v %v", v.status, tested, err)
	}
	if err := c.countTokens(ctx, v); err != nil {
		return err
	}
	if c.point.op == opAction {
		if err := c.countEffects(ctx, v); err != nil {
			return err
		}
	}
	if v.lost {
		return c.lane.renew(ctx, c.subject)
	}
	return nil
}

// excused: nobody could have kept the grant. Either the app ends one whose answer nobody
// stored, and whoever had the answer died with it or never got it; or a token has been
// presented twice, each time by somebody who died, and is not presented a third time.
func (c *cell) excused() bool {
	if c.subject.mode.replaces && c.lane.gate.presentedOut(c.lane.key(c.subject)) {
		return true
	}
	lost := c.subject.mode.strict && c.lane.gate.answerLost(c.lane.key(c.subject), c.began)
	switch c.strike {
	case killWorker, killTwice:
		return lost
	case loseAnswer, failAnswer:
		return c.subject.mode.strict && c.point.kind == kindRedeem
	case partition: // what is held too long is an answer that is lost
		return lost && c.heldTooLong()
	case killGateway, stall, calm:
		return false
	}
	return false
}

// judgeAlert: a loss that nobody could avoid is said, once and in time.
func (c *cell) judgeAlert(ctx context.Context, v *verdict, status connection.Status) error {
	if status != connection.Expired {
		v.find(lineAlerts, "lost, but shown as %s", status)
		return nil
	}
	rows, _, err := c.lane.product.ListAlerts(ctx, workflows.AlertFilter{Connection: c.lane.id(c.subject)}, 10, nil)
	for wait := 0; err == nil && len(rows) == 0 && wait < 20; wait++ { // lists follow a moment later
		time.Sleep(250 * time.Millisecond)
		rows, _, err = c.lane.product.ListAlerts(ctx, workflows.AlertFilter{Connection: c.lane.id(c.subject)}, 10, nil)
	}
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		v.find(lineAlerts, "%d alerts of it are open", len(rows))
		return nil
	}
	due := c.struck.Add(budget + time.Minute)
	if c.strike == killTwice {
		due = due.Add(budget + recovery)
	}
	if late := rows[0].Since.Sub(due); late > 0 {
		v.find(lineAlerts, "the alert came %s after it was due", late)
	}
	return nil
}

// judgeRevoked: a grant that the app has ended is asked about, told, and left alone.
func (c *cell) judgeRevoked(ctx context.Context, v *verdict) error {
	for range 3 { // work goes on asking for it, and the app must not be
		within, cancel := context.WithTimeout(ctx, 20*time.Second)
		_, _ = c.lane.act(within, c.subject, "list-contacts", "")
		cancel()
	}
	described, err := c.lane.product.Describe(ctx, c.lane.id(c.subject))
	for wait := 0; err == nil && described.Look.Status != connection.Expired && wait < 60; wait++ {
		time.Sleep(500 * time.Millisecond)
		described, err = c.lane.product.Describe(ctx, c.lane.id(c.subject))
	}
	if err != nil {
		return err
	}
	v.status = described.Look.Status
	if v.status != connection.Expired {
		v.find(lineBroken, "its grant is dead, and it is shown as %s", v.status)
	} else if err := c.judgeAlert(ctx, v, v.status); err != nil {
		return err
	}
	redeems := 0
	for _, r := range c.lane.gate.since(c.lane.key(c.subject), c.began) {
		if r.kind == kindRedeem {
			redeems++
		}
	}
	if redeems > 2 {
		v.find(lineHammered, "asked %d times about a grant that is dead", redeems)
	}
	return c.lane.disconnect(ctx, c.subject)
}

// judgeConnect: a connect ends as a connection that works, or asks precisely.
func (c *cell) judgeConnect(ctx context.Context, v *verdict) error {
	id := c.lane.id(c.subject)
	switch {
	case c.err == nil:
		if tested, err := c.lane.product.Test(ctx, id); err != nil || !tested.Passed {
			v.find(lineBroken, "was connected and does not work: %+v %v", tested, err)
		}
		if err := c.lane.disconnect(ctx, c.subject); err != nil {
			return err
		}
	case errors.Is(c.err, errAgain):
		v.lost = true // of the authorization; nothing else was there
		if !c.lane.gate.presentedCode(c.lane.key(c.subject)) {
			v.find(lineBroken, "asks to authorize again although no code was spent")
		}
		if err := c.lane.product.CancelConnect(ctx, id, workflows.Reason{Reason: "chaos"}); err != nil {
			return err
		}
	default:
		v.find(lineBroken, "%v", c.err)
		_ = c.lane.product.CancelConnect(ctx, id, workflows.Reason{Reason: "chaos"})
	}
	return c.judgeNothingLeft(ctx, v)
}

// judgeGone: a connection that was ended leaves nothing.
func (c *cell) judgeGone(ctx context.Context, v *verdict) error {
	if c.err != nil {
		v.find(lineBroken, "the disconnect answers %v", c.err)
	}
	return c.judgeNothingLeft(ctx, v)
}

// clock measures how long the connection was left alone after the strike.
func (c *cell) clock(v *verdict) {
	if c.strike == calm || !c.came {
		return
	}
	opened := false
	for _, r := range c.lane.gate.since(c.lane.key(c.subject), c.began) {
		if r.at.Before(c.struck) {
			opened = opened || r.kind == kindIntent && r.status == 200
			if r.kind == kindSettle && r.status == 200 {
				opened = false
			}
			continue
		}
		if v.noticed == 0 {
			v.noticed = r.at.Sub(c.struck)
		}
		if v.resumed == 0 && (r.kind == kindRedeem || r.kind == kindExchange || r.kind == kindRevoke || r.kind == kindProbe || r.kind == kindAction) {
			v.resumed = r.at.Sub(c.struck)
		}
	}
	v.behind = opened
}
