// Package conformance tests definitions against servers that this project did
// not write, and against one that speaks every oddity a definition can describe.
//
//   - apache: HTTP Basic and Digest of a real Apache
//   - issuer: an authorization server made with another library than the sandbox's
//   - quirks: a provider that speaks one oddity at a time
//
// It is a module of its own, since those servers bring many dependencies.
package conformance
