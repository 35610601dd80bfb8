// Package e2e proves the main job against the real servers: Temporal, the Vault
// API, the sandbox app with its authorization server, workers and gateway, all
// started as processes by the development stack's launcher. What happened at the
// app is counted in the sandbox's ledger, not believed.
//
// The tests share one stack and run one after another. CONNECTED_APPS_SOAK sets
// how long the soak runs (default 45 s); CONNECTED_APPS_HISTORIES names a
// directory into which the histories of the runs are exported.
package e2e
