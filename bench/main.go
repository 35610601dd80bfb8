package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	if is, err := asChild(); is { // this binary is the floor's worker too
		if err != nil {
			fmt.Fprintln(os.Stderr, "the floor's worker:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures what the command line names. Its error says that something could not be
// measured, or that a count is wrong; a time that missed its target is only told.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o := settings{progress: progress}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.StringVar(&o.bin, "bin", "../bin", "directory of the binaries")
	flags.IntVar(&o.offset, "port-offset", 23000, "added to every port of the stack")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds of each pair; a result needs five")
	flags.BoolVar(&o.short, "short", false, "a few operations in two rounds: good for counts, not for times")
	flags.Uint64Var(&o.seed, "seed", 1, "of what is random")
	flags.BoolVar(&o.keep, "keep", false, "leave the stack's directory")
	flags.IntVar(&o.herd, "herd", 10_000, "how many connections are due at once")
	flags.IntVar(&o.herdRate, "herd-rate", 30, "requests a second that their token endpoint is declared to take")
	sizes := flags.String("sizes", "1000,5000,20000", "how many connections are open in the bars of many, growing")
	only := flags.String("only", "", "`regexp` of the bars to run; all by default")
	list := flags.Bool("list", false, "list the bars")
	asJSON := flags.String("json", "", "`file` to write everything to")
	asMarkdown := flags.String("markdown", "", "`file` whose table to replace, between its markers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	var chosen []bar
	for _, b := range bars() {
		if wanted.MatchString(b.name) {
			chosen = append(chosen, b)
		}
	}
	if *list {
		for _, b := range chosen {
			_, _ = fmt.Fprintf(out, "%-24s %s\n", b.name, b.what)
		}
		return nil
	}
	if len(chosen) == 0 {
		return fmt.Errorf("--only %q names no bar; see --list", *only)
	}
	if o.sizes, err = readSizes(*sizes); err != nil {
		return err
	}
	if o.short {
		o.rounds = min(o.rounds, 2)
	}
	if o.rounds < 1 {
		return errors.New("--rounds: at least one")
	}
	r, err := openRig(ctx, o)
	if err != nil {
		return err
	}
	defer r.close()
	told, err := r.measureAll(ctx, chosen)
	if err != nil {
		return err
	}
	if err := told.table(out); err != nil {
		return err
	}
	if *asJSON != "" {
		text, err := json.MarshalIndent(told, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(*asJSON, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if *asMarkdown != "" {
		if err := told.replaceIn(*asMarkdown); err != nil {
			return err
		}
	}
	return told.wrong()
}

// measureAll runs the bars one after the other on one stack.
func (r *rig) measureAll(ctx context.Context, chosen []bar) (*report, error) {
	told := &report{Short: r.short, Began: time.Now().UTC()}
	var err error
	if told.Surroundings, err = r.surroundings(ctx); err != nil {
		return nil, err
	}
	for _, b := range chosen {
		r.bar = b.name
		r.say("%s", b.what)
		before, began := load(), time.Now()
		found, err := b.run(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		found.Name, found.What, found.Floor, found.Target = b.name, b.what, b.floor, b.target
		found.Load, found.Took = [2]float64{before, load()}, time.Since(began)
		told.Results = append(told.Results, found)
		r.say("done in %s", found.Took.Round(time.Second/10))
	}
	return told, nil
}
