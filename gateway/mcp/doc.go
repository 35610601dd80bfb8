// Package mcp serves toolkits to agents as tools of the Model Context Protocol, over
// streamable HTTP ([Handler]) and over standard input and output ([Local]).
//
// # Every call is a durable action
//
// A call runs as a standalone activity under an idempotency key, which the caller may
// choose in the call's _meta (see [MetaKey]): it outlives this process, waits out what
// limits the app has and, where it is asked to, the person who must reconnect. The
// same call with the same key joins the first one or gets its answer; one that failed
// without an effect may run again. Cancelling the last call that waits for an action
// cancels it; a connection that merely breaks and a session that ends, in the era of
// sessions, do not.
//
// # What a model reads
//
// Titles, descriptions and schemas come from the reviewed definitions of apps. What
// providers say, and what people have typed, appears in results only, and never in the
// list of tools; a connection is named by its ID. Results are bounded, and say so
// where something is missing.
//
// # Who may call what
//
// An agent's access token names its toolkits. Everybody else needs the role operator
// and says in the address which toolkits they want. Each request is judged anew: a
// token that was revoked ends its sessions, and the calls that wait. No token is handed on to anybody.
//
// # Two eras of the protocol
//
// Clients of 2026-07-28 and later are answered without sessions. Those before it have
// a session in the memory of one gateway: another replica answers 404, at which
// clients begin a new one.
package mcp
