package connectors

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Paging says how the next page is asked for.
type Paging struct {
	// Kind is one of the constants below.
	Kind PagingKind `yaml:"kind"`
	// From is where the next cursor or the next URL stands in the answer.
	From Path `yaml:"from"`
	// More, when set, must be found true for there to be a next page.
	More Path `yaml:"more"`
	// To is the query parameter that carries the cursor, offset or page number.
	// Where a text of the query, or with InBody of the body's template, names it,
	// it goes there instead.
	To string `yaml:"to"`
	// InBody sends it as a field of the body instead.
	InBody bool `yaml:"in_body"`
	// Items is where the page's items stand, for offset and page.
	Items Path `yaml:"items"`
	// Size names the argument that says how many items a page has, and
	// DefaultSize how many it has without it, for offset and page.
	Size        string `yaml:"size"`
	DefaultSize int    `yaml:"default_size"`
	// First is the number of the first page, for page.
	First int `yaml:"first"`
}

// PagingKind is how an app leads to the next page.
type PagingKind string

const (
	PagingLink    PagingKind = "link"     // a Link header with rel="next" (RFC 8288)
	PagingCursor  PagingKind = "cursor"   // a cursor in the body, sent back as a parameter
	PagingNextURL PagingKind = "next-url" // a whole URL in the body
	PagingOffset  PagingKind = "offset"   // count what was seen
	PagingPage    PagingKind = "page"     // count pages
)

// maxCursor bounds a cursor, in bytes.
const maxCursor = 8 << 10

// applyCursor asks for the page that a cursor stands for. Of a next URL only
// the query is used, on the action's own path: a cursor comes from a caller and
// must not become a way to another resource. For a cursor that belongs in the
// body it answers the field.
func (a *Action) applyCursor(out *outgoing, arguments map[string]any, cursor string) (map[string]any, error) {
	if cursor == "" {
		return nil, nil
	}
	if a.Paging == nil {
		return nil, invalidArguments("cursor", "the action's answer has one page only")
	}
	if len(cursor) > maxCursor || slices.ContainsFunc([]byte(cursor), isControl) {
		return nil, invalidArguments("cursor", "it is not a cursor of this action")
	}
	switch a.Paging.Kind {
	case PagingLink, PagingNextURL:
		next, err := url.ParseQuery(cursor)
		if err != nil {
			return nil, invalidArguments("cursor", "it is not a cursor of this action")
		}
		maps.Copy(out.query, next)
	case PagingOffset, PagingPage:
		n, err := strconv.ParseUint(cursor, 10, 31)
		if err != nil {
			return nil, invalidArguments("cursor", "it is not a cursor of this action")
		}
		if a.Paging.InBody {
			return map[string]any{a.Paging.To: json.Number(strconv.FormatUint(n, 10))}, nil
		}
		a.queryCursor(out, cursor)
	case PagingCursor:
		if a.Paging.InBody {
			return map[string]any{a.Paging.To: cursor}, nil
		}
		a.queryCursor(out, cursor)
	}
	return nil, nil
}

// queryCursor puts a cursor into the query, unless a text of it has a place for it.
func (a *Action) queryCursor(out *outgoing, cursor string) {
	for _, text := range a.Request.Query {
		if slices.Contains(text.variables(), a.Paging.To) {
			out.paged = map[string]string{a.Paging.To: cursor}
			return
		}
	}
	out.query.Set(a.Paging.To, cursor)
}

// pagedNames adds what paging fills in to the names that a request may use. p may be nil.
func (p *Paging) pagedNames(known names) names {
	if p == nil || p.To == "" || p.Kind == PagingLink || p.Kind == PagingNextURL {
		return known
	}
	return known.and(p.To)
}

// next finds the cursor of the next page in an answer, "" when this was the last.
func (p *Paging) next(a *answer, arguments map[string]any, cursor string) string {
	if p == nil || p.More != "" && !truthy(p.More.find(a.body)) {
		return ""
	}
	switch p.Kind {
	case PagingLink:
		return queryOf(nextLink(a.header))
	case PagingNextURL:
		return queryOf(p.From.text(a.body))
	case PagingCursor:
		return p.From.text(a.body)
	case PagingOffset, PagingPage:
		return p.count(a, arguments, cursor)
	default:
		return ""
	}
}

// count goes on by what was seen. Without More a page that is not full is the last.
func (p *Paging) count(a *answer, arguments map[string]any, cursor string) string {
	items, _ := p.items(a).([]any)
	size := p.DefaultSize
	if given, ok := arguments[p.Size].(json.Number); ok {
		if n, err := strconv.Atoi(given.String()); err == nil {
			size = n
		}
	}
	if len(items) == 0 || p.More == "" && len(items) < size {
		return ""
	}
	at := p.First
	if cursor != "" {
		at, _ = strconv.Atoi(cursor)
	}
	if p.Kind == PagingOffset {
		return strconv.Itoa(at + len(items))
	}
	return strconv.Itoa(at + 1)
}

func (p *Paging) items(a *answer) any {
	if p.Items == "" {
		return a.body
	}
	return p.Items.find(a.body)
}

// truthy is JMESPath's own notion: false, null and what is empty are not.
func truthy(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	default:
		return true
	}
}

// queryOf is the query of a URL, "" for none.
func queryOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || len(u.RawQuery) > maxCursor {
		return ""
	}
	return u.RawQuery
}

var linkPart = regexp.MustCompile(`<([^>]*)>((?:\s*;\s*[A-Za-z*]+\s*=\s*(?:"[^"]*"|[^",;\s]+))*)`)

// nextLink finds the target of rel="next" (RFC 8288 section 3).
func nextLink(header http.Header) string {
	for _, line := range header.Values("Link") {
		for _, found := range linkPart.FindAllStringSubmatch(line, -1) {
			for parameter := range strings.SplitSeq(found[2], ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
				relations := strings.Fields(strings.Trim(strings.TrimSpace(value), `"`))
				if strings.EqualFold(strings.TrimSpace(name), "rel") && slices.Contains(relations, "next") {
					return found[1]
				}
			}
		}
	}
	return ""
}
