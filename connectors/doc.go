// Package connectors knows what an app is: how to authenticate with it, how to
// test a credential, what can be done, and what its answers mean. All of that is
// data, one YAML file for each app; there is no code for a particular app.
//
// # Definitions
//
// [Load] reads the built-in catalogue (catalog/*.yaml) and then directories of
// one's own. A wrong definition is refused with file, line, column, field and
// reason; [ValidateDir] finds all of them at once. [AuthoringSchema] is the JSON
// Schema of the format, for editors, and the same that definitions are checked
// against. Predicates are CEL, places in answers JMESPath, URLs templates as in
// RFC 6570, and inputs of actions JSON Schemas.
//
// # From a credential to a request
//
// A [Method] is one way to authenticate. For OAuth it builds the authorization
// URL and exchanges, renews and revokes tokens; golang.org/x/oauth2 makes the
// token requests, with the client authentication always explicit, behind a
// transport that reads the provider's answer, however odd, and never shows it
// to the library. A [Session] joins a method with a credential: [Session.Probe]
// tests it, [Session.Call] uses an [Action].
//
// # Errors
//
// Every error of a function that talks to a provider or reads input is a
// [connection.Problem] whose type and verdict say what to do. The provider's
// words in it are bounded and free of the request's own secrets, in whatever
// form they come back. [Load] and [ValidateDir] answer [DefinitionError] instead.
//
// # Secrets
//
// A credential is put into a request last, so that nothing overrides it, and
// only into requests below the app's own base URL. Outputs that are secrets are
// taken out of a result before anything else looks at it.
//
// # What this package does not do
//
// It keeps no state, follows no clock of its own and repeats no request:
// lifetimes are lengths of time, a next page is a cursor, and whether to ask
// again is the caller's decision. All it needs of the network is the client of
// package outbound.
package connectors
