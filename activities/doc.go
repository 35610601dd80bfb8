// Package activities holds every side effect: what is asked of providers, and
// what is written to Vault. Workflows only decide which of these happens when.
//
// # The one spender
//
// A refresh token may be spent once. Whoever needs a newer credential (an action
// that met a 401, the watch that sees an expiry coming, a person who pressed
// Refresh) asks the same [Spender], which arbitrates by Vault's compare-and-set.
//
// # Errors
//
// Every activity returns through [connection.Boundary]: what enters history is a
// problem of a known type, with bounded text and without a cause.
//
// # What dies here
//
// Each activity may be killed at any line and is then run again by Temporal. The
// comment on each says why that is harmless.
package activities
