// Package api is the JSON API under /api/v1: what the console and the command line
// do, a platform or a script can do.
//
// # One description
//
// Operations are Go functions over Go types; the OpenAPI 3.1 document, the checks of
// what comes in and the answers are made from the same types by huma. What a type does
// not say is not in the API, and the tests walk the document, so that an operation
// without a role, a description or an entry in the table of roles fails them.
//
// # Who may what
//
// [access.Authenticator] says who asks. A viewer reads, an operator connects, repairs,
// uses and disconnects, an admin manages auth configs and alert sinks. The role is
// checked before a body is read wherever the path names the environment.
//
// # Secrets
//
// A secret comes in as a [Secret], is left in the environment's inbox and travels on as
// a reference. No answer, error or log line holds one, but for two that are made here
// and shown once: the signing key of a new webhook and the link of a connect session.
//
// # Not here
//
// Nothing is decided here about a connection: the workflows are asked, and what they
// answer is put into JSON.
package api
