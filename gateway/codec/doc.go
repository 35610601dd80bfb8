// Package codec opens and seals payloads for programs that have no codec of their own:
// Temporal's Web UI and command line, and workers in other languages. It speaks
// Temporal's remote codec protocol.
//
// # Addresses
//
//	POST /codec/decode              X-Namespace names the namespace: for the Web UI, which has one address for all
//	POST /codec/{namespace}/decode  for those that can put it into the address; the header may repeat it
//
// and the same for encode. A body is a JSON of Temporal's Payloads, 8 MiB at most, and so is the answer.
//
// # Who may
//
// Operators of the environment: payloads hold no secrets, but what is sent to apps and
// what they answered, which a viewer is not shown either. By an access token or, from a
// page of the gateway or of the Web UI that CONNECTED_APPS_TEMPORAL_UI names, by a
// session in a browser. Pages of other origins are told nothing.
package codec
