package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// browser is what a person's browser does, as far as a connect needs it: it keeps
// cookies, follows redirects, and fills in forms.
type browser struct{ client *http.Client }

func newBrowser() (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &browser{&http.Client{Jar: jar, Timeout: 30 * time.Second}}, nil
}

// page is one page as the person sees it.
type page struct {
	at    *url.URL
	title string
	// status is the paragraph that tells what happened.
	status string
	// fields are the hidden inputs of its form, and action where that goes.
	fields url.Values
	action *url.URL
	// links by their id attribute.
	links map[string]string
}

func (b *browser) open(ctx context.Context, address string) (*page, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return b.do(request)
}

// submit sends the page's form, with what the person filled in or pressed.
func (b *browser) submit(ctx context.Context, p *page, filled url.Values) (*page, error) {
	values := url.Values{}
	for _, set := range []url.Values{p.fields, filled} {
		for name, value := range set {
			values[name] = value
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.action.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", p.at.Scheme+"://"+p.at.Host)
	return b.do(request)
}

func (b *browser) do(request *http.Request) (*page, error) {
	answer, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	root, err := html.Parse(answer.Body)
	if err != nil {
		return nil, err
	}
	at := answer.Request.URL
	p := &page{at: at, action: at, fields: url.Values{}, links: map[string]string{}}
	for node := range root.Descendants() {
		p.take(node)
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s %s answered %s: %s %s", answer.Request.Method, at.Path, answer.Status, p.title, p.status)
	}
	return p, nil
}

func (p *page) take(node *html.Node) {
	switch {
	case node.Type != html.ElementNode:
	case node.Data == "h1":
		p.title = words(node)
	case node.Data == "p" && attribute(node, "role") == "status":
		p.status = words(node)
	case node.Data == "form":
		if target, err := p.at.Parse(attribute(node, "action")); err == nil {
			p.action = target
		}
	case node.Data == "input" && attribute(node, "type") == "hidden":
		p.fields.Add(attribute(node, "name"), attribute(node, "value"))
	case node.Data == "a" && attribute(node, "id") != "":
		p.links[attribute(node, "id")] = attribute(node, "href")
	}
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// words is the text of an element, with its white space made single.
func words(node *html.Node) string {
	var text strings.Builder
	for child := range node.Descendants() {
		if child.Type == html.TextNode {
			text.WriteString(child.Data)
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}
