package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"connectedapps/connection"

	"github.com/spf13/cobra"
)

// newFlags are what apps new is told.
type newFlags struct{ kind, name, output string }

// newApp is what apps new answers.
type newApp struct {
	ID   string              `json:"id"`
	Kind connection.AuthKind `json:"kind"`
	// File is where it was written; "" when Definition holds it.
	File       string `json:"file,omitempty"`
	Definition string `json:"definition,omitempty"`
}

func (p *program) appsNewCommand() *cobra.Command {
	var f newFlags
	c := &cobra.Command{
		Use: "new ID", Short: "Write the beginning of a definition for an app of your own", Args: takes("ID"),
		Long: `Write a definition to start from, with comments that say what to replace. It is
sound as it is: "apps validate" accepts it. Without --output it is written to
standard output. A file that exists is never overwritten.`,
		Example: `  connected-apps apps new tickets --kind oauth2-code --output connectors/tickets.yaml
  connected-apps apps validate connectors`,
		ValidArgsFunction: fixed(),
		RunE:              func(_ *cobra.Command, args []string) error { return p.newApp(args[0], f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.kind, "kind", string(connection.APIKey), "how the app authenticates")
	flags.StringVar(&f.name, "name", "", "name that people read; made of the ID when not given")
	// Here it names a file. The two words that it takes elsewhere keep their meaning.
	flags.StringVarP(&f.output, "output", "o", "", `file to write, which must not exist; "json" and "table" are as elsewhere`)
	complete(c, "kind", fixed(kindNames()...))
	complete(c, "name", fixed())
	return c
}

func (p *program) newApp(id string, f newFlags) error {
	if f.output == "json" || f.output == "table" {
		p.output, f.output = f.output, ""
	}
	if err := connection.CheckSlug("ID", id); err != nil {
		return err
	}
	if !slices.Contains(kindNames(), f.kind) {
		return unknownKind("kind", f.kind)
	}
	if f.name == "" {
		f.name = strings.ToUpper(id[:1]) + strings.ReplaceAll(id[1:], "-", " ")
	}
	if strings.ContainsFunc(f.name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return connection.InvalidInput("name", "it holds a control character", "give a name on one line")
	}
	text := skeleton(id, f.name, connection.AuthKind(f.kind))
	made := newApp{ID: id, Kind: connection.AuthKind(f.kind), File: f.output}
	if f.output == "" {
		made.Definition = text
		if p.output == "json" {
			return p.printJSON(made)
		}
		_, err := fmt.Fprint(p.out, text)
		return err
	}
	if err := writeNew(f.output, text); err != nil {
		return err
	}
	return p.print(made, func(t *table) {
		t.fact("WRITTEN", f.output)
		t.fact("NEXT", "replace what its comments name, then: connected-apps apps validate "+f.output)
	})
}

// writeNew writes a file that is not there yet.
func writeNew(file, text string) error {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // #nosec G302 G304 -- a definition holds no secret, and the person names the file
	if errors.Is(err, fs.ErrExist) {
		return connection.InvalidInput("output", file+" exists already", "choose another name, or remove it first")
	}
	if err != nil {
		return connection.InvalidInput("output", file+" cannot be written", "check that its directory exists and may be written to")
	}
	if _, err = out.WriteString(text); err == nil {
		err = out.Close()
	}
	if err != nil {
		return connection.InvalidInput("output", file+" cannot be written whole", "check the space that is left")
	}
	return nil
}
