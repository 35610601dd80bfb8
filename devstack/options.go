package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// environments of the development stack; each gets a namespace, a worker and identities.
var environments = []string{"development", "staging", "production"}

// sealed are those whose payloads are sealed: development is left readable, so that
// both can be seen.
const sealed = "staging,production"

// options are what `devstack up` was asked for.
type options struct {
	// dir is absolute. With once and no --dir it is a temporary directory.
	dir string
	// bin holds the other binaries; they are built beside this one.
	bin           string
	vaultTemplate string
	once          bool
	// temporary directories are removed after a run that went well.
	temporary bool
	mainJob   bool
	// restartServers is for tests that kill them.
	restartServers bool
	// serversOnly is for tests that run the gateway and the workers themselves.
	serversOnly bool
	// sandboxIssuer is the origin under which the sandbox is known; "" is where it listens.
	sandboxIssuer string
	accessTTL     time.Duration
	ports         ports
}

func parseUp(args []string) (options, error) {
	o := options{ports: defaultPorts()}
	executable, err := os.Executable()
	if err != nil {
		return o, fmt.Errorf("where this program is: %w", err)
	}
	flags := flag.NewFlagSet("devstack up", flag.ContinueOnError)
	flags.StringVar(&o.dir, "dir", "", "directory of all state (default .devstack; with --once a temporary one)")
	flags.StringVar(&o.bin, "bin", filepath.Dir(executable), "directory of the other binaries")
	flags.StringVar(&o.vaultTemplate, "vault-config", "", "template of Vault's configuration (default devstack/vault/server.hcl.tmpl beside the directory of the binaries)")
	flags.BoolVar(&o.once, "once", false, "stop after the main job and exit 0 or 1; ports that are not given are free ones")
	noMainJob := flags.Bool("no-main-job", false, "only start; make no connection")
	flags.DurationVar(&o.accessTTL, "access-ttl", time.Hour, "life of the sandbox's access tokens; 20s shows refreshes going on")
	flags.BoolVar(&o.restartServers, "restart-servers", false, "start a server that ended again, instead of stopping everything; for tests that kill one")
	flags.BoolVar(&o.serversOnly, "servers-only", false, "start Vault, Temporal and the sandbox app, no gateway and no worker; for tests that run those themselves")
	flags.StringVar(&o.sandboxIssuer, "sandbox-issuer", "", "origin under which the sandbox app is known, for a proxy in front of it (default where it listens)")
	offset := flags.Int("port-offset", 0, "added to every port that is not given by its own flag")
	for _, p := range o.ports {
		flags.IntVar(&p.number, p.flag, p.number, "port of "+p.purpose)
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: %w", flags.Arg(0), errUsage)
	}
	flags.Visit(func(f *flag.Flag) {
		if p := o.ports.find(f.Name); p != nil {
			p.given = true
			p.unused = p.optional && p.number == 0
		}
	})
	o.mainJob = !*noMainJob && !o.serversOnly
	if o.accessTTL < time.Second {
		return o, fmt.Errorf("--access-ttl must be at least 1s: %w", errUsage)
	}
	if err := o.ports.shift(*offset); err != nil {
		return o, err
	}
	return o, o.resolve()
}

// resolve makes the paths absolute and creates the directory.
func (o *options) resolve() error {
	var err error
	if o.bin, err = filepath.Abs(o.bin); err != nil {
		return err
	}
	if o.vaultTemplate == "" {
		o.vaultTemplate = filepath.Join(filepath.Dir(o.bin), "devstack", "vault", "server.hcl.tmpl")
	}
	switch {
	case o.dir == "" && o.once:
		o.temporary = true
		o.dir, err = os.MkdirTemp("", "devstack-")
		return err
	case o.dir == "":
		o.dir = ".devstack"
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return fmt.Errorf("the state directory cannot be made: %w; choose another with --dir", err)
	}
	return nil
}

func parseStatus(args []string) (string, error) {
	flags := flag.NewFlagSet("devstack status", flag.ContinueOnError)
	dir := flags.String("dir", ".devstack", "directory of the state")
	if err := flags.Parse(args); err != nil {
		return "", err
	}
	if flags.NArg() > 0 {
		return "", fmt.Errorf("unexpected argument %q: %w", flags.Arg(0), errUsage)
	}
	return filepath.Abs(*dir)
}

func (o *options) path(parts ...string) string {
	return filepath.Join(append([]string{o.dir}, parts...)...)
}

func (o *options) binary(name string) string { return filepath.Join(o.bin, name) }
