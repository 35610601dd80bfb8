package connectors

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Template is a URL template (RFC 6570). Four kinds of expression are allowed:
// {name} and {+name} before the question mark, {?a,b} and {&a,b} after it; a
// star after a name repeats the parameter for each item of a list.
//
// What is filled in comes from people and models and cannot change where a
// request goes: see [pathValue] for the path, and [expandBase] for the host.
type Template string

// Operators of expressions (RFC 6570 section 3.2). The zero value is a literal.
const (
	opLiteral  = 0
	opSimple   = 's' // {name}: everything but unreserved characters is escaped
	opReserved = '+' // {+name}: reserved characters stay
	opQuery    = '?' // {?name}: ?name=value
	opAmp      = '&' // {&name}: &name=value
)

// templatePart is a literal or one variable of an expression.
type templatePart struct {
	op      byte
	text    string // the literal, or the variable's name
	explode bool
}

var (
	variable  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	templates sync.Map // Template to []templatePart; definitions only, so it is bounded by them
)

// parts parses the template, once.
func (t Template) parts() ([]templatePart, error) {
	if known, ok := templates.Load(t); ok {
		return known.([]templatePart), nil
	}
	var parts []templatePart
	rest, inQuery, open := string(t), false, false
	for rest != "" {
		literal, after, found := strings.Cut(rest, "{")
		if strings.Contains(literal, "}") {
			return nil, errors.New("it holds a brace that belongs to no expression")
		}
		if literal != "" && open {
			return nil, errors.New("after {?name} only {&name} may follow")
		}
		if literal != "" {
			parts = append(parts, templatePart{text: literal})
			inQuery = inQuery || strings.Contains(literal, "?")
		}
		if !found {
			break
		}
		expression, tail, closed := strings.Cut(after, "}")
		if !closed {
			return nil, errors.New("it holds a brace that is not closed")
		}
		added, err := parseExpression(expression, inQuery)
		if err != nil {
			return nil, err
		}
		open = open || added[0].op == opQuery
		if open && added[0].op == opSimple {
			return nil, errors.New("after {?name} only {&name} may follow")
		}
		inQuery = inQuery || open
		parts = append(parts, added...)
		rest = tail
	}
	known, _ := templates.LoadOrStore(t, parts)
	return known.([]templatePart), nil
}

// parseExpression reads what stands between two braces.
func parseExpression(text string, inQuery bool) ([]templatePart, error) {
	op, names := byte(opSimple), text
	if text != "" && strings.ContainsRune("+?&", rune(text[0])) {
		op, names = text[0], text[1:]
	}
	if inQuery && (op == opReserved || op == opQuery) {
		return nil, fmt.Errorf("{%s} may not stand in the query: use {&name} or {name}", text)
	}
	var parts []templatePart
	for name := range strings.SplitSeq(names, ",") {
		part := templatePart{op: op, text: strings.TrimSuffix(name, "*"), explode: strings.HasSuffix(name, "*")}
		inPath := op == opSimple || op == opReserved
		if !variable.MatchString(part.text) || inPath && (part.explode || strings.Contains(names, ",")) {
			return nil, fmt.Errorf("{%s} is not supported: use {name}, {+name}, {?a,b*} or {&a,b*}", text)
		}
		parts = append(parts, part)
		if op == opQuery {
			op = opAmp // only the first one that has a value gets the question mark
		}
	}
	return parts, nil
}

// expand fills the template in. A nil list is a variable without a value: it
// is nothing in a query, and an error of the lookup elsewhere. The lookup of
// {+name} answers text that may stand in a URL as it is.
func (t Template) expand(lookup func(part templatePart) ([]string, error)) (string, error) {
	parts, err := t.parts()
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, part := range parts {
		if part.op == opLiteral {
			out.WriteString(part.text)
			continue
		}
		values, err := lookup(part)
		if err != nil {
			return "", err
		}
		switch part.op {
		case opSimple:
			out.WriteString(escape(strings.Join(values, ",")))
		case opReserved:
			out.WriteString(strings.Join(values, ","))
		default:
			writeParameters(&out, part, values)
		}
	}
	return out.String(), nil
}

// writeParameters writes name=value, once for a plain variable, once for each item of an exploded one.
func writeParameters(out *strings.Builder, part templatePart, values []string) {
	if values != nil && !part.explode {
		values = []string{strings.Join(values, ",")}
	}
	for _, value := range values {
		separator := "&"
		if !strings.Contains(out.String(), "?") {
			separator = "?"
		}
		out.WriteString(separator + part.text + "=" + escape(value))
	}
}

// escape writes everything but unreserved characters as the escapes of its
// UTF-8 bytes (RFC 3986 section 2.3).
func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// variables lists the names the template uses; with ops, only those of these operators.
func (t Template) variables(ops ...byte) []string {
	parts, err := t.parts()
	if err != nil {
		return nil
	}
	var names []string
	for _, part := range parts {
		if part.op != opLiteral && (len(ops) == 0 || slices.Contains(ops, part.op)) {
			names = append(names, part.text)
		}
	}
	return names
}
