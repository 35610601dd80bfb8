package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// All activity options are here. Every one has a StartToClose; where attempts
// are unlimited, what ends the work is the workflow's own session or a person.

const (
	// sessionLife is how long a person may take over a connect: until tomorrow.
	sessionLife = 24 * time.Hour
	// sessionDefault is how long the link of a connect session lives that says nothing:
	// long enough to find a password, short enough for a mail that others read later.
	sessionDefault = 30 * time.Minute
	// sessionMax is the longest life of such a link: that of a connect.
	sessionMax = sessionLife
	// linkLife is how long a connect link and its authorization attempt are good (RFC 9700: short).
	linkLife = 10 * time.Minute
	// revokeFor is how long a revocation is retried before it is given up, visibly.
	revokeFor = 24 * time.Hour
	// deliverFor is how long a message is tried at a sink.
	deliverFor = 72 * time.Hour
	// disconnectAnswer is how long a disconnect waits before it answers that the revocation goes on by itself.
	disconnectAnswer = 15 * time.Second
	// deadAfter is how long an activity may be silent before its worker is taken for
	// dead. Activities heartbeat four times as often, from one second on.
	deadAfter = 3 * time.Second
	// firstRetry is how long work waits for its second attempt: with deadAfter, and the
	// time that the server and a worker need, it goes on within five seconds of a crash.
	firstRetry = 500 * time.Millisecond
	// activationAnswer is how long a connect waits for its Connection to take the
	// credential over. Adopting is one write; Vault being away is waited for.
	activationAnswer = 24 * time.Hour
)

// Priorities of what waits in the egress queue; Temporal has 1 to 5, the least first.
// Actions and revocations have none of their own: that is 3, or what their caller has.
const (
	// forPeople is what somebody looks at a screen for.
	forPeople = 2
	// forWatches is what nobody waits for.
	forWatches = 4
)

// maxFairnessKey is how many bytes Temporal takes as a fairness key.
const maxFairnessKey = 64

// fair counts work on the egress queue as its owner's: where more waits than the
// workers can do, every owner is served in turn, and a burst of one does not hold up
// another's. What has no owner is the connection's own.
func fair(options workflow.ActivityOptions, owner string, id connection.ID) workflow.ActivityOptions {
	key := owner
	if key == "" {
		key = id.String()
	}
	if len(key) > maxFairnessKey {
		sum := sha256.Sum256([]byte(key))
		key = hex.EncodeToString(sum[:])
	}
	options.Priority.FairnessKey = key
	return options
}

// steady retries soon and for ever: Vault or the network will be back, and the work is small.
var steady = &temporal.RetryPolicy{InitialInterval: firstRetry, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second}

// brief is for what a person waits for: a few tries, then they are told. A wait that
// an app asks for may last a day, and would hold up whatever comes after; it is told at once.
var brief = &temporal.RetryPolicy{InitialInterval: firstRetry, BackoffCoefficient: 2, MaximumInterval: 5 * time.Second, MaximumAttempts: 5,
	NonRetryableErrorTypes: []string{connection.ErrRateLimited}}

// looking is for activities that end a look with the time of the next one. The
// interval only counts when a look was cut off.
var looking = &temporal.RetryPolicy{InitialInterval: firstRetry, BackoffCoefficient: 1}

// vaultWork is for activities that only write to Vault: repeated until it takes them.
var vaultWork = workflow.ActivityOptions{TaskQueue: Queue, StartToCloseTimeout: time.Minute, HeartbeatTimeout: deadAfter, RetryPolicy: steady}

// asked is for provider calls that a person waits for. The 100 s cover a refresh
// that waits for another's budget (45 s) and then does its own.
var asked = workflow.ActivityOptions{TaskQueue: EgressQueue, StartToCloseTimeout: 100 * time.Second,
	HeartbeatTimeout: deadAfter, RetryPolicy: brief, Priority: temporal.Priority{PriorityKey: forPeople}}

// exchange is for the redemption of a code: its own budget of presentations ends it, not the number of attempts.
var exchange = workflow.ActivityOptions{TaskQueue: EgressQueue, StartToCloseTimeout: 3 * time.Minute,
	ScheduleToCloseTimeout: time.Hour, HeartbeatTimeout: deadAfter, RetryPolicy: steady, Priority: temporal.Priority{PriorityKey: forPeople}}

// revoking goes on for a day; what is not revoked then lives on at the provider, and that is said.
var revoking = workflow.ActivityOptions{TaskQueue: EgressQueue, StartToCloseTimeout: time.Minute,
	ScheduleToCloseTimeout: revokeFor, HeartbeatTimeout: deadAfter,
	RetryPolicy: &temporal.RetryPolicy{InitialInterval: firstRetry, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute}}

// watching is the watch of a connection; a healthy look is over before its first heartbeat is due.
var watching = workflow.ActivityOptions{TaskQueue: EgressQueue, StartToCloseTimeout: 3 * time.Minute,
	HeartbeatTimeout: deadAfter, RetryPolicy: looking, WaitForCancellation: true, Priority: temporal.Priority{PriorityKey: forWatches}}

// proving tries new secrets at the app, and takes trouble there for passing for ten
// minutes; after that the old secrets stay. An attempt may wait for another's refresh
// of a connection and go on to the next.
var proving = workflow.ActivityOptions{TaskQueue: EgressQueue, StartToCloseTimeout: 4 * time.Minute,
	ScheduleToCloseTimeout: 10 * time.Minute, HeartbeatTimeout: deadAfter, RetryPolicy: steady}

// watchingSecret waits for an end; it asks Vault what time it is.
var watchingSecret = workflow.ActivityOptions{TaskQueue: Queue, StartToCloseTimeout: time.Minute, RetryPolicy: looking,
	WaitForCancellation: true}

// watchingSession looks once a minute whether a connect is alive.
var watchingSession = workflow.ActivityOptions{TaskQueue: Queue, StartToCloseTimeout: time.Minute, RetryPolicy: looking,
	WaitForCancellation: true}

// pollGrace is what a device authorization may be asked for past its code's life: a
// person may have authorized in the last second, and the app says best that it is over.
const pollGrace = time.Minute

// pollingFor asks whether a person has authorized on another device, for as long as
// the code lives. An attempt asks once, and ends with the time of the next one.
func pollingFor(life time.Duration) workflow.ActivityOptions {
	return workflow.ActivityOptions{TaskQueue: EgressQueue, StartToCloseTimeout: 3 * time.Minute,
		ScheduleToCloseTimeout: life + pollGrace, HeartbeatTimeout: deadAfter, RetryPolicy: looking, WaitForCancellation: true,
		Priority: temporal.Priority{PriorityKey: forPeople}}
}

// delivering brings one message to one sink. A sink that is down over a weekend gets
// it; after that it is given up, and the alert says so.
var delivering = workflow.ActivityOptions{TaskQueue: EgressQueue, StartToCloseTimeout: time.Minute,
	ScheduleToCloseTimeout: deliverFor, HeartbeatTimeout: deadAfter,
	RetryPolicy: &temporal.RetryPolicy{InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: time.Hour}}

// tryingSink is for a test message, whose outcome a person waits for.
var tryingSink = workflow.ActivityOptions{TaskQueue: EgressQueue, StartToCloseTimeout: 30 * time.Second,
	ScheduleToCloseTimeout: 50 * time.Second, HeartbeatTimeout: deadAfter,
	RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumAttempts: 2,
		NonRetryableErrorTypes: []string{connection.ErrRateLimited}}}

// sweeping walks all of an environment's Vault paths.
var sweeping = workflow.ActivityOptions{TaskQueue: Queue, StartToCloseTimeout: 10 * time.Minute,
	HeartbeatTimeout: deadAfter, RetryPolicy: steady}

// actionRetry is how an action is retried that met trouble which waiting cures.
// What does not heal in about an hour is reported; work that waits for a person is not bounded by it.
var actionRetry = temporal.RetryPolicy{InitialInterval: firstRetry, BackoffCoefficient: 2, MaximumInterval: time.Minute}

// actionFor bounds an action with all its retries, unless it waits for a reconnect.
const actionFor = time.Hour

// ActionOptions are the activity options with which CallAction keeps its
// promises, for workflows that call it directly instead of through RunAction.
func ActionOptions(in activities.CallActionInput) workflow.ActivityOptions {
	retry := actionRetry
	options := workflow.ActivityOptions{TaskQueue: EgressQueue, StartToCloseTimeout: 5 * time.Minute,
		HeartbeatTimeout: deadAfter, RetryPolicy: &retry}
	if !in.WaitForReconnect {
		options.ScheduleToCloseTimeout = actionFor
	}
	return fair(options, in.Owner, in.Connection)
}

// StandaloneActionOptions are the same for an action started from a client.
func StandaloneActionOptions(in activities.CallActionInput) client.StartActivityOptions {
	options := ActionOptions(in)
	return client.StartActivityOptions{TaskQueue: options.TaskQueue, StartToCloseTimeout: options.StartToCloseTimeout,
		ScheduleToCloseTimeout: options.ScheduleToCloseTimeout, HeartbeatTimeout: options.HeartbeatTimeout,
		RetryPolicy: options.RetryPolicy, Priority: options.Priority}
}
