// Command parent is a workflow of somebody else's that uses a toolkit: it runs
// two actions of a connection as child workflows and prints what came of it.
//
//	TEMPORAL_NAMESPACE=development parent --connection development/sandbox/demo
//
// It finds Temporal by Temporal's own variables and runs in the namespace of the
// connection's environment, where the workers of Connected Apps take the children.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const ownQueue = "contacts-digest"

func main() {
	connection := flag.String("connection", "development/sandbox/demo", "`ID` of a connection of the sandbox app")
	toolkit := flag.String("toolkit", "", "toolkit of the connection (default \"default\")")
	within := flag.Duration("within", 2*time.Minute, "how long to wait for the result")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *within)
	defer cancel()
	if err := run(ctx, DigestInput{Connection: *connection, Toolkit: *toolkit}); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in DigestInput) error {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return err
	}
	options.Logger = log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return fmt.Errorf("temporal cannot be reached; set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE: %w", err)
	}
	defer c.Close()
	w := worker.New(c, ownQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(ContactsDigest, workflow.RegisterOptions{Name: "ContactsDigest"})
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	started, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: "contacts-digest/" + time.Now().UTC().Format("20060102-150405.000"), TaskQueue: ownQueue,
		WorkflowExecutionTimeout: time.Hour, StaticSummary: "a digest of the contacts of " + in.Connection,
	}, "ContactsDigest", in)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "workflow", started.GetID())
	var digest Digest
	if err := started.Get(ctx, &digest); err != nil {
		return explain(err)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(digest)
}

// explain puts the typed reason of a failed action first.
func explain(err error) error {
	var reason *temporal.ApplicationError
	if errors.As(err, &reason) {
		return fmt.Errorf("%s: %s", reason.Type(), reason.Message())
	}
	return err
}
