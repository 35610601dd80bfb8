package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"connectedapps/e2e/person"
)

// somebody is a person of a test, which fails where they get no further.
type somebody struct {
	*person.Person
	t *testing.T
}

// page is what the person sees.
type page struct {
	status int
	at     *url.URL
	text   string
	header http.Header
}

func newPerson(t *testing.T) *somebody {
	t.Helper()
	return &somebody{person.New(), t}
}

func (p *somebody) saw(seen person.Page, err error) page {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	return page{seen.Status, seen.At, seen.Text, seen.Header}
}

func (p page) asPerson() person.Page {
	return person.Page{Status: p.status, At: p.at, Text: p.text, Header: p.header}
}

func (p *somebody) visit(address string) page { return p.saw(p.Visit(p.t.Context(), address)) }

func (p *somebody) once(method, address string, form url.Values, origin string) page {
	p.t.Helper()
	return p.saw(p.Once(p.t.Context(), method, address, form, origin))
}

// submit sends the page's form with some fields filled in.
func (p *somebody) submit(seen page, fields map[string]string) page {
	p.t.Helper()
	return p.saw(p.Submit(p.t.Context(), seen.asPerson(), fields))
}

func (p *somebody) submitOnce(seen page, fields map[string]string) page {
	p.t.Helper()
	return p.saw(p.SubmitOnce(p.t.Context(), seen.asPerson(), fields))
}

// connect walks a connect link as a person does: press the button, consent, read the result.
func (p *somebody) connect(link, user, decision string) page {
	p.t.Helper()
	consent := p.saw(p.Consent(p.t.Context(), link))
	if !strings.HasPrefix(consent.at.String(), s.ready.Sandbox) {
		p.t.Fatalf("not at the app but at %s: %s", consent.at, consent.text)
	}
	return p.submit(consent, map[string]string{"user": user, "decision": decision})
}
