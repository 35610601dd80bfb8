package main

import (
	"context"
	"fmt"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

func (p *program) sinksListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the alert sinks of an environment, without their secrets", Args: takes(),
		Example:           "  connected-apps alerts sinks list --environment production",
		ValidArgsFunction: fixed(),
		RunE: func(c *cobra.Command, _ []string) error {
			sinks, err := p.sinks(c.Context())
			if err != nil {
				return err
			}
			return p.print(sinks, func(t *table) {
				t.row("NAME", "KIND", "HOST", "CREATED", "ROTATED", "STATE")
				for _, sink := range sinks {
					state := "on"
					if sink.Disabled != "" {
						state = "disabled " + moment(sink.DisabledAt) + ": " + sink.Disabled
					}
					t.row(sink.Name, string(sink.Kind), or(sink.Host, "-"), moment(sink.Created), or(moment(sink.Rotated), "never"), state)
				}
			})
		},
	}
}

// sinks asks the environment that --environment names; none is an empty list.
func (p *program) sinks(ctx context.Context) ([]workflows.SinkState, error) {
	e, err := p.open(ctx, p.environment)
	if err != nil {
		return nil, err
	}
	var sinks []workflows.SinkState
	err = p.work(ctx, e, "the sinks", func(ctx context.Context) error {
		sinks, err = e.Sinks(ctx)
		return err
	})
	if sinks == nil {
		sinks = []workflows.SinkState{}
	}
	return sinks, err
}

func (p *program) sink(ctx context.Context, name string) (workflows.SinkState, error) {
	if err := connection.CheckSlug("name", name); err != nil {
		return workflows.SinkState{}, err
	}
	sinks, err := p.sinks(ctx)
	if err != nil {
		return workflows.SinkState{}, err
	}
	for _, sink := range sinks {
		if sink.Name == name {
			return sink, nil
		}
	}
	return workflows.SinkState{}, activities.NoSink(name)
}

func (p *program) sinksTestCommand() *cobra.Command {
	return &cobra.Command{
		Use: "test NAME", Short: "Send a test message to a sink, now", Args: takes("NAME"),
		Example:           "  connected-apps alerts sinks test ops --environment production",
		ValidArgsFunction: p.completeSinks,
		RunE: func(c *cobra.Command, args []string) error {
			e, err := p.open(c.Context(), p.environment)
			if err != nil {
				return err
			}
			var result workflows.SinkTest
			err = p.work(c.Context(), e, "the sink to answer", func(ctx context.Context) error {
				result, err = e.TestSink(ctx, args[0])
				return err
			})
			if err != nil {
				return err
			}
			if result.Delivered {
				return p.print(result, func(t *table) { t.row(fmt.Sprintf("%s took the test message (%d).", args[0], result.Status)) })
			}
			remedy := "see that it answers 2xx within 15 seconds, then: connected-apps alerts sinks test " + args[0]
			if result.Problem != nil && result.Problem.Remedy != "" {
				remedy = result.Problem.Remedy
			}
			return connection.Refused(connection.ErrTestFailed, "the test message did not arrive: "+result.Reason, remedy)
		},
	}
}

func (p *program) sinksDeleteCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "delete NAME", Short: "Deliver no alerts to a sink any more, and destroy its secrets", Args: takes("NAME"),
		Example:           "  connected-apps alerts sinks delete ops --environment production --yes",
		ValidArgsFunction: p.completeSinks,
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			if err := connection.CheckSlug("name", args[0]); err != nil {
				return err
			}
			if !yes && p.interactive() {
				sure, err := p.confirm(ctx, fmt.Sprintf("Delete the alert sink %s of %s?", args[0], p.environment), false)
				if err != nil {
					return err
				}
				if !sure {
					p.note("Nothing was deleted.")
					return nil
				}
			}
			e, err := p.open(ctx, p.environment)
			if err != nil {
				return err
			}
			err = p.work(ctx, e, "the sink to be deleted", func(ctx context.Context) error { return e.DeleteSink(ctx, args[0]) })
			if err != nil {
				return err
			}
			return p.print(map[string]string{"sink": args[0], "result": "deleted"}, func(t *table) { t.row(args[0] + ": deleted") })
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}
