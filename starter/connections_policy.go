package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

// policyReport is the policy that a connection has.
type policyReport struct {
	Connection connection.ID     `json:"connection"`
	Policy     connection.Policy `json:"policy"`
	// Words say it for people.
	Words string `json:"words"`
}

// policyFlags are what connections set-policy is told.
type policyFlags struct{ idle, probeEvery, expires string }

func (p *program) setPolicyCommand() *cobra.Command {
	var f policyFlags
	c := p.entityCommand("set-policy ID", "Set how a connection looks after itself", `  connected-apps connections set-policy development/sandbox/my-account --idle on-demand
  connected-apps connections set-policy development/sandbox/my-account --probe-every 15m
  connected-apps connections set-policy production/github/bot --expires 2027-01-31`, nil)
	c.Long = `Set how a connection looks after itself. What is not given stays as it is.

--idle says what is done while nobody uses it: "keep-fresh" renews tokens in time and
looks at the app at every probe interval; "on-demand" asks the app nothing by itself.
--probe-every replaces the app's own interval; "default" goes back to it.
--expires is for what the app does not tell, such as the end of an API key: people are
warned ahead of it. "none" forgets it, and so does a new credential.`
	c.RunE = func(c *cobra.Command, args []string) error {
		in, err := f.parse(c, time.Now())
		if err != nil {
			return err
		}
		e, id, err := p.named(c.Context(), c, args[0])
		if err != nil {
			return err
		}
		return p.setPolicy(c.Context(), e, id, in)
	}
	flags := c.Flags()
	flags.StringVar(&f.idle, "idle", "", `while nobody uses it: "keep-fresh" or "on-demand"`)
	flags.StringVar(&f.probeEvery, "probe-every", "", `how often the app is asked whether the connection works, such as 15m; "default" is the app's own interval`)
	flags.StringVar(&f.expires, "expires", "", `when the credential ends: a day (its beginning, UTC), a time, or how long from now, such as 90d; "none" if it does not`)
	complete(c, "idle", fixed(idlePolicies()...))
	complete(c, "probe-every", fixed("default", "15m", "1h", "6h", "1d"))
	complete(c, "expires", fixed("none"))
	return c
}

func idlePolicies() []string {
	return []string{string(connection.KeepFresh), string(connection.OnDemand)}
}

// parse reads the flags that were given; none is nothing to do.
func (f policyFlags) parse(c *cobra.Command, now time.Time) (workflows.SetPolicy, error) {
	var in workflows.SetPolicy
	changed := c.Flags().Changed
	if !changed("idle") && !changed("probe-every") && !changed("expires") {
		return in, connection.InvalidInput("", "nothing is to be set", "give --idle, --probe-every or --expires")
	}
	if changed("idle") {
		if !slices.Contains(idlePolicies(), f.idle) {
			return in, connection.InvalidInput("idle", fmt.Sprintf("%q is not a policy", connection.Bound(f.idle, 40)), "use "+strings.Join(idlePolicies(), " or "))
		}
		idle := connection.IdlePolicy(f.idle)
		in.Idle = &idle
	}
	if changed("probe-every") {
		var every time.Duration // the app's own
		if f.probeEvery != "default" {
			var err error
			if every, err = parseSpan("probe-every", f.probeEvery); err != nil {
				return in, err
			}
			if every < connection.ProbeMin || every > connection.ProbeMax {
				return in, connection.InvalidInput("probe-every", "this interval is not possible", `use one between 1m and 30d, or "default"`)
			}
		}
		in.ProbeEvery = &every
	}
	if changed("expires") {
		var expires time.Time // none
		if f.expires != "none" {
			var err error
			if expires, err = parseEnd("expires", f.expires, now); err != nil {
				return in, err
			}
		}
		in.Expires = &expires
	}
	return in, nil
}

func (p *program) setPolicy(ctx context.Context, e *environment, id connection.ID, in workflows.SetPolicy) error {
	var policy connection.Policy
	err := p.work(ctx, e, "the connection", func(ctx context.Context) error {
		var err error
		policy, err = e.SetPolicy(ctx, id, in)
		return err
	})
	if err != nil {
		return err
	}
	report := policyReport{Connection: id, Policy: policy, Words: p.policyWords(id, policy)}
	return p.print(report, func(t *table) {
		t.row("CONNECTION", id.String())
		t.row("POLICY", report.Words)
	})
}

// policyWords says a policy for people, with the app's own interval where it leaves that.
func (p *program) policyWords(id connection.ID, policy connection.Policy) string {
	var words []string
	if policy.Idle == connection.OnDemand {
		words = append(words, "on-demand: nothing is asked of the app while nobody uses it")
	} else {
		every, whose := policy.ProbeEvery, ""
		if app, known := p.appOf(id.String()); every == 0 && known {
			every, whose = app.ProbeInterval(), ", the app's own interval"
		}
		words = append(words, "keep-fresh: renewed in time, and looked at every "+span(every)+whose)
	}
	if !policy.Expires.IsZero() {
		words = append(words, "the credential is said to end "+moment(policy.Expires))
	}
	return strings.Join(words, "; ")
}

// span is a length of time as people write it: 36h, 15m, 7d.
func span(d time.Duration) string {
	if d > 0 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
