// Package web is what every page and answer of the gateway shares: which host it
// serves, which requests come from its own pages, how its cookies are named, and
// what an error is in HTTP. It knows nothing of connections beyond their errors.
package web
