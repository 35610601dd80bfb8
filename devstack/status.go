package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// status tells what runs on a directory, from its ready.json and from the
// processes and addresses themselves. Anything that does not answer is an error.
func status(ctx context.Context, dir string, out io.Writer) error {
	r, err := readRecord(filepath.Join(dir, recordName))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("nothing is ready in %s: start it with make run, or wait until it has started", dir)
	}
	if err != nil {
		return err
	}
	if !alive(r.PIDs["devstack"]) {
		return fmt.Errorf("the devstack that ran in %s was killed: start it again with make run", dir)
	}
	_, _ = fmt.Fprintf(out, "devstack in %s, up for %s, main job %s\n\n", r.Dir, time.Since(r.Since).Round(time.Second), r.MainJob)
	bad := 0
	show := func(name, address string, err error) {
		state := "ok"
		if err != nil {
			state = err.Error()
			bad++
		}
		_, _ = fmt.Fprintf(out, "  %-20s %-26s %s\n", name, address, state)
	}
	for _, name := range slices.Sorted(maps.Keys(r.PIDs)) {
		var err error
		if !alive(r.PIDs[name]) {
			err = errors.New("ended")
		}
		show(name, fmt.Sprintf("process %d", r.PIDs[name]), err)
	}
	show("vault", r.Vault, answers(r.Vault+"/v1/sys/health")(ctx))
	if r.TemporalUI != "" {
		show("temporal's web ui", r.TemporalUI, answers(r.TemporalUI)(ctx))
	}
	show("sandbox", r.Sandbox, answers(r.Sandbox+"/.well-known/oauth-authorization-server")(ctx))
	show("gateway", r.Gateway, answers(r.Gateway+"/readyz")(ctx))
	for _, environment := range slices.Sorted(maps.Keys(r.Workers)) {
		show("worker "+environment, r.Workers[environment], answers(r.Workers[environment]+"/readyz")(ctx))
	}
	if bad > 0 {
		return fmt.Errorf("%d of these are not well; the logs are in %s", bad, r.Logs)
	}
	return nil
}

func alive(pid int) bool { return pid > 0 && syscall.Kill(pid, 0) == nil }
