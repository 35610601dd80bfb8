package connectors

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
)

// maxSalvageDepth bounds the nesting of a token answer; real ones have three levels.
const maxSalvageDepth = 20

// readLoosely makes a map of a token answer however it is written: JSON with or
// without a byte order mark, JSON that breaks off in the middle (what was
// complete before is kept), or a form, whatever the content type says. Where a
// key comes twice, an empty value or null never replaces another, so that a
// refresh token cannot get lost. Nil means there is no such structure, as in HTML.
func readLoosely(raw []byte) map[string]any {
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	if len(raw) == 0 {
		return nil
	}
	if raw[0] == '{' {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if _, err := decoder.Token(); err != nil {
			return nil
		}
		object := map[string]any{}
		readObject(decoder, object, 0)
		return settleNumbers(object).(map[string]any)
	}
	if raw[0] == '<' || raw[0] == '[' || raw[0] == '"' {
		return nil
	}
	return readForm(string(raw))
}

// readForm reads a form that has a key of a token answer, or nothing.
func readForm(text string) map[string]any {
	form, err := url.ParseQuery(text)
	if err != nil || !form.Has("access_token") && !form.Has("refresh_token") && !form.Has("error") && !form.Has("device_code") {
		return nil
	}
	object := map[string]any{}
	for key, values := range form {
		for _, value := range values {
			keep(object, key, value)
		}
	}
	return object
}

// readObject fills an object until it ends or the text does; it reports whether it ended.
func readObject(decoder *json.Decoder, object map[string]any, depth int) bool {
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return false
		}
		name, ok := key.(string)
		if !ok {
			return false
		}
		value, ended := readValue(decoder, depth)
		keep(object, name, value)
		if !ended {
			return false
		}
	}
	_, err := decoder.Token()
	return err == nil
}

// readValue reads one value; of one that breaks off it answers what there is.
func readValue(decoder *json.Decoder, depth int) (any, bool) {
	token, err := decoder.Token()
	if err != nil || depth > maxSalvageDepth {
		return nil, false
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		ended := readObject(decoder, object, depth+1)
		return object, ended
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			item, ended := readValue(decoder, depth+1)
			list = append(list, item)
			if !ended {
				return list, false
			}
		}
		_, err := decoder.Token()
		return list, err == nil
	default:
		return token, true
	}
}

// keep sets a key, unless that would put nothing in the place of something.
func keep(object map[string]any, key string, value any) {
	if text, ok := value.(string); value == nil || ok && strings.TrimSpace(text) == "" {
		if _, there := object[key]; there {
			return
		}
	}
	object[key] = value
}
