package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"connectedapps/activities"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

// maxArguments bounds a file of arguments; Temporal takes 2 MiB in all.
const maxArguments = 1 << 20

// standingTime bounds the question how an action stands: the answer is a courtesy.
const standingTime = 2 * time.Second

// runFlags are what actions run is told.
type runFlags struct {
	in       activities.CallActionInput
	words    []string
	argsFile string
}

func (p *program) actionsRunCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use: "run ID ACTION", Short: "Run an action of a connection's toolkit", Args: takes("ID", "ACTION"),
		Long: `Run an action and write the data that the app answered, as JSON. With --output json
the answer is an object that holds data, the app's HTTP status, and next_cursor
where there is a next page.

--arg gives one argument, typed by the action's JSON Schema: numbers, booleans and
JSON where the schema says so, text where it allows text. --args-file gives a JSON
object; --arg wins over it. Repeat --arg for a list to add items.

With an --idempotency-key the action happens once: the same key again answers with
the first one's result.`,
		Example: `  connected-apps actions run development/sandbox/my-account list-contacts --arg limit=5
  connected-apps actions run development/sandbox/my-account create-contact --arg name="Grace Hopper" --idempotency-key order-17
  connected-apps actions run development/sandbox/my-account list-contacts --projection '[].name'`,
		ValidArgsFunction: p.completeActions,
		RunE:              func(c *cobra.Command, args []string) error { return p.runAction(c, args, f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.words, "arg", nil, "argument, as NAME=VALUE; repeatable")
	flags.StringVar(&f.argsFile, "args-file", "", `file with a JSON object of arguments; "-" is standard input`)
	flags.StringVar(&f.in.Toolkit, "toolkit", "", `toolkit of the connection (default "default")`)
	flags.StringVar(&f.in.IdempotencyKey, "idempotency-key", "", "key under which this happens once; a fresh one when not given")
	flags.BoolVar(&f.in.WaitForReconnect, "wait-for-reconnect", false, "wait, for days if need be, while a person must reconnect")
	flags.StringVar(&f.in.Projection, "projection", "", "JMESPath expression that picks what is written")
	flags.StringVar(&f.in.Owner, "owner", "", "whose work it is: a burst of one owner's does not hold up another's; the connection's own when not given")
	flags.StringVar(&f.in.Cursor, "cursor", "", "next_cursor of an earlier answer, for the page after it")
	complete(c, "toolkit", p.completeFlagToolkits)
	return c
}

func (p *program) runAction(c *cobra.Command, args []string, f runFlags) error {
	ctx := c.Context()
	id, err := p.parseID(c, args[0])
	if err != nil {
		return err
	}
	f.in.Connection, f.in.Action = id, args[1]
	action, err := p.action(args[0], args[1])
	if err != nil {
		return err
	}
	var object []byte
	if f.argsFile != "" {
		if object, err = p.readFile("args-file", f.argsFile, maxArguments); err != nil {
			return err
		}
	}
	if f.in.Arguments, err = arguments(schemaOf(action.Input.RawMessage), object, f.words); err != nil {
		return err
	}
	if err := action.CheckArguments(f.in.Arguments); err != nil {
		return err
	}
	e, err := p.open(ctx, id.Environment())
	if err != nil {
		return err
	}
	limit := actionTime
	if f.in.WaitForReconnect {
		limit = 0
	}
	var result *activities.CallActionResult
	if f.in.IdempotencyKey == "" { // a key of our own, to ask by how it stands
		f.in.IdempotencyKey = rand.Text()
	}
	stand := func(ctx context.Context) string { return e.standing(ctx, f.in) }
	err = p.waitSaying(ctx, e, "the action", stand, limit, func(ctx context.Context) error {
		result, err = e.RunAction(ctx, f.in)
		return err
	})
	if err != nil {
		return err
	}
	return p.printAnswer(result)
}

// standing says why an action has no answer yet; "" while nothing is known but that it runs.
func (e *environment) standing(ctx context.Context, in activities.CallActionInput) string {
	ctx, cancel := context.WithTimeout(ctx, standingTime)
	defer cancel()
	progress, err := e.ActionProgress(ctx, in.Connection, in.IdempotencyKey)
	if err != nil {
		return ""
	}
	return stands(progress, time.Now())
}

func stands(progress workflows.ActionProgress, now time.Time) string {
	switch {
	case progress.Reason == "":
		return ""
	case progress.Next.After(now):
		return fmt.Sprintf("%s; attempt %d comes %s", progress.Reason, progress.Attempt, ago(progress.Next, now))
	default:
		return fmt.Sprintf("%s; attempt %d runs", progress.Reason, progress.Attempt)
	}
}

func (p *program) printAnswer(result *activities.CallActionResult) error {
	if p.output == "json" {
		return p.printJSON(result)
	}
	data := result.Data
	if len(data) == 0 {
		data = json.RawMessage("null")
	}
	var text bytes.Buffer
	if err := json.Indent(&text, data, "", "  "); err != nil {
		return err
	}
	text.WriteByte('\n')
	if _, err := p.out.Write(text.Bytes()); err != nil {
		return err
	}
	if result.Truncated {
		p.note("warning: the answer was larger than allowed, and parts are missing; ask for less, or pick with --projection")
	}
	for _, place := range sortedKeys(result.Secrets) {
		p.note("the secret at %s was put into Vault: %s", place, result.Secrets[place])
	}
	if result.NextCursor != "" {
		p.note("there is more: --cursor '%s'", strings.ReplaceAll(result.NextCursor, "'", `'\''`))
	}
	return nil
}
