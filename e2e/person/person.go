// Package person is somebody at a browser, as far as connecting an app needs one:
// cookies, pages, forms, and redirects that are followed one by one. It runs no
// script; the browser tests of package e2e do.
package person

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// Person has cookies of their own.
type Person struct {
	client *http.Client
	// Visits are the addresses that were asked for, in order.
	Visits []string
}

// Page is what the person sees.
type Page struct {
	Status int
	At     *url.URL
	Text   string
	Header http.Header
}

// New is somebody who has been nowhere.
func New() *Person {
	jar, _ := cookiejar.New(nil) // it fails for no options
	return &Person{client: &http.Client{Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Visit opens an address and follows redirects and pages that lead on by themselves.
func (p *Person) Visit(ctx context.Context, address string) (Page, error) {
	seen, err := p.Once(ctx, http.MethodGet, address, nil, "")
	if err != nil {
		return seen, err
	}
	return p.Follow(ctx, seen)
}

// Follow goes where the page leads by itself, until it stays or asks for a review.
func (p *Person) Follow(ctx context.Context, seen Page) (Page, error) {
	for range 200 {
		next := seen.Onward()
		if next == "" || strings.HasSuffix(seen.At.Path, "/result") && strings.Contains(seen.Text, "review") {
			return seen, nil
		}
		target, err := seen.At.Parse(next)
		if err != nil {
			return seen, err
		}
		if target.String() == seen.At.String() {
			time.Sleep(200 * time.Millisecond)
		}
		if seen, err = p.Once(ctx, http.MethodGet, target.String(), nil, ""); err != nil {
			return seen, err
		}
	}
	return seen, fmt.Errorf("led on and on; last %s", seen.At)
}

// Once makes one request. A nil form sends none; an Origin of "" is left out.
func (p *Person) Once(ctx context.Context, method, address string, form url.Values, origin string) (Page, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return Page{}, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if origin != "" {
		request.Header.Set("Origin", origin)
	}
	p.Visits = append(p.Visits, address)
	response, err := p.client.Do(request)
	if err != nil {
		return Page{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return Page{response.StatusCode, request.URL, string(text), response.Header}, err
}

// Submit sends the page's form with some fields filled in, and goes where that leads.
func (p *Person) Submit(ctx context.Context, seen Page, fields map[string]string) (Page, error) {
	seen, err := p.SubmitOnce(ctx, seen, fields)
	if err != nil {
		return seen, err
	}
	return p.Follow(ctx, seen)
}

// SubmitOnce sends the page's form and follows nothing.
func (p *Person) SubmitOnce(ctx context.Context, seen Page, fields map[string]string) (Page, error) {
	action, values := seen.Form()
	for name, value := range fields {
		values.Set(name, value)
	}
	target, err := seen.At.Parse(action)
	if err != nil {
		return seen, err
	}
	return p.Once(ctx, http.MethodPost, target.String(), values, target.Scheme+"://"+target.Host)
}

// Consent walks a connect link up to the app's page that asks whether to allow it.
func (p *Person) Consent(ctx context.Context, link string) (Page, error) {
	asked, err := p.Visit(ctx, link)
	if err != nil {
		return asked, err
	}
	if asked.Status != http.StatusOK {
		return asked, fmt.Errorf("the link answers %d: %s", asked.Status, asked.Text)
	}
	consent, err := p.Submit(ctx, asked, nil)
	if err == nil && consent.At.Host == asked.At.Host {
		err = fmt.Errorf("not at the app but at %s: %s", consent.At, consent.Text)
	}
	return consent, err
}
