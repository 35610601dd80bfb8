package main

// operation is what a round does with each of its connections.
type operation string

// The operations.
const (
	opRefresh    operation = "refresh"    // a token is renewed
	opRevoked    operation = "revoked"    // the same, of a grant that the app has ended
	opAction     operation = "action"     // an action runs
	opConnect    operation = "connect"    // a connection is made
	opDisconnect operation = "disconnect" // and ended
)

// strike is what happens once the connections have come to the point.
type strike string

// The strikes.
const (
	killWorker  strike = "kill"       // SIGKILL of the worker
	killGateway strike = "kill-gw"    // SIGKILL of the gateway
	killTwice   strike = "kill-twice" // and again, when the next worker is there
	partition   strike = "partition"  // the worker loses Temporal and lives on, another takes over
	stall       strike = "stall"      // the worker is stopped for longer than a budget, another takes over
	loseAnswer  strike = "lose"       // nobody dies; what the server answered is lost
	failAnswer  strike = "fail"       // nobody dies; what was carried out is answered with 500
	calm        strike = "calm"       // nothing happens
)

// point is a place in the traffic between the product and its servers.
type point struct {
	name     string
	op       operation
	kind     kind
	answered bool
	// strikes that make sense there; the first is the usual one.
	strikes []strike
}

// points are all of them, in the order of the table.
var points = []point{
	{"calm", opRefresh, kindRedeem, false, []strike{calm}},
	{"intent, sent", opRefresh, kindIntent, false, []strike{killWorker}},
	{"intent, written", opRefresh, kindIntent, true, []strike{killWorker, stall, partition}},
	{"redeem, sent", opRefresh, kindRedeem, false, []strike{killWorker, partition}},
	{"redeem, answered", opRefresh, kindRedeem, true, []strike{killWorker, partition, killTwice, loseAnswer, failAnswer}},
	{"settle, sent", opRefresh, kindSettle, false, []strike{killWorker, partition, loseAnswer}},
	{"settle, written", opRefresh, kindSettle, true, []strike{killWorker, loseAnswer}},
	{"rejection, written", opRevoked, kindReject, true, []strike{killWorker}},
	{"action, sent", opAction, kindAction, false, []strike{killWorker, partition}},
	{"action, answered", opAction, kindAction, true, []strike{killWorker, failAnswer, loseAnswer}},
	{"callback, in the inbox", opConnect, kindInbox, true, []strike{killGateway}},
	{"exchange, sent", opConnect, kindExchange, false, []strike{killWorker}},
	{"exchange, answered", opConnect, kindExchange, true, []strike{killWorker, loseAnswer}},
	{"candidate, written", opConnect, kindCandidate, true, []strike{killWorker}},
	{"adoption, written", opConnect, kindAdopt, true, []strike{killWorker}},
	{"revocation, sent", opDisconnect, kindRevoke, false, []strike{killWorker}},
	{"revocation, answered", opDisconnect, kindRevoke, true, []strike{killWorker, failAnswer, loseAnswer}},
	{"document, destroyed", opDisconnect, kindDestroy, true, []strike{killWorker}},
}

// mode is a way in which an app treats the refresh token that was spent.
type mode struct {
	// name is the sandbox's, and the ID of the method of the definition that the rig writes.
	name string
	// rotation and whileValid are what such an app's definition says of it.
	rotation   string
	whileValid bool
	// strict: one answer that nobody stored ends the grant, whatever anybody does.
	strict bool
	// replaces: a refresh answers another refresh token.
	replaces bool
}

// modes are the rotation modes, as the sandbox calls them.
var modes = []mode{
	{"none", "none", true, false, false},
	{"omit", "none", true, false, false},
	{"strict", "strict", true, true, true},
	{"grace", "grace", true, false, true},
	{"grace_same", "grace", true, false, true},
	{"grace_old", "grace", true, false, true},
	{"successor", "grace", true, false, true},
	{"unexpired", "strict", false, true, true},
}

// environments are the lanes.
var environments = []string{"development", "staging", "production"}
