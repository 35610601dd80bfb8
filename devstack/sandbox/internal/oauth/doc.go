// Package oauth is the sandbox's authorization server: the library github.com/ory/fosite does the protocol,
// this package adds what a test needs to see and to break.
//
// # What the library does
//
// Authorization code, client credentials and password grants (RFC 6749), assertions of services and of clients
// (RFC 7523), PKCE (RFC 7636, enforced with S256 for every
// client), refresh with reuse detection (RFC 9700 section 4.14.2), revocation (RFC 7009), introspection
// (RFC 7662), client authentication, redirect URI matching.
//
// # What this package adds
//
//   - device authorization (RFC 8628): its endpoint, its page, and a grant handler of the library's kind
//   - the consent page, and iss in every authorization response (RFC 9207), errors included
//   - one transaction per token request: what it read and what it wrote cannot be torn apart by a concurrent
//     request or a crash, so two refreshes with one token are always one success and one reuse
//   - expiry by the sandbox's clock and its live settings; five rotation modes
//   - failures before and after the work is done, and the ledger entry of each request
//
// # Where the library is not followed
//
// It answers a revocation that failed with 200, calls an expired code an invalid_request, and rounds expiries to
// whole seconds; all three are done here.
package oauth
