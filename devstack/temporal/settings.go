package main

import "go.temporal.io/server/common/dynamicconfig"

// Limits that protect a shared cluster from one tenant. Here there is one tenant,
// and a limit would only show up as a slow or failing test.
const (
	// pollsPerSecond lifts the pace at which a history shard looks for due work.
	// At the default of 20 each hop of a workflow waits up to 50 ms.
	pollsPerSecond = 100_000

	// requestsPerSecond is far above what SQLite can serve.
	requestsPerSecond = 100_000
)

// settings is the server's dynamic configuration, fixed for the life of the
// process. Only what must differ from the server's defaults is listed. In
// particular these are on by default: workflow updates, update-with-start,
// standalone activities (activity.enableStandalone and history.enableChasm),
// schedules, worker versioning, summaries and details. Size limits (2 MB a payload,
// 4 MB a gRPC message, 1,000 characters an ID) are the defaults too, so that what
// works here works on a cluster.
func settings() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   pollsPerSecond,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      pollsPerSecond,
		dynamicconfig.OutboundProcessorMaxPollRPS.Key():   pollsPerSecond,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): pollsPerSecond,

		dynamicconfig.FrontendRPS.Key():                        requestsPerSecond,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key(): requestsPerSecond,
		// The default allows ten listings a second in each namespace; a console and a
		// test that waits for a row pass that together.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): requestsPerSecond,
		dynamicconfig.HistoryRPS.Key():                                   requestsPerSecond,
		dynamicconfig.MatchingRPS.Key():                                  requestsPerSecond,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                    requestsPerSecond,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                     requestsPerSecond,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():                    requestsPerSecond,

		// Partitions spread one queue over several nodes; on one node they only make
		// a task and its poller miss each other.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		// Fairness keys are ignored without this.
		dynamicconfig.MatchingEnableFairness.Key(): true,

		// The development stack reports to nobody.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
	}
}
