package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// person is somebody at a browser: cookies, pages, forms, and redirects that are followed one by one.
type person struct {
	t      *testing.T
	client *http.Client
	visits []string // every address, in order
}

// page is what the person sees.
type page struct {
	status int
	at     *url.URL
	text   string
	header http.Header
}

func newPerson(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, client: &http.Client{Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// visit opens an address and follows redirects and pages that lead on by themselves.
func (p *person) visit(address string) page {
	return p.follow(p.once(http.MethodGet, address, nil, ""))
}

// follow goes where the page leads by itself, until it stays, or until stop says so.
func (p *person) follow(seen page) page {
	for range 200 {
		next := onward(seen)
		if next == "" || strings.HasSuffix(seen.at.Path, "/result") && strings.Contains(seen.text, "review") {
			return seen
		}
		target, err := seen.at.Parse(next)
		if err != nil {
			p.t.Fatal(err)
		}
		if target.String() == seen.at.String() {
			time.Sleep(200 * time.Millisecond)
		}
		seen = p.once(http.MethodGet, target.String(), nil, "")
	}
	p.t.Fatalf("led on and on; last %s", seen.at)
	return seen
}

func (p *person) once(method, address string, form url.Values, origin string) page {
	p.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(p.t.Context(), method, address, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if origin != "" {
		request.Header.Set("Origin", origin)
	}
	p.visits = append(p.visits, address)
	response, err := p.client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return page{response.StatusCode, request.URL, string(text), response.Header}
}

// submit sends the page's form with some fields filled in.
func (p *person) submit(seen page, fields map[string]string) page {
	p.t.Helper()
	return p.follow(p.submitOnce(seen, fields))
}

func (p *person) submitOnce(seen page, fields map[string]string) page {
	p.t.Helper()
	action, values := formOf(seen)
	for name, value := range fields {
		values.Set(name, value)
	}
	target, err := seen.at.Parse(action)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.once(http.MethodPost, target.String(), values, target.Scheme+"://"+target.Host)
}

// connect walks a connect link as a person does: press the button, consent, read the result.
func (p *person) connect(link, user, decision string) page {
	p.t.Helper()
	asked := p.visit(link)
	if asked.status != http.StatusOK {
		p.t.Fatalf("the link answers %d: %s", asked.status, asked.text)
	}
	consent := p.submit(asked, nil)
	if !strings.HasPrefix(consent.at.String(), s.ready.Sandbox) {
		p.t.Fatalf("not at the app but at %s: %s", consent.at, consent.text)
	}
	return p.submit(consent, map[string]string{"user": user, "decision": decision})
}

func onward(seen page) string {
	if seen.status/100 == 3 {
		return seen.header.Get("Location")
	}
	refresh := seen.header.Get("Refresh")
	if refresh == "" {
		walk(seen.text, func(n *html.Node) {
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
		return seen.at.String()
	}
	if len(target) > 4 && strings.EqualFold(target[:4], "url=") {
		target = target[4:]
	}
	return strings.Trim(target, `"' `)
}

func formOf(seen page) (string, url.Values) {
	action, values := "", url.Values{}
	walk(seen.text, func(n *html.Node) {
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

func walk(text string, see func(*html.Node)) {
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		panic(fmt.Sprint("a page that is no HTML: ", err))
	}
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.ElementNode {
			see(n)
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			visit(child)
		}
	}
	visit(root)
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
