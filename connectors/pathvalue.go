package connectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// expandPath fills a path template for a request: arguments first, then values.
// Names of arguments that were used are added to used. An error names the
// argument and says what is wrong with it.
func expandPath(t Template, arguments map[string]any, values map[string]string, used map[string]bool) (path string, query url.Values, err error) {
	text, err := t.expand(func(part templatePart) ([]string, error) {
		var value any
		if argument, ok := arguments[part.text]; ok {
			used[part.text] = true
			value = argument
		} else if known := values[part.text]; known != "" {
			value = known
		}
		texts, err := part.fill(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.text, err)
		}
		return texts, nil
	})
	if err != nil {
		return "", nil, err
	}
	path, rawQuery, _ := strings.Cut(text, "?")
	query, err = url.ParseQuery(rawQuery)
	if err != nil {
		return "", nil, errors.New("the query cannot be filled in")
	}
	return path, query, nil
}

// fill turns a value into what the expression takes.
func (p templatePart) fill(value any) ([]string, error) {
	if p.op == opQuery || p.op == opAmp {
		return queryValue(value)
	}
	text, err := scalarText(value)
	if err != nil {
		return nil, err
	}
	text, err = pathValue(text, p.op == opReserved)
	return []string{text}, err
}

// pathValue checks what is filled into a path. A plain value is one segment;
// with segments set, slashes separate several, and the outcome is escaped. It
// can neither be empty, nor a dot segment, nor hide a separator behind an
// escape that a server might undo.
func pathValue(text string, segments bool) (string, error) {
	if !segments {
		return text, checkSegment(text)
	}
	parts := strings.Split(strings.TrimPrefix(text, "/"), "/")
	for i, part := range parts {
		atEnd := part == "" && i == len(parts)-1 && text != "" // a slash at the end means something to some servers
		if err := checkSegment(part); err != nil && !atEnd {
			return "", err
		}
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/"), nil
}

// hiddenSeparators are escapes of '/', '\', '.', '?', '#', '@' and control characters.
var hiddenSeparators = []string{"%2f", "%5c", "%2e", "%3f", "%23", "%40", "%00", "%0a", "%0d", "%25"}

func checkSegment(part string) error {
	lower := strings.ToLower(part)
	switch {
	case part == "":
		return errors.New("it is missing, or has an empty part")
	case part == "." || part == "..":
		return errors.New("it may not be a dot segment")
	case strings.ContainsAny(part, "/\\"):
		return errors.New("it may not hold a slash or backslash")
	case slices.ContainsFunc([]byte(part), isControl):
		return errors.New("it may not hold a control character")
	}
	for _, hidden := range hiddenSeparators {
		if strings.Contains(lower, hidden) {
			return errors.New("it may not hold an escaped separator")
		}
	}
	return nil
}

// scalarText writes a JSON scalar as text; nil is "".
func scalarText(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return fmt.Sprint(v), nil
	case json.Number:
		return v.String(), nil
	default:
		return "", errors.New("it must be text, a number or true or false")
	}
}

// queryValue turns an argument into what RFC 6570 expands: a list for an array,
// nothing for null and for an absent one.
func queryValue(value any) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		if value == nil {
			return nil, nil
		}
		text, err := scalarText(value)
		return []string{text}, err
	}
	var texts []string
	for _, item := range list {
		text, err := scalarText(item)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}
