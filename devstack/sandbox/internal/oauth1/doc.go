// Package oauth1 is the sandbox's OAuth 1.0a (RFC 5849): the three endpoints, and the check of signed requests.
//
// Every signature is HMAC-SHA1 over a base string that is made here from the request as it arrived. Consumers are the
// clients of the admin endpoints. A request is taken once: nonces are remembered for as long as their timestamps are
// good. They are forgotten at a restart, which no timestamp from before it survives for longer than maxSkew.
package oauth1
