// Package access says who a request comes from and what they may do: roles per
// environment, from a session in a browser or a token in a header.
//
// # Environments are walls
//
// A session is one cookie for each environment, sealed by that environment's own key
// in Vault, and an access token names the environment whose Vault knows it. Whoever
// holds one environment's key can forge nothing in another. Cookies of one browser
// that do not agree on whose they are let nobody in.
//
// # Ways in
//
//   - a one-time link, which `connected-apps console` makes with the gateway's own
//     identity in Vault: for those who operate it, and for the first minute
//   - the operator's OpenID provider, whose groups are mapped to roles
//   - an access token, or a JWT of that provider, in the Authorization header
//
// # No state
//
// A gateway keeps nothing that another replica lacks, but for answers of Vault that
// are seconds old. Signing out removes the cookies; a copy of one that somebody took
// before is good until it expires, eight hours after signing in.
//
// # Not here
//
// What a role is needed for is said where it is done, by [Person.Check].
package access
