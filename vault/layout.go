package vault

import "connectedapps/connection"

// DefaultPrefix is the path under which all mounts of all environments lie.
const DefaultPrefix = "connected-apps"

// Layout names the mounts of one environment.
type Layout struct {
	Prefix      string // "" means DefaultPrefix
	Environment string
}

func (l Layout) base() string {
	prefix := l.Prefix
	if prefix == "" {
		prefix = DefaultPrefix
	}
	return prefix + "/" + l.Environment
}

// Secrets is the mount of documents, auth configs, attempts, alert sinks, budgets and access.
func (l Layout) Secrets() string { return l.base() + "/secrets" }

// Inbox is the mount where callers leave secrets.
func (l Layout) Inbox() string { return l.base() + "/inbox" }

// Transit is the mount of encryption keys.
func (l Layout) Transit() string { return l.base() + "/transit" }

// Role is the AppRole of the worker or the gateway, and the policy of the same name.
func (l Layout) Role(who string) string { return "connected-apps-" + who + "-" + l.Environment }

const (
	connections = "connections/"
	candidates  = "candidates/"
	authConfigs = "auth-configs/"
	attempts    = "attempts/"
	outputs     = "outputs/"
	budgets     = "budgets/"
	sinks       = "sinks/"
	// The gateway's own; the worker is denied access/.
	tokens = "access/tokens/"
	links  = "access/links/"
)

func owner(id connection.ID) string { return id.App() + "/" + id.Slug() }

// documentPath is where the credential that the reference names is kept.
func documentPath(ref connection.CredentialRef) string {
	if ref.Candidate {
		return candidates + owner(ref.Connection) + "/" + ref.Grant
	}
	return connections + owner(ref.Connection)
}

func attemptPath(id connection.ID, attempt string) string {
	return attempts + owner(id) + "/" + attempt
}

func authConfigPath(app, name string) string { return authConfigs + app + "/" + name }
