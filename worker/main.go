// Command connected-apps-worker runs the workflows and activities of one
// environment. It is configured by environment variables only; see package deployment.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/deployment"
	"connectedapps/vault"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.uber.org/zap"
)

const (
	// stickyCache bounds how many workflows are kept in memory. An idle connection
	// costs about 42 kB when cached and nothing when not; an update to one that is
	// not takes a few milliseconds more.
	stickyCache = 500
	// egressSlots bounds provider calls in flight, looks at connections among them. Each
	// that lasts costs Temporal four heartbeats in three seconds, and where those come late
	// a call that is alive is taken for dead and made again: more of them are less.
	egressSlots = 200
	// beatThrottle lets a heartbeat leave at once: one of them says that a request
	// which must not be repeated is about to be sent. Activities pace themselves.
	beatThrottle = 50 * time.Millisecond
	// stopTimeout is how long running activities get to end; drainTimeout how long a
	// refreshed token gets to be stored after that. A deployment must give both.
	stopTimeout, drainTimeout = 30 * time.Second, 20 * time.Second
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	settings, err := deployment.Read()
	if err != nil {
		return err
	}
	if err := settings.Serves(settings.Environment); err != nil {
		return connection.InvalidInput("CONNECTED_APPS_ENVIRONMENT", "a worker serves one environment", "set it to the environment's name")
	}
	log, err := settings.Log()
	if err != nil {
		return err
	}
	defer func() { _ = log.Sync() }()
	log = log.With(zap.String("environment", settings.Environment))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	w, err := assemble(settings, log)
	if err != nil {
		return err
	}
	return w.serve(ctx, settings.HealthListen)
}

// process is everything one worker runs.
type process struct {
	client     *workflows.Client
	payloads   *vault.Codec
	polling    client.Client
	activities *activities.Activities
	secrets    interface{ Ready(context.Context) error }
	workers    []worker.Worker
	log        *zap.Logger
}

func assemble(settings deployment.Settings, log *zap.Logger) (*process, error) {
	catalogue, err := settings.Catalogue()
	if err != nil {
		return nil, err
	}
	if err := settings.Budgets.Check(catalogue); err != nil {
		return nil, err
	}
	secrets, err := settings.Vault(settings.Environment, log)
	if err != nil {
		return nil, err
	}
	opened, err := settings.Open(settings.Environment, catalogue, secrets, log)
	if err != nil {
		return nil, err
	}
	polling, err := settings.Worker(opened, log)
	if err != nil {
		return nil, err
	}
	a := &activities.Activities{
		Environment: settings.Environment, GatewayURL: settings.GatewayURL, Catalogue: catalogue, Provider: settings.Provider(), WarnDays: settings.WarnDays, Budgets: settings.Budgets,
		Documents: secrets.Documents(), Inbox: secrets.Inbox(), AuthConfigs: secrets.AuthConfigs(), Attempts: secrets.Attempts(),
		Outputs: secrets.Outputs(), Sinks: secrets.Sinks(), Workflows: opened.Client, Log: log,
	}
	a.Prepare()
	worker.SetStickyWorkflowCacheSize(stickyCache)
	pollers := worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{})
	options := worker.Options{ActivityTaskPollerBehavior: pollers, WorkflowTaskPollerBehavior: pollers,
		WorkerStopTimeout: stopTimeout, MaxHeartbeatThrottleInterval: beatThrottle, DefaultHeartbeatThrottleInterval: beatThrottle}
	vaultWorker := worker.New(polling, workflows.Queue, options)
	workflows.Register(vaultWorker)
	a.RegisterVault(vaultWorker)
	egress := options
	egress.MaxConcurrentActivityExecutionSize = egressSlots
	egress.DisableWorkflowWorker = true
	egressWorker := worker.New(polling, workflows.EgressQueue, egress)
	a.RegisterEgress(egressWorker)
	log.Info("assembled", zap.Int("apps", len(catalogue.Apps())), zap.String("definitions", catalogue.Digest()), zap.String("payloads", opened.Payloads.Status()))
	return &process{client: opened.Client, payloads: opened.Payloads, polling: polling, activities: a, secrets: secrets, workers: []worker.Worker{vaultWorker, egressWorker}, log: log}, nil
}

// serve runs until the context ends, then lets running work end in order.
func (p *process) serve(ctx context.Context, healthListen string) error {
	if err := p.await(ctx); err != nil {
		return err
	}
	for _, w := range p.workers {
		if err := w.Start(); err != nil {
			return fmt.Errorf("a worker did not start: %w", err)
		}
	}
	health, err := p.health(healthListen)
	if err != nil {
		return err
	}
	p.log.Info("working")
	<-ctx.Done()
	p.log.Info("stopping: running activities get to end", zap.Duration("at_most", stopTimeout+drainTimeout))
	var stopped sync.WaitGroup
	for _, w := range p.workers {
		stopped.Go(w.Stop)
	}
	stopped.Wait()
	drain, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	p.activities.Drain(drain)
	p.polling.Close()
	p.client.Temporal.Close()
	_ = health.Shutdown(drain) // the process ends anyway
	return nil
}

// await blocks until Temporal answers and knows what this worker needs, and says
// what is missing meanwhile. Vault is waited for only by a worker that seals payloads:
// with the first key in memory nothing that it says has to be kept back later. Other
// work waits for Vault by itself.
func (p *process) await(ctx context.Context) error {
	for wait := time.Second; ; wait = min(2*wait, 15*time.Second) {
		err := p.client.CheckNamespace(ctx)
		if err == nil {
			if err = p.payloads.Ready(ctx); err == nil {
				err = p.client.EnsureSweep(ctx)
			}
		}
		if err == nil {
			return nil
		}
		p.log.Warn("not ready yet", zap.Error(err))
		select {
		case <-ctx.Done():
			return errors.New("stopped before Temporal was ready")
		case <-time.After(wait):
		}
	}
}

// health answers /healthz (the process lives) and /readyz (Temporal and Vault answer).
func (p *process) health(address string) (*http.Server, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		_, err := p.client.Temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
		if err == nil {
			err = p.secrets.Ready(ctx)
		}
		if err != nil {
			http.Error(w, connection.Bound(err.Error(), 300), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintf(w, "ready: definitions %s, payloads %s\n", p.activities.Catalogue.Digest(), p.payloads.Status())
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	if address == "" {
		return server, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("CONNECTED_APPS_HEALTH_LISTEN: %w", err)
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.log.Error("the health endpoint ended", zap.Error(err))
		}
	}()
	return server, nil
}
