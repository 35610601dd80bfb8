// Command platform does what an orchestration platform does to let its user
// connect an app: it starts a connect through the plain Temporal client, shows
// the link, and waits for the result. It uses names and JSON only.
//
//	TEMPORAL_NAMESPACE=development platform --connection development/sandbox/mine --auth-config demo
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
)

// connectInput is what ConnectApp takes; more can be asked for than this.
type connectInput struct {
	// Connection is the ID to make: <environment>/<app>/<name>.
	Connection string `json:"connection"`
	Method     string `json:"method,omitempty"`
	AuthConfig string `json:"auth_config,omitempty"`
	// RequestedBy is shown to the person who authorizes.
	RequestedBy string `json:"requested_by,omitempty"`
	// Fingerprint is any text that changes with the rest: the same request again
	// gets the same connect, another one for the same ID is ConnectionIDTaken.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// linkRequest is the argument of the update request-link.
type linkRequest struct {
	Fingerprint string `json:"fingerprint,omitempty"`
}

// link is its answer.
type link struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

func main() {
	var in connectInput
	flag.StringVar(&in.Connection, "connection", "development/sandbox/mine", "`ID` of the connection to make")
	flag.StringVar(&in.Method, "method", "oauth", "how to authenticate")
	flag.StringVar(&in.AuthConfig, "auth-config", "demo", "`name` of the client registration to use")
	in.RequestedBy = "the platform example"
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, in); err != nil {
		fmt.Fprintln(os.Stderr, "error:", explain(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, in connectInput) error {
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
	answer, err := requestLink(ctx, c, in)
	if err != nil {
		return err
	}
	fmt.Printf("Open this link within %s, once:\n\n  %s\n\n", time.Until(answer.Expires).Round(time.Minute), answer.URL)
	var result json.RawMessage
	if err := c.GetWorkflow(ctx, "connect/"+in.Connection, "").Get(ctx, &result); err != nil {
		return err
	}
	fmt.Printf("connected: %s\n", result)
	return nil
}

// requestLink starts ConnectApp, unless the same connect is open, and asks it for
// a link, in one call: an update with a start.
func requestLink(ctx context.Context, c client.Client, in connectInput) (link, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return link{}, err
	}
	sum := sha256.Sum256(text)
	in.Fingerprint = hex.EncodeToString(sum[:])
	handle, err := c.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
			ID: "connect/" + in.Connection, TaskQueue: "connected-apps",
			WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		}, "ConnectApp", in),
		UpdateOptions: client.UpdateWorkflowOptions{UpdateName: "request-link", Args: []any{linkRequest{in.Fingerprint}},
			WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err != nil {
		return link{}, err
	}
	var answer link
	return answer, handle.Get(ctx, &answer)
}

// explain puts the type of the failure, which is public contract, before its text.
func explain(err error) error {
	var reason *temporal.ApplicationError
	if errors.As(err, &reason) {
		return fmt.Errorf("%s: %s", reason.Type(), reason.Message())
	}
	return err
}
