package connectors

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v4"
)

//go:embed schema/app.schema.json
var authoringSchema []byte

// AuthoringSchema is the JSON Schema of a definition: for editors, and what
// definitions are checked against here, so that the two cannot differ.
func AuthoringSchema() []byte { return append([]byte(nil), authoringSchema...) }

var compiledAuthoringSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	return compileSchema(authoringSchema)
})

// report collects what is wrong with one definition.
type report struct {
	file string
	root *yaml.Node
	// owners names the files of inherited nodes.
	owners  map[*yaml.Node]string
	defects []*DefinitionError
}

// add notes a defect at a path of keys and indexes.
func (r *report) add(path []string, reason string) {
	at := nodeAt(r.root, path)
	r.defects = append(r.defects, &DefinitionError{
		File: r.owner(at), Line: max(at.Line, 1), Column: max(at.Column, 1), Field: fieldName(path), Reason: reason,
	})
}

// owner is the file that a node was written in.
func (r *report) owner(node *yaml.Node) string {
	if file, inherited := r.owners[node]; inherited {
		return file
	}
	return r.file
}

// ownerAt is the file of what stands at a position, as far as that tells.
func (r *report) ownerAt(line, column int) string {
	if len(r.owners) == 0 {
		return r.file
	}
	file := r.file
	var visit func(*yaml.Node)
	visit = func(node *yaml.Node) {
		if node.Line == line && node.Column == column {
			file = r.owner(node)
		}
		for _, child := range node.Content {
			visit(child)
		}
	}
	visit(r.root)
	return file
}

// sorted is every defect in the order of the document.
func (r *report) sorted() []*DefinitionError {
	slices.SortStableFunc(r.defects, func(a, b *DefinitionError) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Field, b.Field), strings.Compare(a.Reason, b.Reason))
	})
	return slices.CompactFunc(r.defects, func(a, b *DefinitionError) bool { return *a == *b })
}

// shape checks the document against the authoring schema.
func (r *report) shape() {
	schema, err := compiledAuthoringSchema()
	if err != nil {
		r.add(nil, "the authoring schema does not compile: "+err.Error())
		return
	}
	text, err := nodeJSON(r.root)
	if err != nil {
		r.add(nil, err.Error())
		return
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		r.add(nil, "it is not a mapping")
		return
	}
	var invalid *jsonschema.ValidationError
	if errors.As(schema.Validate(document), &invalid) {
		r.violations(invalid)
	}
}

// violations adds the innermost causes of a failed validation.
func (r *report) violations(e *jsonschema.ValidationError) {
	if _, alternatives := e.ErrorKind.(*kind.OneOf); alternatives {
		r.add(e.InstanceLocation, "exactly one of request, ask and sign must be there")
		return
	}
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			r.violations(cause)
		}
		return
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			r.add(append(append([]string(nil), e.InstanceLocation...), name), "there is no such field here")
		}
	case *kind.Required:
		for _, name := range k.Missing {
			r.add(append(append([]string(nil), e.InstanceLocation...), name), "it is missing")
		}
	default:
		r.add(e.InstanceLocation, reasonText(e.ErrorKind))
	}
}

// decoding adds what the YAML library refused. After a check of the shape
// there is nothing left for it to refuse but durations and the like.
func (r *report) decoding(err error) {
	var many *yaml.LoadErrors
	if errors.As(err, &many) {
		for _, one := range many.Errors {
			r.defects = append(r.defects, &DefinitionError{File: r.ownerAt(one.Mark.Line, one.Mark.Column),
				Line: max(one.Mark.Line, 1), Column: max(one.Mark.Column, 1), Reason: one.Message})
		}
		return
	}
	r.add(nil, fmt.Sprintf("it cannot be read: %v", err))
}
