// Command devstack starts everything that Connected Apps needs on one machine, and
// shows the main job on it: a connection is made, tested, used by another
// workflow and refreshed, with real servers.
//
//	devstack up          start, do the main job, stay until Ctrl-C
//	devstack up --once   the same in a fresh directory on free ports, then stop; exit 0 or 1
//	devstack status      what runs
//
// # What it starts
//
// Temporal with its Web UI, a server of Vault's API, the sandbox app, one worker
// per environment and the gateway: each a child process in a process group of
// its own, with a log under logs/. The children die with the launcher, even if it
// is killed. A worker or gateway that ends is started again; a server that ends
// takes everything down, since nothing works without it.
//
// TEMPORAL_ADDRESS or VAULT_ADDR in the environment name servers to use instead
// of the embedded ones. For Vault the launcher then needs VAULT_TOKEN to install
// mounts, policies and logins. It is the only process that ever sees that token.
//
// # What it keeps
//
// Everything is in one directory, .devstack unless --dir says otherwise, and
// survives a restart: connections that one run made are found by the next.
//
//	ready.json    addresses and process IDs; there only while everything is ready
//	env           the same as NAME=value lines, which connected-apps reads by itself
//	identities/   the Vault logins of worker and gateway, one per environment
//	logs/         one file per process; the run before has .previous.log
//	temporal.db   Temporal's state
//	vault/        Vault's state, its unseal key, and init.json with its root token
//	sandbox/      the sandbox app's state, ledger and credentials
//
// It is for development: whoever can read the directory has every secret in it.
package main
