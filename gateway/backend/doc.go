// Package backend is what the gateway's front ends stand on: the environments that
// are served, with their Temporal and their Vault behind narrow interfaces, and the
// list of connections, which Temporal cannot sort, kept for a few seconds.
//
// Console, API and connect links ask the same questions here; what a person may ask
// is decided by package access before.
package backend
