package connectors

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// document is a definition as it was written, and what it is once its parents
// are merged under it.
type document struct {
	file string
	root *yaml.Node
	id   string
	// extends is the parent's ID, "" for none.
	extends string
	digest  string
	// owners says which file a node comes from that was inherited.
	owners map[*yaml.Node]string
	merged bool
}

// library is where parents are found: first among the definitions that are
// read together, then among those that were read earlier.
type library struct {
	documents map[string]*document
	// earlier is nil for the built-in definitions; it is asked only when it is needed.
	earlier func() (*library, error)
}

// newDocument reads one file's YAML.
func newDocument(file string, data []byte) (*document, *DefinitionError) {
	root, defect := parseYAML(file, data)
	if defect != nil {
		return nil, defect
	}
	d := &document{file: file, root: root, digest: digestText(data)}
	d.id, d.extends = scalarAt(root, "id"), scalarAt(root, "extends")
	return d, nil
}

// find is a definition by ID, and the library that its own parents are found in.
func (l *library) find(id string, without *document) (*document, *library, error) {
	if found := l.documents[id]; found != nil && found != without {
		return found, l, nil
	}
	if l.earlier == nil {
		return nil, nil, nil
	}
	earlier, err := l.earlier()
	if err != nil {
		return nil, nil, err
	}
	return earlier.find(id, nil)
}

// known lists every ID there is.
func (l *library) known() []string {
	ids := slices.Collect(maps.Keys(l.documents))
	if l.earlier != nil {
		if earlier, err := l.earlier(); err == nil {
			ids = append(ids, earlier.known()...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// inherit merges the parents of a definition under it. descent is the way from
// the child that is asked for.
func (l *library) inherit(d *document, descent ...*document) *DefinitionError {
	if d.extends == "" || d.merged {
		return nil
	}
	descent = append(slices.Clone(descent), d)
	parent, home, err := l.find(d.extends, d)
	if err != nil {
		return d.defect("the definitions it may extend cannot be read: " + err.Error())
	}
	if parent == nil && d.extends == d.id {
		return d.defect("it extends itself")
	}
	if parent == nil {
		others := slices.DeleteFunc(l.known(), func(id string) bool { return id == d.id })
		return d.defect(fmt.Sprintf("there is no definition %q; %s", d.extends, suggestion(d.extends, others)))
	}
	if slices.Contains(descent, parent) {
		way := make([]string, 0, len(descent)+1)
		for _, step := range append(descent, parent) {
			way = append(way, step.id)
		}
		return d.defect("it extends itself: " + strings.Join(way, " → "))
	}
	if defect := home.inherit(parent, descent...); defect != nil {
		if defect.File != d.file {
			return d.defect(fmt.Sprintf("%s cannot be extended: %s", parent.id, defect.Reason))
		}
		return defect
	}
	d.owners = maps.Clone(parent.owners)
	if d.owners == nil {
		d.owners = map[*yaml.Node]string{}
	}
	parent.own(d.owners)
	merged := mergeNodes(withoutOwn(top(parent.root)), top(d.root))
	d.root = &yaml.Node{Kind: yaml.DocumentNode, Line: d.root.Line, Column: d.root.Column, Content: []*yaml.Node{merged}}
	d.digest = digestText([]byte(d.digest + " " + parent.digest))
	d.merged = true
	return nil
}

// defect is one of the line that names the parent.
func (d *document) defect(reason string) *DefinitionError {
	at := nodeAt(d.root, []string{"extends"})
	return &DefinitionError{File: d.file, Line: max(at.Line, 1), Column: max(at.Column, 1), Field: "extends", Reason: reason}
}

// own notes the nodes of a document that belong to its own file.
func (d *document) own(owners map[*yaml.Node]string) {
	var visit func(*yaml.Node)
	visit = func(node *yaml.Node) {
		if _, inherited := owners[node]; !inherited {
			owners[node] = d.file
		}
		for _, child := range node.Content {
			visit(child)
		}
	}
	visit(d.root)
}

// notInherited are the fields that say something of one definition alone.
var notInherited = []string{"id", "extends", "abstract", "override"}

func withoutOwn(node *yaml.Node) *yaml.Node {
	if node.Kind != yaml.MappingNode {
		return node
	}
	out := *node
	out.Content = nil
	for i := 0; i+1 < len(node.Content); i += 2 {
		if !slices.Contains(notInherited, node.Content[i].Value) {
			out.Content = append(out.Content, node.Content[i], node.Content[i+1])
		}
	}
	return &out
}

// mergedLists are lists whose items have a name, by which a child's item finds
// the one that it changes. Every other list is replaced as a whole.
var mergedLists = []string{"auth", "actions", "inputs", "client_inputs", "steps", "follow_up"}

// mergeNodes lays a child over its parent: mappings are merged at every depth,
// null takes away, and anything else replaces. Neither of them is changed.
func mergeNodes(parent, child *yaml.Node) *yaml.Node {
	if parent.Kind != yaml.MappingNode || child.Kind != yaml.MappingNode {
		return child
	}
	merged := *child
	merged.Content = nil
	for i := 0; i+1 < len(parent.Content); i += 2 {
		key, value := parent.Content[i], parent.Content[i+1]
		ownKey, own := entry(child, key.Value)
		switch {
		case own == nil:
			merged.Content = append(merged.Content, key, value)
		case own.ShortTag() == "!!null":
		case slices.Contains(mergedLists, key.Value) && named(value) && named(own):
			merged.Content = append(merged.Content, ownKey, mergeLists(value, own))
		default:
			merged.Content = append(merged.Content, ownKey, mergeNodes(value, own))
		}
	}
	for i := 0; i+1 < len(child.Content); i += 2 {
		if _, inherited := entry(parent, child.Content[i].Value); inherited == nil {
			merged.Content = append(merged.Content, child.Content[i], child.Content[i+1])
		}
	}
	return &merged
}

// mergeLists merges items of the same name, and appends those that are new.
func mergeLists(parent, child *yaml.Node) *yaml.Node {
	merged := *child
	merged.Content = nil
	for _, item := range parent.Content {
		for _, own := range child.Content {
			if itemName(own) == itemName(item) {
				item = mergeNodes(item, own)
			}
		}
		merged.Content = append(merged.Content, item)
	}
	for _, own := range child.Content {
		if !slices.ContainsFunc(parent.Content, func(item *yaml.Node) bool { return itemName(item) == itemName(own) }) {
			merged.Content = append(merged.Content, own)
		}
	}
	return &merged
}

// named reports whether every item of a list has a name.
func named(list *yaml.Node) bool {
	return list.Kind == yaml.SequenceNode && !slices.ContainsFunc(list.Content, func(item *yaml.Node) bool { return itemName(item) == "" })
}

// itemName is an item's id, or its name where it has no id.
func itemName(item *yaml.Node) string {
	for _, key := range []string{"id", "name"} {
		if _, value := entry(item, key); value != nil && value.Kind == yaml.ScalarNode {
			return value.Value
		}
	}
	return ""
}

// entry is a mapping's entry, nil when there is none.
func entry(node *yaml.Node, name string) (key, value *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

// top is what a document holds.
func top(root *yaml.Node) *yaml.Node {
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		return root.Content[0]
	}
	return root
}

// scalarAt is a text at the top of a document, "" for none.
func scalarAt(root *yaml.Node, name string) string {
	if _, value := entry(top(root), name); value != nil && value.Kind == yaml.ScalarNode {
		return value.Value
	}
	return ""
}
