package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	enumspb "go.temporal.io/api/enums/v1"
)

// answerLost reports whether the app answered a refresh of this connection with a token
// that Vault never got, and whoever had asked for it died afterwards: then nobody could
// have kept the grant of a strict app.
func (g *gate) answerLost(subject string, from time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.calls {
		if c.subject == subject && c.kind == kindRedeem && c.issued != "" && !c.at.Before(from) && g.committed[c.issued].IsZero() &&
			g.diedBetween(subject, c.at, time.Now()) {
			return true
		}
	}
	return false
}

// presentedOut reports whether the connection's token was announced twice, in one round or
// in one after the other, and whoever announced it first died before the second: what the
// app had answered is lost, and nobody presents a token a third time.
func (g *gate) presentedOut(subject string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	var first time.Time
	again := false
	for _, c := range g.calls {
		if c.subject != subject || !c.write || c.status != http.StatusOK {
			continue
		}
		switch {
		case c.kind == kindSettle || c.kind == kindAdopt:
			first, again = time.Time{}, false
		case c.kind == kindIntent && first.IsZero():
			first = c.at
		case c.kind == kindIntent && c.doc.Intent.Presentations > 1:
			again = again || g.diedBetween(subject, first, c.at)
		}
	}
	return again
}

// diedBetween reports whether a worker of the subject's lane died after one moment and before another.
func (g *gate) diedBetween(subject string, from, to time.Time) bool {
	return slices.ContainsFunc(g.deaths[environmentOf(subject)], func(at time.Time) bool { return at.After(from) && at.Before(to) })
}

// died notes that the worker of an environment was killed, or cut off so that another took over.
func (g *gate) died(environment string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deaths[environment] = append(g.deaths[environment], time.Now())
}

// heldTooLong reports whether the rig held the connection's request to the app for longer
// than the product waits for an answer.
func (c *cell) heldTooLong() bool {
	for _, r := range c.lane.gate.since(c.lane.key(c.subject), c.began) {
		if r.held && r.kind == kindRedeem && c.released.Sub(r.at) > redeemTimeout {
			return true
		}
	}
	return false
}

// presentedCode reports whether the app was given the connection's code.
func (g *gate) presentedCode(subject string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.calls {
		if c.subject == subject && c.kind == kindExchange {
			return true
		}
	}
	return false
}

// heldAt reports whether Vault held a token at a moment.
func (g *gate) heldAt(token string, at time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	when, ok := g.committed[token]
	return ok && when.Before(at)
}

// countTokens reads in the app's ledger how its refresh tokens were used.
func (c *cell) countTokens(ctx context.Context, v *verdict) error {
	lines, err := c.lane.sandbox.of(ctx, func(e entry) bool {
		return e.Kind == "token" && e.GrantType == "refresh_token" && e.Family == c.subject.family && e.Time.After(c.began)
	})
	if err != nil {
		return err
	}
	times := map[string]int{}
	newest := ""
	for _, e := range lines {
		times[e.Presented]++
		delete(times, e.IssuedRefresh) // one that is handed out again begins anew
		if strings.Contains(e.Detail, "reuse") && newest != "" && e.Presented != newest && c.lane.gate.heldAt(newest, e.Time) {
			v.find(lineRevoked, "token %s was presented, and its family revoked, when Vault held %s", e.Presented, newest)
		}
		if e.IssuedRefresh != "" {
			newest = e.IssuedRefresh
		}
	}
	for token, n := range times {
		switch {
		case !c.subject.mode.replaces: // the token is the same each time
		case n > 2:
			v.find(linePresented, "token %s was presented %d times", token, n)
		case n > 1 && c.strike == calm:
			v.find(lineDouble, "token %s was presented %d times without a fault", token, n)
		}
	}
	expired, err := c.lane.sandbox.of(ctx, func(e entry) bool {
		return e.Kind == "api" && e.Status == http.StatusUnauthorized && e.Detail == "expired" && e.Time.After(c.began) &&
			c.lane.gate.owner(e.Credential) == c.lane.key(c.subject)
	})
	if err != nil {
		return err
	}
	for _, r := range c.lane.gate.since(c.lane.key(c.subject), c.began) {
		if r.held { // it was good when it was sent
			expired = slices.DeleteFunc(expired, func(e entry) bool { return e.Credential == r.presented })
		}
	}
	if len(expired) > 0 {
		v.find(lineExpired, "%d requests with an expired token, the first %+v", len(expired), expired[0])
	}
	return nil
}

// countEffects reads in the app's ledger how often an action was carried out.
func (c *cell) countEffects(ctx context.Context, v *verdict) error {
	path := map[string]string{"create-contact": "/api/v1/contacts", "create-key": "/api/v1/keys"}[c.action]
	if path == "" {
		if c.err != nil {
			v.find(lineBroken, "an action that only reads answers %v", c.err)
		}
		return nil
	}
	lines, err := c.lane.sandbox.of(ctx, func(e entry) bool {
		return e.Kind == "api" && e.Method == http.MethodPost && e.Path == path && e.Outcome == "ok" && e.Time.After(c.began) &&
			c.lane.gate.owner(e.Credential) == c.lane.key(c.subject)
	})
	if err != nil {
		return err
	}
	effects, keys := 0, map[string]bool{}
	for _, e := range lines {
		if e.IdempotencyKey == "" || !keys[e.IdempotencyKey] { // the app does it once for each key
			effects++
		}
		keys[e.IdempotencyKey] = true
	}
	switch {
	case effects > 1:
		v.find(lineTwice, "%s was carried out %d times", c.action, effects)
	case c.err == nil && effects == 0:
		v.find(lineTwice, "%s is said to be done, and the app knows of nothing", c.action)
	case c.err != nil && !unknown(c.err) && effects == 1:
		v.find(lineTwice, "%s was carried out and is said to have failed: %v", c.action, c.err)
	}
	return nil
}

// judgeNothingLeft: no secret, no workflow and no grant remains of a connection.
func (c *cell) judgeNothingLeft(ctx context.Context, v *verdict) error {
	id := c.lane.id(c.subject)
	var left []string
	for wait := 0; wait < 120; wait++ {
		var err error
		if left, err = c.lane.remains(ctx, c.subject); err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		time.Sleep(500 * time.Millisecond)
	}
	v.find(lineOrphans, "%s: %s", id, strings.Join(left, ", "))
	return nil
}

// remains is what is left of a connection in Vault, in Temporal and at the app.
func (l *lane) remains(ctx context.Context, s *subject) ([]string, error) {
	var left []string
	base := "connected-apps/" + l.environment + "/secrets/metadata/"
	for _, folder := range []string{"connections", "candidates", "attempts", "outputs"} {
		path := base + folder + "/trial/" + s.name
		read, err := l.root.Logical().ReadWithContext(ctx, path)
		if err != nil {
			return nil, err
		}
		listed, err := l.root.Logical().ListWithContext(ctx, path)
		if err != nil {
			return nil, err
		}
		if read != nil || listed != nil {
			left = append(left, folder+" in Vault")
		}
	}
	for _, workflow := range []string{workflows.ConnectionWorkflowID(l.id(s)), workflows.ConnectWorkflowID(l.id(s))} {
		described, err := l.product.Temporal.DescribeWorkflowExecution(ctx, workflow, "")
		if err == nil && described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			left = append(left, "the workflow "+workflow)
		}
	}
	families, err := l.familiesOf(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, family := range families {
		grants, err := l.sandbox.grants(ctx, family)
		if err != nil {
			return nil, err
		}
		for _, g := range grants {
			if g.RevokedAt.IsZero() {
				left = append(left, "the grant "+g.Family)
			}
		}
	}
	return left, nil
}

// familiesOf are the grants that the app has made for a connection, whether or not
// anybody was told.
func (l *lane) familiesOf(ctx context.Context, s *subject) ([]string, error) {
	lines, err := l.sandbox.of(ctx, func(e entry) bool {
		return e.Kind == "token" && e.Family != "" && e.IssuedAccess != "" && (l.gate.owner(e.IssuedAccess) == l.key(s) || l.gate.owner(e.Presented) == l.key(s))
	})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var all []string
	for _, e := range lines {
		if !seen[e.Family] {
			seen[e.Family] = true
			all = append(all, e.Family)
		}
	}
	return all, nil
}

// sweep looks for what nobody can explain once every connection is gone.
func (l *lane) sweep(ctx context.Context) ([]finding, error) {
	var found []finding
	rows, _, err := l.product.List(ctx, workflows.Filter{App: "trial"}, 1000, nil)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if row.Status != connection.Leaving {
			found = append(found, finding{lineOrphans, fmt.Sprintf("%s is still there, %s", row.ID, row.Status)})
		}
	}
	for _, folder := range []string{"connections", "candidates", "attempts", "outputs"} {
		listed, err := l.root.Logical().ListWithContext(ctx, "connected-apps/"+l.environment+"/secrets/metadata/"+folder+"/trial")
		if err != nil {
			return nil, err
		}
		if listed != nil {
			found = append(found, finding{lineOrphans, fmt.Sprintf("%s: %s in Vault: %v", l.environment, folder, listed.Data["keys"])})
		}
	}
	return found, nil
}
