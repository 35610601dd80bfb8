// Package quirks is a provider that is strict about everything but one oddity,
// which it insists on. Each entry of its tables is one oddity, with the words of a
// definition that describe it; the test connects, renews and revokes through it.
package quirks
