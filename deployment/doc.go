// Package deployment reads where everything is from the process's environment
// and opens it: Temporal, Vault, the definitions, the way out to providers. The
// worker and the command line share it, so that both mean the same by a variable.
//
// Temporal is found by its own variables and profile file (TEMPORAL_ADDRESS,
// TEMPORAL_CONFIG_FILE and so on), Vault by its own (VAULT_ADDR, VAULT_CACERT,
// VAULT_TOKEN and so on), and the rest by the CONNECTED_APPS_ variables that
// [Variables] lists.
package deployment
