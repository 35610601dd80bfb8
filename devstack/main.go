package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `devstack starts the whole of Connected Apps on this machine.

  devstack up       start everything, do the main job on the sandbox app, stay until Ctrl-C
  devstack status   show what runs; exit 1 if nothing does
  devstack help     this text

  devstack up --help lists the flags.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "devstack:", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "devstack:", err)
		os.Exit(1)
	}
}

// errUsage marks a command line that was not understood; exit code 2.
var errUsage = errors.New("devstack help tells what there is")

func run(ctx context.Context, args []string, out io.Writer) error {
	command := "help"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "up":
		o, err := parseUp(args)
		if err != nil {
			return err
		}
		return up(ctx, o, out)
	case "status":
		dir, err := parseStatus(args)
		if err != nil {
			return err
		}
		return status(ctx, dir, out)
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(out, usage)
		return err
	}
	return fmt.Errorf("there is no command %q: %w", command, errUsage)
}
