// Package vault is where secrets live: credential documents, auth configs,
// authorization attempts and the inbox, over HashiCorp Vault's API (or OpenBao's).
//
// # Layout
//
// Every environment has mounts of its own, so that a policy is a wall:
//
//	connected-apps/<environment>/secrets   KV v2, one version kept, compare-and-set required
//	  connections/<app>/<name>             the credential document of a connection
//	  candidates/<app>/<name>/<grant>      a credential that has not passed its test yet
//	  auth-configs/<app>/<name>            a client registration or shared credential
//	  attempts/<app>/<name>/<attempt>      what the callback of an authorization will need
//	  outputs/<app>/<name>/<random>        secrets that actions answered with
//	  access/{tokens,links}/<sha256>       who may use the gateway; the text of none is kept
//	connected-apps/<environment>/inbox     KV v2, entries vanish after 15 minutes
//
// # Clock
//
// A read carries Vault's own time ([connection.Clock]); stored times are in it.
//
// # Errors
//
// A lost compare-and-set is [connection.ErrVersionConflict], a missing entry
// [connection.ErrAbsent], and everything else a [connection.Problem] of type
// VaultUnavailable, which is safe to retry and quotes nothing that Vault holds.
package vault
