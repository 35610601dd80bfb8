// Package connection is the language of Connected Apps: what a connection is
// called, which states it can be in, what a provider's answer means, how a
// credential is referred to without carrying it, and which errors exist.
//
// # Who uses it
//
// Every other package, and nothing here imports any of them. It depends on the
// standard library and on Temporal's error types only.
//
// # Secrets
//
// The only types here that hold secret material are [Secret] and what is built
// of it: [Credential], [Token], [AuthConfig] and [Attempt]. They redact themselves under
// every formatting verb and in JSON, so they cannot be a workflow argument by
// accident: what would arrive is the word "REDACTED". What travels through
// Temporal in their place is a [CredentialRef] or an [InboxRef].
package connection
