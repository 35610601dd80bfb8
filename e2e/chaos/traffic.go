package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// kind is what a request is for, read off the wire.
type kind string

// The kinds of requests that concern one connection.
const (
	kindRead      kind = "read"      // of the document
	kindIntent    kind = "intent"    // announces that a token is to be spent
	kindSettle    kind = "settle"    // stores a new generation
	kindReject    kind = "reject"    // records that a generation is dead
	kindAdopt     kind = "adopt"     // makes a candidate the connection's credential
	kindGate      kind = "gate"      // any other write of the document
	kindCandidate kind = "candidate" // stores a credential that is not tested yet
	kindClear     kind = "clear"     // removes a candidate
	kindDestroy   kind = "destroy"   // removes the document
	kindNote      kind = "note"      // patches soft facts
	kindInbox     kind = "inbox"     // leaves an authorization code for a workflow
	kindRedeem    kind = "redeem"    // spends a refresh token
	kindExchange  kind = "exchange"  // spends an authorization code
	kindRevoke    kind = "revoke"    // ends a grant
	kindProbe     kind = "probe"     // whose account is it
	kindAction    kind = "action"    // any other request to the API
)

// call is one request that concerns one connection.
type call struct {
	at        time.Time
	subject   string // environment/name; "" where it concerns none
	kind      kind
	method    string
	path      string
	presented string // fingerprint of what was presented to the app
	write     bool   // of Vault
	doc       document
	held      bool // for a while, by a round
	// What was answered; 0 where nothing was.
	status int
	// issued is the fingerprint of the refresh token that the app answered with.
	issued string
}

// told says what a request was, for whoever looks into a finding; times count from the strike.
func (c call) told(struck time.Time) string {
	text := fmt.Sprintf("%+.3f s %s: %d", c.at.Sub(struck).Seconds(), c.kind, c.status)
	if c.held {
		text += ", held"
	}
	if c.presented != "" {
		text += ", presented " + c.presented
	}
	if c.issued != "" {
		text += ", issued " + c.issued
	}
	if c.write {
		text += fmt.Sprintf(", generation %d", c.doc.Generation)
		if i := c.doc.Intent; i != nil {
			text += fmt.Sprintf(", intent %.6s presented %d times", i.Attempt, i.Presentations)
		}
	}
	return text
}

// document is what matters here of a credential document in Vault.
type document struct {
	Grant      string `json:"grant"`
	Generation int    `json:"generation"`
	Credential struct {
		Tokens map[string]struct {
			Access  string `json:"access"`
			Refresh string `json:"refresh"`
		} `json:"tokens"`
	} `json:"credential"`
	Intent *struct {
		Attempt       string  `json:"attempt"`
		BudgetSeconds float64 `json:"budget_seconds"`
		Presentations int     `json:"presentations"`
	} `json:"intent"`
	Rejected *struct {
		Generation int `json:"generation"`
	} `json:"rejected"`
}

// refresh is the fingerprint of the document's refresh token.
func (d document) refresh() string {
	for _, t := range d.Credential.Tokens {
		return fingerprint(t.Refresh)
	}
	return ""
}

// fingerprint names a secret as the app's ledger does.
func fingerprint(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])[:12]
}

// vaultCall reads a request to Vault. before is the subject's document as it stood.
func vaultCall(r *http.Request, body []byte, before func(subject string) (document, bool), owner func(fingerprint string) string) call {
	c := call{at: time.Now(), method: r.Method, path: r.URL.Path}
	// /v1/connected-apps/ENVIRONMENT/secrets/(data|metadata)/(connections|candidates)/APP/NAME…
	parts := strings.Split(r.URL.Path, "/")
	if len(parts) > 5 && parts[4] == "inbox" && parts[5] == "data" {
		return leftInInbox(c, body, owner)
	}
	if len(parts) < 9 || parts[4] != "secrets" || parts[6] != "connections" && parts[6] != "candidates" {
		return c
	}
	c.subject = parts[3] + "/" + parts[8]
	candidate := parts[6] == "candidates"
	switch {
	case r.Method == http.MethodDelete && candidate:
		c.kind = kindClear
	case r.Method == http.MethodDelete:
		c.kind = kindDestroy
	case r.Method == http.MethodPatch:
		c.kind = kindNote
	case r.Method == http.MethodGet:
		c.kind = kindRead
	case r.Method == http.MethodPut || r.Method == http.MethodPost:
		var sent struct {
			Data document `json:"data"`
		}
		if json.Unmarshal(body, &sent) != nil {
			return c
		}
		c.write, c.doc = true, sent.Data
		old, known := before(c.subject)
		c.kind = purpose(candidate, sent.Data, old, known)
	}
	return c
}

// leftInInbox finds whose code is handed over.
func leftInInbox(c call, body []byte, owner func(fingerprint string) string) call {
	var sent struct {
		Data struct {
			Fields map[string]string `json:"fields"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &sent) != nil {
		return c
	}
	for _, value := range sent.Data.Fields {
		if whose := owner(fingerprint(value)); whose != "" {
			c.kind, c.subject = kindInbox, whose
		}
	}
	return c
}

// purpose is what a write of a document changes.
func purpose(candidate bool, d, old document, known bool) kind {
	switch {
	case candidate:
		return kindCandidate
	case !known || d.Grant != old.Grant:
		return kindAdopt
	case d.Generation > old.Generation:
		return kindSettle
	case d.Rejected != nil && d.Rejected.Generation == d.Generation && old.Rejected == nil:
		return kindReject
	case d.Intent != nil && d.Intent.BudgetSeconds > 0 && (old.Intent == nil || old.Intent.Attempt != d.Intent.Attempt):
		return kindIntent
	default:
		return kindGate
	}
}

// appCall reads a request to the app. owner knows whose a token or code is, by its fingerprint.
func appCall(r *http.Request, body []byte, owner func(fingerprint string) string) call {
	c := call{at: time.Now(), method: r.Method, path: r.URL.Path}
	form, _ := url.ParseQuery(string(body))
	switch {
	case r.URL.Path == "/oauth/token" && form.Get("grant_type") == "refresh_token":
		c.kind, c.presented = kindRedeem, fingerprint(form.Get("refresh_token"))
	case r.URL.Path == "/oauth/token" && form.Get("grant_type") == "authorization_code":
		c.kind, c.presented = kindExchange, fingerprint(form.Get("code"))
	case r.URL.Path == "/oauth/revoke":
		c.kind, c.presented = kindRevoke, fingerprint(form.Get("token"))
	case strings.HasPrefix(r.URL.Path, "/api/v1/"):
		c.kind = kindAction
		if r.URL.Path == "/api/v1/me" {
			c.kind = kindProbe
		}
		c.presented = fingerprint(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}
	c.subject = owner(c.presented)
	return c
}

// answered are the fingerprints of the tokens in a token endpoint's answer.
func answered(body []byte) (access, refresh string) {
	var tokens struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if json.Unmarshal(body, &tokens) != nil {
		return "", ""
	}
	return fingerprint(tokens.Access), fingerprint(tokens.Refresh)
}
