package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"connectedapps/deployment"
	"connectedapps/workflows"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/durationpb"
)

// retention of namespaces that are made here: how long closed workflows can be looked at.
const retention = 72 * time.Hour

// startTemporal runs the embedded server, which makes namespaces and search attributes itself.
func startTemporal(ctx context.Context, s *stack, o *options) error {
	args := []string{"--db", o.path("temporal.db"), "--retention", retention.String(),
		"--port", strconv.Itoa(o.ports.number(portTemporal)), "--ui-port", strconv.Itoa(o.ports.number(portTemporalUI)),
		"--codec-endpoint", o.gatewayURL() + "/codec"}
	if metrics := o.ports.find(portTemporalMetrics); !metrics.unused {
		args = append(args, "--metrics-port", strconv.Itoa(metrics.number))
	}
	for _, environment := range environments {
		args = append(args, "--namespace", environment)
	}
	attributes := workflows.SearchAttributes()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		args = append(args, "--search-attribute", name+"="+attributes[name])
	}
	return s.start(ctx, spec{name: "temporal", what: "Temporal", binary: o.binary("devstack-temporal"), args: args,
		server: true, restart: o.restartServers, announces: true, stopWithin: 15 * time.Second})
}

// prepareTemporal makes what is missing on a server of the person's: namespaces
// and search attributes, as far as it lets us. What it does not is named by the worker's own check.
func prepareTemporal(ctx context.Context, settings deployment.Settings, tell *narration) error {
	for _, environment := range environments {
		c, err := settings.Client(environment, nil, nil, zap.NewNop())
		if err != nil {
			return err
		}
		err = prepareNamespace(ctx, c, tell)
		c.Temporal.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func prepareNamespace(ctx context.Context, c *workflows.Client, tell *narration) error {
	if _, err := c.Temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("the Temporal that TEMPORAL_ADDRESS names does not answer: %w; start it, or unset the variable to use the embedded server", err)
	}
	_, err := c.Temporal.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: c.Namespace(), WorkflowExecutionRetentionPeriod: durationpb.New(retention),
		Description: "Connected Apps, " + c.Environment})
	var exists *serviceerror.NamespaceAlreadyExists
	switch {
	case err == nil:
		tell.note("made the Temporal namespace %s", c.Namespace())
	case !errors.As(err, &exists):
		// Temporal Cloud, for one, makes no namespaces here; one that exists is all that is needed.
		tell.note("the Temporal namespace %s could not be made (%v); it must exist", c.Namespace(), err)
	}
	return addAttributes(ctx, c, tell)
}

// addAttributes adds the search attributes that the namespace lacks, and waits
// until it knows them: a new namespace is known everywhere after some seconds.
func addAttributes(ctx context.Context, c *workflows.Client, tell *narration) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var last error
	for asked := false; ; {
		if last = c.CheckNamespace(ctx); last == nil {
			return nil
		}
		answer, err := c.Temporal.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: c.Namespace()})
		if err == nil && !asked {
			missing := lacking(answer.GetCustomAttributes())
			_, err = c.Temporal.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
				Namespace: c.Namespace(), SearchAttributes: missing})
			if asked = err == nil; asked {
				tell.note("added %d search attributes to the Temporal namespace %s", len(missing), c.Namespace())
			}
			var denied *serviceerror.PermissionDenied
			var unimplemented *serviceerror.Unimplemented
			if errors.As(err, &denied) || errors.As(err, &unimplemented) {
				return fmt.Errorf("search attributes could not be added (%w): %w", err, last)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the Temporal namespace %s is not ready: %w", c.Namespace(), last)
		case <-time.After(time.Second):
		}
	}
}

func lacking(present map[string]enumspb.IndexedValueType) map[string]enumspb.IndexedValueType {
	kinds := map[string]enumspb.IndexedValueType{
		"Keyword": enumspb.INDEXED_VALUE_TYPE_KEYWORD, "KeywordList": enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST,
		"Datetime": enumspb.INDEXED_VALUE_TYPE_DATETIME,
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, kind := range workflows.SearchAttributes() {
		if _, ok := present[name]; !ok {
			missing[name] = kinds[kind]
		}
	}
	return missing
}
