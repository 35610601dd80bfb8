// Command connected-apps is the command line of Connected Apps. It starts
// workflows and asks them; it performs no side effect of a connection itself.
//
// # Secrets
//
// A secret is typed in without echo, or read from a file or standard input, and
// goes straight into the inbox of Vault. No flag takes one: arguments are
// readable by every process of the machine, and stay in shell histories.
//
// # For scripts
//
// Results go to standard output, everything else to standard error. --output json
// makes results and errors JSON objects, and the exit codes of exits.go are
// contract. Nothing asks a question unless standard input is a terminal.
//
// # The gateway
//
// "connected-apps serve" runs package gateway; see there.
package main
