// Package outbound makes the one HTTP client for everything that leaves:
// requests to providers, token endpoints and webhook receivers.
//
// # Where a request may go
//
// The address is checked when the connection is made, after every name was
// resolved, so that no spelling of a host and no change of DNS between a check
// and its use gets around it. Private, shared, loopback, link-local, metadata,
// multicast and transition ranges are refused unless a [Policy] allows them.
// No proxy is taken from the environment.
//
// # What goes along
//
// A request carries its injected credentials by name ([WithCredentials]). When
// a redirect leaves the origin of the first request, they are taken off, and
// stay off for every later hop, also one that comes back. What is worked out for
// each hop, such as a signature, asks [AtHome] first.
//
// # How much it may take
//
// Headers, bodies after decompression, the wait for the first byte, the wait
// between two pieces and the whole are all bounded. Going over a bound is an
// error and never a shorter answer.
package outbound
