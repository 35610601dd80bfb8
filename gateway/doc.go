// Package gateway is what people's browsers see: the connect link, where a
// person reads who asks for what and presses one button, the callback, where an
// app's authorization server sends them back, and the result, where they also
// choose which of several accounts is meant.
//
// # No state
//
// A gateway keeps nothing between two requests. What must survive the trip to the
// provider is in a cookie that Vault has sealed, so that any replica can answer
// the callback of any other, and a restart loses nobody.
//
// # What travels
//
// The state of an authorization (RFC 6749 section 10.12) is minted here; only its
// SHA-256 reaches Temporal. The code is written to the inbox, and only the
// inbox's reference is signalled. Neither is ever logged or shown.
//
// # Refusals
//
// A callback that does not belong to an authorization which this very browser
// began is refused before anything is written or signalled.
//
// # Not here
//
// The gateway decides nothing about a connect: whether a link is good, used or
// too old, whether a code is redeemed and what the test said are the answers of
// the ConnectApp workflow, which the pages only put into words.
package gateway
