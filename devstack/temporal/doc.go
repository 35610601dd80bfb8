// Command devstack-temporal is the Temporal of the development stack: the real
// server and the real Web UI in one process, with their state in one SQLite
// file, listening on loopback only.
//
//	devstack-temporal --db .devstack/temporal.db \
//		--namespace development --search-attribute ConnectionApp=Keyword
//
// # Life
//
// It creates what is missing (directory, schema, namespaces, search attributes),
// waits until all of it can be used, and then prints one line of JSON to
// standard output:
//
//	{"event":"ready","temporal":"127.0.0.1:7233","ui":"http://127.0.0.1:8233","queue_poll_limit":100000}
//
// Everything else it says goes to standard error. SIGTERM and SIGINT stop it in
// good order; kill -9 loses nothing that was acknowledged, and the next start on
// the same file carries on.
//
// # What it is not for
//
// There is no authentication and no TLS, hence loopback only. SQLite has one
// writer: some fifty workflows a second, not a cluster's load. The file belongs
// to one server version; there are no migrations.
package main
