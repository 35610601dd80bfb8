package connectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// maxDepth bounds how deep a definition may be nested.
const maxDepth = 60

// nodeJSON writes a YAML node as JSON, keeping the order of its keys. Aliases
// are refused: a definition must be readable from top to bottom, and cannot grow when read.
func nodeJSON(node *yaml.Node) (json.RawMessage, error) {
	var out bytes.Buffer
	if err := writeNode(&out, node, 0); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func writeNode(out *bytes.Buffer, node *yaml.Node, depth int) error {
	if depth > maxDepth {
		return errors.New("it is nested too deep")
	}
	// The default refuses the others.
	//exhaustive:ignore
	switch node.Kind {
	case yaml.DocumentNode:
		if len(node.Content) != 1 {
			return errors.New("it is empty")
		}
		return writeNode(out, node.Content[0], depth+1)
	case yaml.MappingNode:
		out.WriteByte('{')
		for i := 0; i+1 < len(node.Content); i += 2 {
			if i > 0 {
				out.WriteByte(',')
			}
			key, err := json.Marshal(node.Content[i].Value)
			if err != nil {
				return err
			}
			out.Write(key)
			out.WriteByte(':')
			if err := writeNode(out, node.Content[i+1], depth+1); err != nil {
				return err
			}
		}
		out.WriteByte('}')
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, item := range node.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeNode(out, item, depth+1); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	case yaml.ScalarNode:
		return writeScalar(out, node)
	default:
		return fmt.Errorf("line %d: anchors and aliases are not supported", node.Line)
	}
	return nil
}

func writeScalar(out *bytes.Buffer, node *yaml.Node) error {
	var value any
	switch node.ShortTag() {
	case "!!null":
	case "!!bool":
		value = node.Value == "true" || node.Value == "True" || node.Value == "TRUE"
	case "!!int":
		n, err := strconv.ParseInt(node.Value, 0, 64)
		if err != nil {
			return fmt.Errorf("line %d: %s is not a whole number", node.Line, node.Value)
		}
		value = n
	case "!!float":
		f, err := strconv.ParseFloat(node.Value, 64)
		if err != nil {
			return fmt.Errorf("line %d: %s is not a number", node.Line, node.Value)
		}
		value = f
	default:
		value = node.Value
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	out.Write(text)
	return nil
}

// nodeAt follows a path of keys and indexes as far as it goes, and answers the
// node it ends at; for a mapping's entry that is the key, which is where an
// editor should point.
func nodeAt(root *yaml.Node, path []string) *yaml.Node {
	node, at := root, root
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
		at = node
	}
	for _, step := range path {
		// The default ends the path.
		//exhaustive:ignore
		switch node.Kind {
		case yaml.MappingNode:
			found := false
			for i := 0; i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == step {
					at, node, found = node.Content[i], node.Content[i+1], true
					break
				}
			}
			if !found {
				return at
			}
		case yaml.SequenceNode:
			index, err := strconv.Atoi(step)
			if err != nil || index < 0 || index >= len(node.Content) {
				return at
			}
			node = node.Content[index]
			at = node
		default:
			return at
		}
	}
	return at
}

// fieldName writes a path as people do: auth[0].oauth.token.url.
func fieldName(path []string) string {
	var out bytes.Buffer
	for _, step := range path {
		if _, err := strconv.Atoi(step); err == nil {
			out.WriteString("[" + step + "]")
			continue
		}
		if out.Len() > 0 {
			out.WriteByte('.')
		}
		out.WriteString(step)
	}
	return out.String()
}

// UnmarshalYAML keeps a schema as JSON, in the order it was written.
func (s *Schema) UnmarshalYAML(node *yaml.Node) error {
	text, err := nodeJSON(node)
	s.RawMessage = text
	return err
}
