package connectors

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// readXML makes maps of an XML answer, the root element's name at the top: an
// element with elements or attributes in it is a map, any other its text;
// elements of one name in one place are a list. The text of an element that is
// a map is called "text". Names are without their name spaces, and nothing is
// looked up: a document type is refused, and so is any entity that XML does not
// define itself. Of XML that breaks off, what was complete before is kept, so
// that a refresh token cannot get lost. Nil means that it is no XML.
func readXML(raw []byte) map[string]any {
	decoder := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil
		case xml.StartElement:
			value, _ := readElement(decoder, token, 0)
			// There is one root element; what follows it says nothing.
			return map[string]any{token.Name.Local: value}
		}
	}
}

// readElement reads an element to its end; whole is false when it breaks off,
// and of what it broke off in there is nothing.
func readElement(decoder *xml.Decoder, start xml.StartElement, depth int) (value any, whole bool) {
	object := map[string]any{}
	for _, attribute := range start.Attr {
		if attribute.Name.Space != "xmlns" && attribute.Name.Local != "xmlns" {
			add(object, attribute.Name.Local, attribute.Value)
		}
	}
	var text strings.Builder
	for {
		token, err := decoder.Token()
		if err != nil || depth > maxSalvageDepth {
			if len(object) == 0 {
				return nil, false
			}
			return object, false
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.Directive:
			return nil, false
		case xml.StartElement:
			inner, whole := readElement(decoder, token, depth+1)
			add(object, token.Name.Local, inner)
			if !whole {
				return object, false
			}
		case xml.EndElement:
			words := strings.TrimSpace(text.String())
			if len(object) == 0 {
				return words, true
			}
			if words != "" {
				add(object, "text", words)
			}
			return object, true
		}
	}
}

// add puts a value beside those of its name.
func add(object map[string]any, name string, value any) {
	switch there := object[name].(type) {
	case nil:
		object[name] = value
	case []any:
		object[name] = append(there, value)
	default:
		object[name] = []any{there, value}
	}
}
