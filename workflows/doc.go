// Package workflows orchestrates: it decides what happens when, and asks nobody
// but the activities. It holds no secret, only references.
//
// # Types
//
// ConnectApp is the saga that makes a connection: validate, reserve, obtain the
// credential, test, review, create the toolkit, activate; and compensation in
// reverse. Connection is the entity that owns a connection's state for its life; to
// reconnect, it starts a ConnectApp of its own that replaces its credential.
// AuthConfig is the entity of a client registration. RunAction runs one action
// of a toolkit as a child of somebody else's workflow. SweepVault cleans up on a schedule.
//
// # Contract
//
// The strings in names.go and the JSON of the types beside them are public:
// platforms in other languages start and message these workflows by name.
//
// # Client
//
// [Client] is the typed facade for Go programs: the command line, the gateway and
// platforms use it.
package workflows
