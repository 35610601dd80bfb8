package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"connectedapps/connectors"
)

func startBars() []bar {
	return []bar{{name: "start", what: "how long it takes to start", run: runStarts, target: "definitions < 50 ms, command line < 100 ms, worker < 1 s"}}
}

// startTimes is how often each is started in a round.
const startTimes = 5

// runStarts starts each of them again and again, in turn.
func runStarts(ctx context.Context, r *rig) (*result, error) {
	var load, command, work []float64
	apps := 0
	for i := range r.rounds {
		loaded, err := timed(ctx, startTimes, func(context.Context) error {
			catalogue, err := connectors.Load()
			if err == nil {
				apps = len(catalogue.Apps())
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		commanded, err := timed(ctx, startTimes, func(ctx context.Context) error {
			return exec.CommandContext(ctx, filepath.Join(r.bin, "connected-apps"), "help").Run()
		})
		if err != nil {
			return nil, fmt.Errorf("connected-apps help: %w", err)
		}
		worked, err := timed(ctx, startTimes, r.startWorker)
		if err != nil {
			return nil, fmt.Errorf("another worker: %w", err)
		}
		load, command, work = append(load, milliseconds(quantile(loaded, 0.5))), append(command, milliseconds(quantile(commanded, 0.5))),
			append(work, milliseconds(quantile(worked, 0.5)))
		r.say("round %d of %d: definitions %.0f ms, command line %.0f ms, worker %.0f ms", i+1, r.rounds, last(load), last(command), last(work))
	}
	return &result{Checks: []check{
		across(load, atMost("load and check the definitions of all connectors", 0, 50, "ms")),
		across(command, atMost("start of the command line, until help is told", 0, 100, "ms")),
		across(work, atMost("start of a worker, until it is ready", 0, 1000, "ms")),
	}, Figures: []figure{{"connectors", float64(apps), ""}}}, nil
}

// startWorker starts one more worker of another environment, waits until it says that it
// is ready, and ends it.
func (r *rig) startWorker(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	health := listener.Addr().String()
	_ = listener.Close() // it was only a question
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, workerBinary))
	// The rig has what every process of the stack is told in its own environment.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CONNECTED_APPS_ENV_FILE=") })
	cmd.Env = append(cmd.Env, "CONNECTED_APPS_ENVIRONMENT=staging", "CONNECTED_APPS_HEALTH_LISTEN="+health,
		"CONNECTED_APPS_IDENTITIES="+filepath.Join(r.dir, "identities", "worker"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := start(cmd); err != nil {
		return err
	}
	err = until(ctx, readyWithin, func() (bool, error) { return answers(ctx, "http://"+health+"/readyz"), nil })
	_ = cmd.Process.Kill() // it has done nothing yet
	_ = cmd.Wait()
	return err
}
