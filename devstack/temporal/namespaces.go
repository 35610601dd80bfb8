package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const (
	// pollInterval is the pace of waiting for something that takes a second or less.
	pollInterval = 25 * time.Millisecond

	// registryRefresh is how long a service may go on with an old copy of a
	// namespace (system.namespaceCacheRefreshInterval, 2 s) and a little more.
	registryRefresh = 2500 * time.Millisecond

	// noSuchWorkflow is asked for to learn whether workflows can be asked for.
	noSuchWorkflow = "devstack-temporal-readiness"
)

// prepareNamespaces waits until the server can work in each namespace and adds
// the search attributes that a namespace from an earlier run lacks.
func prepareNamespaces(ctx context.Context, o options) error {
	conn, err := grpc.NewClient(o.address(o.port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to the server: %w", err)
	}
	defer conn.Close()
	workflows := workflowservice.NewWorkflowServiceClient(conn)
	operator := operatorservice.NewOperatorServiceClient(conn)

	added := false
	for _, namespace := range o.namespaces {
		if err := until(ctx, func() error { return serves(ctx, workflows, namespace) }); err != nil {
			return fmt.Errorf("namespace %s is not served: %w", namespace, err)
		}
		missing, err := missingAttributes(ctx, operator, namespace, o.searchAttributes)
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			continue
		}
		_, err = operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: namespace, SearchAttributes: missing,
		})
		if err != nil {
			return fmt.Errorf("add search attributes to namespace %s: %w", namespace, err)
		}
		added = true
	}
	if !added {
		return nil
	}
	return awaitAttributes(ctx, operator, o)
}

// serves reports whether a workflow of the namespace could be looked up: frontend,
// history and its shard are all up when the answer is that there is none.
func serves(ctx context.Context, workflows workflowservice.WorkflowServiceClient, namespace string) error {
	_, err := workflows.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: namespace,
		Execution: &commonpb.WorkflowExecution{WorkflowId: noSuchWorkflow},
	})
	err = serviceerror.FromStatus(status.Convert(err))
	// A namespace that is not known yet is another type with the same gRPC code.
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		return nil
	}
	return err
}

// missingAttributes returns those of wanted that the namespace lacks. One that
// exists with another type is an error: the type of a search attribute cannot be
// changed.
func missingAttributes(
	ctx context.Context, operator operatorservice.OperatorServiceClient,
	namespace string, wanted map[string]enumspb.IndexedValueType,
) (map[string]enumspb.IndexedValueType, error) {
	list, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, fmt.Errorf("list search attributes of namespace %s: %w", namespace, err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, kind := range wanted {
		existing, ok := list.GetCustomAttributes()[name]
		if !ok {
			missing[name] = kind
		} else if existing != kind {
			return nil, fmt.Errorf("search attribute %s of namespace %s is a %s in this database, not a %s: use another --db file",
				name, namespace, existing, kind)
		}
	}
	return missing, nil
}

// awaitAttributes returns when every service knows the attributes just added. The
// frontend can be asked; history keeps a copy of its own, refreshed at its own
// pace, that nobody can see.
func awaitAttributes(ctx context.Context, operator operatorservice.OperatorServiceClient, o options) error {
	select {
	case <-time.After(registryRefresh):
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, namespace := range o.namespaces {
		err := until(ctx, func() error {
			missing, err := missingAttributes(ctx, operator, namespace, o.searchAttributes)
			if err == nil && len(missing) > 0 {
				err = fmt.Errorf("namespace %s still lacks %d search attributes", namespace, len(missing))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// until calls try until it returns nil, and returns its last error when ctx ends
// before that.
func until(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return err
		}
	}
}
