package connectors

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// depth says how much of a definition is checked when it is read.
type depth int

const (
	shallow  depth = iota // shape only; expressions are compiled when first used
	thorough              // everything
)

// definition reads a document whose parents are merged. It answers every
// defect it can find; the app is nil when there is not enough to go on.
func (d *document) definition(how depth) (*App, []*DefinitionError) {
	report := &report{file: d.file, root: d.root, owners: d.owners}
	if how == thorough {
		report.shape()
		if len(report.defects) > 0 {
			return nil, report.sorted()
		}
	}
	app := new(App)
	if err := d.root.Load(app, yaml.WithKnownFields()); err != nil {
		report.decoding(err)
		return nil, report.sorted()
	}
	app.Source = d.file
	app.Digest = d.digest
	if how == thorough {
		report.app(app)
	}
	app.link()
	return app, report.sorted()
}

// parseYAML reads exactly one document without aliases.
func parseYAML(file string, data []byte) (*yaml.Node, *DefinitionError) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, &DefinitionError{File: file, Reason: err.Error()}
	}
	root := new(yaml.Node)
	if err := loader.Load(root); err != nil {
		return nil, syntaxDefect(file, err)
	}
	if err := loader.Load(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &DefinitionError{File: file, Line: 1, Column: 1, Reason: "it holds more than one document: write one app per file"}
	}
	if alias := findAlias(root, 0); alias != nil {
		return nil, &DefinitionError{File: file, Line: alias.Line, Column: alias.Column,
			Reason: "anchors, aliases and deep nesting are not supported"}
	}
	return root, nil
}

// syntaxDefect says where the YAML itself is wrong.
func syntaxDefect(file string, err error) *DefinitionError {
	defect := &DefinitionError{File: file, Line: 1, Column: 1, Reason: "it is not YAML"}
	if errors.Is(err, io.EOF) {
		defect.Reason = "it is empty"
		return defect
	}
	var one *yaml.LoadError
	if errors.As(err, &one) {
		defect.Line, defect.Column = max(one.Mark.Line, 1), max(one.Mark.Column, 1)
		defect.Reason += ": " + one.Message
	}
	return defect
}

// findAlias answers the first node that is an alias, carries an anchor, or is nested too deep.
func findAlias(node *yaml.Node, level int) *yaml.Node {
	if node.Kind == yaml.AliasNode || node.Anchor != "" || level > maxDepth {
		return node
	}
	for _, child := range node.Content {
		if found := findAlias(child, level+1); found != nil {
			return found
		}
	}
	return nil
}

// link gives methods and actions their app, and methods the inputs they share.
func (a *App) link() {
	for _, m := range a.Methods {
		m.app = a
		if m.NeedsClient() {
			m.ClientInputs = slices.Concat(a.Inputs, m.ClientInputs)
		} else {
			m.Inputs = slices.Concat(a.Inputs, m.Inputs)
		}
		if m.Title == "" {
			m.Title = strings.ToUpper(m.ID[:min(1, len(m.ID))]) + strings.ReplaceAll(m.ID[min(1, len(m.ID)):], "-", " ")
		}
	}
	for _, action := range a.Actions {
		action.app = a
		if action.ReadOnly {
			action.Idempotent = true
		}
	}
}
