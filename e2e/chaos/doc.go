// Command chaos kills and cuts the running product at named points, and counts
// what was lost.
//
// # The rig
//
// The real Temporal server on a file, the real Vault-API server and the sandbox app
// run as they do in development. Between them and the processes under test stand two
// gates that read every request: one before Vault, one before the app. A point such
// as "redeem, answered" is a place in that traffic, so the code under test knows
// nothing of any test. When every connection of a round has come to the point, the
// worker is ended with SIGKILL by its process ID, or cut off from Temporal and left
// running, or only the answer is lost.
//
// # The matrix
//
// Each environment is a lane with a worker of its own and one connection per
// rotation mode and store fault. A round takes a lane to one point, so it is a row of
// cells: point × rotation mode × store fault. A sweep goes through all points.
//
// # The judges
//
// What really happened is told by three who are not under test: the app's ledger, which
// is append-only, what the gates saw pass, and Vault itself, read by another way. See
// judge.go for what is counted, and controls.go for the mutants that show that each
// count can be other than zero.
//
// # Running it again
//
// Everything random comes from the seed, which is printed: --seed runs the same rounds
// with the same choices. What the machine does in between is not in the seed.
package main
