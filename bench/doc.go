// Command bench measures what Connected Apps costs, each figure against a floor: the
// same work written as plainly as the SDKs let it, measured in the same run, in pairs
// whose blocks are interleaved.
//
//	go run . --only action --rounds 5 --json FILE
//	go run . --markdown ../docs/performance.md
//
// It starts the development stack from ../bin in a directory and on ports of its own,
// and a second process of itself as the floor's worker. docs/performance.md tells what
// the figures mean.
//
// # How to add a bar
//
// A [bar] has a name, words for the table, and run, which measures and answers a
// [result]. Put it into a function like actionBars in a file of its own, and that into
// [bars]. What run gets from the [rig]:
//
//   - r.client (workflows.Client), r.bare (an SDK client for floors), r.secrets (vault.Client), r.root (Vault's
//     administrator), r.sandbox (the app's credentials), r.ready (addresses, process IDs,
//     logs; r.reload reads it again), r.dir, r.random (seeded), r.short, r.rounds.
//   - r.fresh, r.connect, r.connectQuiet (looked at once a month), r.disconnect: connections
//     of the sandbox app by API key; listContacts is the action that is measured.
//   - r.pairs runs blocks of two sides in turn, and answers rounds with p50, p95, rate and
//     processor time; over makes a check of them by byP50, byRate, byCPU or a function.
//   - r.counting answers the server's actions by kind; r.counters, settled, since and sum
//     read any of Temporal's metrics; r.history reads a run's events.
//   - r.auditing answers what Vault was asked; byWorker and counted look into that.
//   - r.cpu, processCPU, memory, load: processes; timed, crowd, quantile, median: times.
//   - atMost and atLeast make a check; its method exact makes a miss fail the run. Only
//     counts that no load of the machine can change may be exact.
//   - r.say tells progress.
//
// What runs in the floor's worker is registered in floorWorker. In a short run, which
// is part of the tests, a bar does a few operations and only exact checks are judged.
package main
