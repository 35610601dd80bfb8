package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"connectedapps/deployment"
	"connectedapps/vault"
)

// up starts everything, does the main job, and stays until ctx ends. A nil error
// means that it was asked to stop, or with --once that the main job went well.
func up(ctx context.Context, o options, out io.Writer) (err error) {
	started := time.Now()
	r := &launch{options: o, tell: &narration{out: out}}
	if err := r.prepare(); err != nil {
		if o.temporary {
			_ = os.RemoveAll(o.dir) // made for this run, which has not begun
		}
		return err
	}
	defer func() { _ = r.lock.Close() }() // the process ends anyway
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	if r.stack, err = newStack(o.path("logs"), r.tell, fail); err != nil {
		return err
	}
	defer func() { err = r.finish(err) }()
	r.tell.heading("Connected Apps, in %s", o.dir)
	if err := r.start(ctx); err != nil {
		return why(ctx, err)
	}
	r.tell.note("everything is ready after %s", brief(time.Since(started)))
	mainJob := r.mainJob(ctx)
	if ctx.Err() != nil || o.once && mainJob != nil {
		return why(ctx, mainJob)
	}
	if o.once {
		r.tell.heading("The main job went well; everything took %s.", brief(time.Since(started)))
		return nil
	}
	if err := r.announce(ctx, mainJob); err != nil {
		return err
	}
	<-ctx.Done()
	return why(ctx, nil)
}

// why is the reason the run ends: that of the context where something failed it,
// and nothing where a person stopped it.
func why(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case cause == nil:
		return err
	case errors.Is(cause, context.Canceled):
		return nil
	}
	return cause
}

// launch is one run of the stack.
type launch struct {
	options
	around   surroundings
	env      []string
	settings deployment.Settings
	tell     *narration
	lock     *os.File
	stack    *stack
	sandbox  *sandbox
	// mu keeps two writers of ready.json apart.
	mu sync.Mutex
}

// prepare checks everything that can be checked before something is started.
func (r *launch) prepare() (err error) {
	if r.around, err = takeSurroundings(); err != nil {
		return err
	}
	for flag, replaced := range map[string]bool{portTemporal: r.around.temporal != "", portTemporalUI: r.around.temporal != "",
		portVault: r.around.vault != "", portVaultCluster: r.around.vault != ""} {
		r.ports.find(flag).unused = replaced
	}
	if r.around.temporal != "" {
		r.ports.find(portTemporalMetrics).unused = true
	}
	if r.once {
		if err := r.ports.pickFree(); err != nil {
			return err
		}
	}
	if r.lock, err = claim(r.dir); err != nil {
		return err
	}
	if err := forget(r.path(recordName)); err != nil {
		return err
	}
	if err := r.ports.check(); err != nil {
		return err
	}
	if r.env, err = r.shared(r.around); err != nil {
		return err
	}
	if err := apply(r.env); err != nil {
		return err
	}
	forOthers := append(slices.Clone(r.env), "CONNECTED_APPS_IDENTITIES="+r.identities(vault.Gateway))
	if own := os.Getenv("CONNECTED_APPS_CONNECTORS"); own != "" { // what the workers load, the command line must know too
		forOthers = append(forOthers, "CONNECTED_APPS_CONNECTORS="+own)
	}
	if err := writeEnv(r.path("env"), forOthers); err != nil {
		return err
	}
	if err := os.Setenv("CONNECTED_APPS_IDENTITIES", r.identities(vault.Gateway)); err != nil {
		return err
	}
	r.settings, err = deployment.Read()
	return err
}

// start brings up the servers together, and then whoever uses them.
func (r *launch) start(ctx context.Context) error {
	if err := together(ctx, r.startVault, r.startTemporal, r.startSandbox); err != nil {
		return err
	}
	if r.serversOnly {
		return nil
	}
	users := []func(context.Context) error{r.startGateway}
	for _, environment := range environments {
		users = append(users, func(ctx context.Context) error {
			return r.stack.start(ctx, workerSpec(&r.options, environment))
		})
	}
	started := time.Now()
	if err := together(ctx, users...); err != nil {
		return err
	}
	r.tell.part("workers", time.Since(started), strings.Join(environments, ", ")+", one each")
	return nil
}

func (r *launch) startVault(ctx context.Context) error {
	started := time.Now()
	admin, err := vaultAdmin(r.around.vault, r.around.token)
	about := r.around.vault + ", yours (VAULT_ADDR)"
	if r.around.vault == "" {
		admin, err = startVault(ctx, r.stack, &r.options)
		about = "http://" + r.ports.address(portVault) + ", unsealed, policies and logins installed"
	}
	if err == nil {
		err = provision(ctx, admin, &r.options)
	}
	if err == nil {
		r.tell.part("Vault", time.Since(started), about)
	}
	return err
}

func (r *launch) startTemporal(ctx context.Context) error {
	started := time.Now()
	about := "http://" + r.ports.address(portTemporalUI) + ", one namespace per environment"
	var err error
	if r.around.temporal == "" {
		err = startTemporal(ctx, r.stack, &r.options)
	} else {
		about = r.around.temporal + ", yours (TEMPORAL_ADDRESS)"
		err = prepareTemporal(ctx, r.settings, r.tell)
	}
	if err == nil {
		r.tell.part("Temporal", time.Since(started), about)
	}
	return err
}

func (r *launch) startSandbox(ctx context.Context) error {
	started := time.Now()
	app, err := startSandbox(ctx, r.stack, &r.options)
	if err == nil {
		r.sandbox = app
		r.tell.part("sandbox app", time.Since(started), app.url+", access tokens live "+brief(r.accessTTL))
	}
	return err
}

func (r *launch) startGateway(ctx context.Context) error {
	started := time.Now()
	err := r.stack.start(ctx, gatewaySpec(&r.options))
	if err == nil {
		r.tell.part("gateway", time.Since(started), r.gatewayURL())
	}
	return err
}

// together does all at once and answers the first failure, which ends the others.
func together(ctx context.Context, all ...func(context.Context) error) error {
	failures := make(chan error, len(all))
	for _, do := range all {
		go func() { failures <- do(ctx) }()
	}
	for range all {
		if err := <-failures; err != nil {
			return err
		}
	}
	return nil
}

// finish stops everything in order; a second Ctrl-C kills what is left.
func (r *launch) finish(err error) error {
	if gone := forget(r.path(recordName)); err == nil {
		err = gone
	}
	if !r.once {
		r.tell.note("\n  stopping; a second Ctrl-C kills what is left")
	}
	hurry := make(chan struct{})
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-again
		close(hurry)
	}()
	started := time.Now()
	r.stack.stop(hurry)
	r.tell.note("stopped in %s", brief(time.Since(started)))
	if !r.temporary {
		return err
	}
	if err != nil {
		r.tell.note("logs and state are kept in %s", r.dir)
		return err
	}
	if err := os.RemoveAll(r.dir); err != nil {
		return fmt.Errorf("the temporary directory: %w", err)
	}
	return nil
}
