package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	bareCachedQueue = "bench-bare-cached"
	// A Connection has so many handlers; they are part of what it is.
	bareUpdates, bareSignals = 11, 6
)

// bareWaiting is the least that a workflow with the handlers and the list's attributes of
// a Connection can be: they do nothing, and it waits for an activity that nobody runs.
func bareWaiting(ctx workflow.Context) error {
	for i := range bareUpdates {
		if err := workflow.SetUpdateHandler(ctx, fmt.Sprintf("update-%d", i), func(workflow.Context, string) error { return nil }); err != nil {
			return err
		}
	}
	var signals []workflow.ReceiveChannel
	for i := range bareSignals {
		signals = append(signals, workflow.GetSignalChannel(ctx, fmt.Sprintf("signal-%d", i)))
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{TaskQueue: bareCachedQueue + "-nobody", StartToCloseTimeout: time.Minute,
		ScheduleToCloseTimeout: time.Hour})
	waiting := workflow.ExecuteActivity(ctx, "Nobody")
	workflow.Go(ctx, func(ctx workflow.Context) {
		_ = workflow.Await(ctx, func() bool {
			for _, s := range signals {
				if s.Len() > 0 {
					return true
				}
			}
			return false
		})
	})
	return waiting.Get(ctx, nil)
}

// bareVariable tells a process of its own how many such workflows it is to cache, and in
// which server's. This one holds whatever the other bars have left in it.
const bareVariable = "BENCH_BARE_CACHED"

// bareOrder is what that process is told.
type bareOrder struct {
	Temporal string `json:"temporal"`
	Count    int    `json:"count"`
}

// bareCached is what one such workflow takes of a worker's memory while it is cached, in
// bytes: heap and stacks that are alive after a collection.
func (s *stack) bareCached(ctx context.Context, count int) (float64, error) {
	cmd, err := childOf(ctx, bareVariable, bareOrder{s.ready.Temporal, count})
	if err != nil {
		return 0, err
	}
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// bareMain is the main of that process: it prints the bytes.
func bareMain(told string) error {
	var order bareOrder
	if err := json.Unmarshal([]byte(told), &order); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bytes, err := measureBare(ctx, order.Temporal, order.Count)
	if err == nil {
		fmt.Println(bytes)
	}
	return err
}

func measureBare(ctx context.Context, address string, count int) (float64, error) {
	c, err := client.DialContext(ctx, client.Options{HostPort: address, Namespace: environment, Logger: quiet{}})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	w := worker.New(c, bareCachedQueue, worker.Options{DisableRegistrationAliasing: true})
	w.RegisterWorkflowWithOptions(bareWaiting, workflow.RegisterOptions{Name: "BareWaiting"})
	if err := w.Start(); err != nil {
		return 0, err
	}
	defer w.Stop()
	var attributes []temporal.SearchAttributeUpdate
	for _, key := range []temporal.SearchAttributeKeyKeyword{workflows.AttributeApp, workflows.AttributeEnvironment, workflows.AttributeName,
		workflows.AttributeStatus, workflows.AttributeAuthKind, workflows.AttributeAuthConfig, workflows.AttributeAccount} {
		attributes = append(attributes, key.ValueSet("a value of a usual length"))
	}
	begin := func(first, last int) error {
		return together(ctx, last-first, 8, func(ctx context.Context, i int) error {
			id := fmt.Sprintf("bare-cached-%d", first+i)
			_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: bareCachedQueue,
				TypedSearchAttributes: temporal.NewSearchAttributes(attributes...)}, "BareWaiting")
			return err
		})
	}
	alive := func() (float64, error) {
		if err := sleep(ctx, 3*time.Second); err != nil { // the last workflow tasks end, and what they held
			return 0, err
		}
		for range 6 { // a stack shrinks by half in each
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc + m.StackInuse), nil
	}
	const first = 5 // what they bring with them
	if err := begin(0, first); err != nil {
		return 0, err
	}
	before, err := alive()
	if err != nil {
		return 0, err
	}
	if err := begin(first, first+count); err != nil {
		return 0, err
	}
	after, err := alive()
	return (after - before) / float64(count), err
}
