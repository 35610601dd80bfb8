package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestBrowserFillsInFormsAndKeepsCookies(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /consent", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s"})
		_, _ = fmt.Fprint(w, `<h1>May  <b>it</b>?</h1><form method="post" action="/answer"><input type="hidden" name="csrf" value="a&amp;b">
			<input type="radio" name="user" value="ada"></form><a id="provider" href="https://app.example/?a=1&amp;b=2">on</a>`)
	})
	mux.HandleFunc("POST /answer", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("session"); err != nil || r.PostFormValue("csrf") != "a&b" || r.PostFormValue("decision") != "approve" ||
			r.Header.Get("Origin") != "http://"+r.Host {
			http.Error(w, `<h1>Refused</h1>`, http.StatusForbidden)
			return
		}
		http.Redirect(w, r, "/done", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `<h1>It is connected</h1><p role="status">All went well.</p>`)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	b, err := newBrowser()
	if err != nil {
		t.Fatal(err)
	}
	asked, err := b.open(t.Context(), server.URL+"/consent")
	if err != nil {
		t.Fatal(err)
	}
	if asked.title != "May it?" || asked.links["provider"] != "https://app.example/?a=1&b=2" {
		t.Errorf("got %+v", asked)
	}
	done, err := b.submit(t.Context(), asked, url.Values{"decision": {"approve"}})
	if err != nil {
		t.Fatal(err)
	}
	if done.title != "It is connected" || done.status != "All went well." || done.at.Path != "/done" {
		t.Errorf("got %+v", done)
	}
	if _, err := b.submit(t.Context(), asked, url.Values{"decision": {"deny"}}); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("a refusal is no error: %v", err)
	}
}

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 1500 * time.Millisecond: "1.5 s", 20 * time.Second: "20 s", 10 * time.Minute: "10 min", 90 * time.Second: "1 min 30 s",
		25 * time.Hour: "1 d 1 h", 61 * time.Minute: "1 h 1 min",
	} {
		if got := brief(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
