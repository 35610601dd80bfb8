package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"connectedapps/activities"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// The floor's worker is this program once more, in a process of its own, so that what
// it costs can be told from what ours costs. What runs in it is written as plainly as
// the SDK lets it. It also runs the parents of both sides, as a platform would.
const (
	parentQueue = "bench-parents"
	floorQueue  = "bench"        // as workflows.Queue: workflows
	egressQueue = "bench-egress" // as workflows.EgressQueue: activities

	// floorVariable holds what the floor's worker is told; with it set, the program is that.
	floorVariable = "CONNECTED_APPS_BENCH_FLOOR"
)

// floorConfig is what the floor's worker is told. The key is read from the sandbox's
// own file: it stands in no environment and on no command line.
type floorConfig struct {
	Temporal, Namespace  string
	Sandbox, Credentials string
}

// getInput is the request that the bare activity sends.
type getInput struct {
	Path string `json:"path"`
}

// getResult is what came back.
type getResult struct {
	Status int             `json:"status"`
	Data   json.RawMessage `json:"data"`
}

// bare are the floor's activities.
type bare struct {
	base, key string
	http      *http.Client
}

// Get sends the request that list-contacts sends, and answers what it answers.
func (b *bare) Get(ctx context.Context, in getInput) (*getResult, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+in.Path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-API-Key", b.key)
	response, err := b.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	return &getResult{Status: response.StatusCode, Data: body}, nil
}

// bareOptions are the least that an activity can be given. Its queue is not its
// workflow's, as ours is not.
var bareOptions = workflow.ActivityOptions{TaskQueue: egressQueue, StartToCloseTimeout: time.Minute,
	RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute}}

// bareAction is a workflow around one bare activity: the floor of RunAction.
func bareAction(ctx workflow.Context, in getInput) (*getResult, error) {
	var out getResult
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, bareOptions), "Get", in).Get(ctx, &out)
	return &out, err
}

// parentInput says what a parent does, and how often, one after the other.
type parentInput struct {
	Kind   string                     `json:"kind"`
	Times  int                        `json:"times"`
	Bare   getInput                   `json:"bare"`
	Action activities.CallActionInput `json:"action"`
}

// What a parent does.
const (
	oursActivity  = "ours-activity"  // CallAction on our egress queue
	oursChild     = "ours-child"     // RunAction
	floorActivity = "floor-activity" // Get on the floor's
	floorChild    = "floor-child"    // bareAction
)

// parent is somebody's workflow that uses an action.
func parent(ctx workflow.Context, in parentInput) error {
	for range in.Times {
		var f workflow.Future
		switch in.Kind {
		case oursActivity:
			f = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflows.ActionOptions(in.Action)), "CallAction", in.Action)
		case floorActivity:
			f = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, bareOptions), "Get", in.Bare)
		case oursChild:
			f = workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{TaskQueue: workflows.Queue}),
				workflows.TypeRunAction, workflows.RunActionInput{CallActionInput: in.Action})
		case floorChild:
			f = workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{TaskQueue: floorQueue}),
				"BareAction", in.Bare)
		default:
			return fmt.Errorf("there is no kind %q", in.Kind)
		}
		var answer getResult
		if err := f.Get(ctx, &answer); err != nil {
			return err
		}
		if answer.Status != http.StatusOK {
			return fmt.Errorf("status %d", answer.Status)
		}
	}
	return nil
}

// floorWorker is the main of the floor's process, until it is told to stop. It says
// one line when it works.
func floorWorker(told string) error {
	var config floorConfig
	if err := json.Unmarshal([]byte(told), &config); err != nil {
		return err
	}
	var credentials map[string]string
	if err := readJSON(config.Credentials, &credentials); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := client.DialContext(ctx, client.Options{HostPort: config.Temporal, Namespace: config.Namespace, Logger: quiet{}})
	if err != nil {
		return err
	}
	defer c.Close()
	// Cache and slots are those of our worker.
	worker.SetStickyWorkflowCacheSize(500)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64 // of the default 2, sixteen callers would dial anew each time
	b := &bare{base: config.Sandbox + "/api/v1", key: credentials["api_key"], http: &http.Client{Transport: transport}}
	parents, flows, egress := worker.New(c, parentQueue, worker.Options{}), worker.New(c, floorQueue, worker.Options{}),
		worker.New(c, egressQueue, worker.Options{MaxConcurrentActivityExecutionSize: 200, DisableWorkflowWorker: true})
	parents.RegisterWorkflowWithOptions(parent, workflow.RegisterOptions{Name: "Parent"})
	parents.RegisterWorkflowWithOptions(bareConnect, workflow.RegisterOptions{Name: "BareConnect"})
	flows.RegisterWorkflowWithOptions(bareAction, workflow.RegisterOptions{Name: "BareAction"})
	egress.RegisterActivity(b)
	for _, w := range []worker.Worker{parents, flows, egress} {
		if err := w.Start(); err != nil {
			return err
		}
		defer w.Stop()
	}
	fmt.Println("working")
	<-ctx.Done()
	return nil
}

// quiet is a logger that says nothing.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// floorProcess is the running floor's worker.
type floorProcess struct{ cmd *exec.Cmd }

func startFloor(ctx context.Context, r *rig) (*floorProcess, error) {
	cmd, err := childOf(ctx, floorVariable, floorConfig{Temporal: r.ready.Temporal, Namespace: r.client.Namespace(),
		Sandbox: r.ready.Sandbox, Credentials: r.ready.SandboxCredentials})
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := start(cmd); err != nil {
		return nil, err
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		_ = cmd.Wait()
		return nil, errNotReady
	}
	return &floorProcess{cmd}, nil
}

func (p *floorProcess) pid() int { return p.cmd.Process.Pid }

func (p *floorProcess) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// starts runs what starts children, on the one thread that never ends.
var starts = func() chan func() {
	requests := make(chan func())
	go func() {
		runtime.LockOSThread()
		for request := range requests {
			request()
		}
	}()
	return requests
}()
