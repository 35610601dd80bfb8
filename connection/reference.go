package connection

// CredentialRef is what travels in place of a credential: through histories,
// results and logs. It is worth nothing without access to Vault.
type CredentialRef struct {
	Connection ID `json:"connection"`
	// Grant is one act of authorization; a reconnect makes a new one.
	Grant string `json:"grant"`
	// Generation counts credentials within the grant, from 1.
	Generation int `json:"generation"`
	// Candidate is true until the credential has passed its test and was
	// adopted: it then lies at its own path in Vault and not at the connection's.
	Candidate bool `json:"candidate,omitempty"`
}

// InboxRef names one entry of an environment's inbox: the place in Vault where a
// caller leaves a secret for a workflow to collect, once. The zero value is "nothing".
type InboxRef string

// Toolkit is a named selection of one connection's actions.
type Toolkit struct {
	// Name is a slug, unique within the connection.
	Name string `json:"name"`
	// Actions are action IDs of the connection's app, sorted.
	Actions []string `json:"actions"`
}

// DefaultToolkit is the name used where a caller gives none.
const DefaultToolkit = "default"
