// Package console is what people see of connections in a browser: the gallery of
// apps, the steps of a connect, the connections with their health, toolkits, auth
// configs and alerts.
//
// # How a page is made
//
// The server renders every page whole, with html/template, and works without
// scripts; htmx replaces parts of one where people would otherwise wait or reload.
// A handler reads the request, asks [backend.Environment] and renders; what a person
// may do was decided by package access, and is asked again for every write.
//
// # State
//
// There is none here. A connect's page shows what its workflow says, so a tab may be
// closed and opened again tomorrow. What a write has answered is shown by the page
// that the browser is sent to.
//
// # Secrets
//
// No page ever holds one. Fields for secrets are write-only: what was typed in goes
// to the inbox, and a form that did not pass comes back with them empty.
package console
