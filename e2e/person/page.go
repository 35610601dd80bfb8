package person

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Onward is where the page leads by itself: a redirect's target, or that of a page
// which refreshes; "" where it stays.
func (p Page) Onward() string {
	if p.Status/100 == 3 {
		return p.Header.Get("Location")
	}
	refresh := p.Header.Get("Refresh")
	if refresh == "" {
		p.walk(func(n *html.Node) {
			if n.Data == "meta" && strings.EqualFold(attribute(n, "http-equiv"), "refresh") {
				refresh = attribute(n, "content")
			}
		})
	}
	if refresh == "" {
		return ""
	}
	_, target, found := strings.Cut(refresh, ";")
	target = strings.TrimSpace(target)
	if !found || target == "" {
		return p.At.String()
	}
	if len(target) > 4 && strings.EqualFold(target[:4], "url=") {
		target = target[4:]
	}
	return strings.Trim(target, `"' `)
}

// Form is where the page's form goes, and what its hidden and text fields hold.
func (p Page) Form() (action string, values url.Values) {
	values = url.Values{}
	p.walk(func(n *html.Node) {
		switch n.Data {
		case "form":
			action = attribute(n, "action")
		case "input":
			kind := attribute(n, "type")
			if name := attribute(n, "name"); name != "" && (kind == "hidden" || kind == "text") {
				values.Set(name, attribute(n, "value"))
			}
		}
	})
	return action, values
}

func (p Page) walk(see func(*html.Node)) {
	root, err := html.Parse(strings.NewReader(p.Text))
	if err != nil {
		return // the parser takes whatever a reader gives
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			see(n)
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
