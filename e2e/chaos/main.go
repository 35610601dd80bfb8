package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	good, err := command(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(2)
	}
	if !good {
		os.Exit(1)
	}
}

// portOffset keeps the ports apart from those of other tests and of a stack that somebody works with.
const portOffset = 21500

const usage = `chaos kills and cuts the running product at named points and counts what was lost.

  make chaos                                    a full run: four sweeps and the controls
  make chaos CHAOS_ARGS="--sweeps 1 --only redeem"
  make chaos CHAOS_ARGS="--seed 7"              the same choices again

It prints tables as Markdown on standard output, progress on standard error, and
exits with 1 where something was found that must not be, with 2 where it could not
run. The binaries must be built: make build.

Flags:
`

// command runs what the arguments ask for and reports whether all is well.
func command(ctx context.Context, args []string) (bool, error) {
	began := time.Now()
	p := plan{modes: modes, stores: storeFaults, crowds: true, say: func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%6.0f s  "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
	}}
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage); flags.PrintDefaults() }
	flags.Uint64Var(&p.seed, "seed", uint64(began.UnixNano()), "what everything random is made from (default: the time)")
	flags.IntVar(&p.sweeps, "sweeps", 4, "how often each point is gone to; a sweep takes four to five minutes")
	only := flags.String("only", "", "regular expression: only points whose name matches")
	without := flags.String("controls", ".", "regular expression: only controls without something that matches; ^$ is none")
	report := flags.String("json", "", "file for the whole result")
	flags.StringVar(&p.root, "root", "..", "the repository, for the controls")
	flags.IntVar(&p.portOffset, "port-offset", portOffset, "added to every port of the servers")
	flags.BoolVar(&p.seen, "seen", false, "write of every cell what the gates saw, not only where something was found")
	flags.BoolVar(&p.keep, "keep", false, "keep logs and state")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	var err error
	if *only != "" {
		if p.only, err = regexp.Compile(*only); err != nil {
			return false, fmt.Errorf("--only: %w", err)
		}
	}
	if len(p.points()) == 0 || p.sweeps < 1 {
		return false, fmt.Errorf("no point matches --only %q, or --sweeps is below 1", *only)
	}
	chosen, err := regexp.Compile(*without)
	if err != nil {
		return false, fmt.Errorf("--controls: %w", err)
	}
	p.controls = slices.DeleteFunc(slices.Clone(controls), func(c control) bool { return !chosen.MatchString(c.without) })
	if p.root, err = filepath.Abs(p.root); err != nil {
		return false, err
	}
	p.bin = filepath.Join(p.root, "bin")
	b, err := campaign(ctx, p)
	if b.Cells > 0 {
		b.print(os.Stdout)
	}
	if *report != "" {
		if wrong := b.write(*report); err == nil {
			err = wrong
		}
	}
	return err == nil && b.good(), err
}
