package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"connectedapps/vault"
)

// linkWithin bounds the wait for a sign-in link, which takes a moment.
const linkWithin = 15 * time.Second

// announce writes ready.json and tells the person where everything is.
func (r *launch) announce(ctx context.Context, mainJob error) error {
	written := &record{
		Temporal: r.around.temporal, Vault: r.around.vault, Gateway: r.gatewayURL(), Sandbox: r.sandbox.url,
		SandboxCredentials: r.sandbox.credentials, EnvFile: r.path("env"), Dir: r.dir, Logs: r.path("logs"),
		Identities: map[string]string{vault.Worker: r.identities(vault.Worker), vault.Gateway: r.identities(vault.Gateway)},
		Namespaces: map[string]string{}, Workers: map[string]string{}, MainJob: "skipped", Since: time.Now().UTC(),
	}
	if written.Temporal == "" {
		written.Temporal, written.TemporalUI = r.ports.address(portTemporal), "http://"+r.ports.address(portTemporalUI)
		if !r.ports.find(portTemporalMetrics).unused {
			written.TemporalMetrics = "http://" + r.ports.address(portTemporalMetrics) + "/metrics"
		}
	}
	if written.Vault == "" {
		written.Vault, written.VaultInit = "http://"+r.ports.address(portVault), r.path("vault", "init.json")
	}
	for _, environment := range environments {
		written.Namespaces[environment] = r.settings.Namespace(environment)
		written.Workers[environment] = "http://" + r.ports.address(portWorker(environment))
	}
	if r.options.mainJob {
		written.MainJob, written.Connection = "passed", demo.String()
		if mainJob != nil {
			written.MainJob = "failed"
		}
	}
	publish := func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		written.PIDs = r.stack.pids()
		return written.write(r.path(recordName))
	}
	if err := publish(); err != nil {
		return err
	}
	r.stack.onChange(func() {
		if err := publish(); err != nil {
			r.tell.note("%s could not be written: %v", recordName, err)
		}
	})
	if r.serversOnly {
		r.tell.note("the gateway and the workers are yours to run; everything needed is in %s", r.path(recordName))
		return nil
	}
	r.tellWhere(written, mainJob, r.signInLink(ctx))
	return nil
}

func (r *launch) tellWhere(written *record, mainJob error, link string) {
	if mainJob != nil {
		r.tell.heading("The main job failed: %v\n  Everything stays up, so that you can look.", mainJob)
	}
	r.tell.heading("Everything is up. Ctrl-C stops it; what was made is still there at the next start.")
	r.tell.heading("  Look at it")
	if written.TemporalUI != "" {
		r.tell.note("  Temporal    %s/namespaces/development/workflows", written.TemporalUI)
	}
	r.tell.note("  gateway     %s/readyz", written.Gateway)
	if link != "" {
		r.tell.note("  console     %s", link)
		r.tell.note("              signs you in, once and within ten minutes; for another link: console, below")
	}
	r.tell.note("  sandbox     %s   (its ledger: /ledger/summary)", written.Sandbox)
	r.tell.note("  logs        %s", relative(written.Logs))
	r.tell.note("  addresses   %s", relative(r.path(recordName)))
	prefix := ""
	if relative(written.EnvFile) != filepath.Join(".devstack", "env") {
		prefix = "CONNECTED_APPS_ENV_FILE=" + written.EnvFile + " " // whole: the other shell may be elsewhere
	}
	cli := prefix + relative(r.binary("connected-apps"))
	r.tell.heading("  Use it, in another shell")
	r.tell.note("  %s connections list", cli)
	r.tell.note("  %s connections test %s", cli, demo)
	r.tell.note("  %s actions run %s list-contacts", cli, demo)
	r.tell.note("  %s connect development/sandbox/mine --auth-config demo", cli)
	r.tell.note("  %s console --open", cli)
	r.tell.note("  %s help", cli)
	r.tell.note("")
}

// signInLink asks the command line for a one-time link, which is told to the person
// and written to no file; "" where that fails, which is then said.
func (r *launch) signInLink(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, linkWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.binary("connected-apps"), "console")
	cmd.Env = append(os.Environ(), "CONNECTED_APPS_ENV_FILE=")
	out, err := cmd.Output()
	if err != nil {
		r.tell.note("there is no sign-in link: connected-apps console: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// relative is how a person in this directory would write the path.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	short, err := filepath.Rel(here, path)
	if err != nil || !filepath.IsLocal(short) {
		return path
	}
	return short
}
