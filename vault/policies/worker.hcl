# What the worker of one environment may do, and nothing more.
# {{base}} is replaced by "<prefix>/<environment>" when the policy is installed.

# Credential documents, candidates, auth configs, attempts, alert sinks, budgets: the worker owns them.
path "{{base}}/secrets/data/*" {
  capabilities = ["create", "read", "update"]
}
# Soft facts are patched, names are listed, and what is destroyed goes with its metadata.
path "{{base}}/secrets/metadata/*" {
  capabilities = ["read", "list", "patch", "delete"]
}
# Access tokens and sign-in links are the gateway's. The folder itself has a rule too: listing it is asked for without the slash.
path "{{base}}/secrets/metadata/access" {
  capabilities = ["deny"]
}
path "{{base}}/secrets/data/access/*" {
  capabilities = ["deny"]
}
path "{{base}}/secrets/metadata/access/*" {
  capabilities = ["deny"]
}

# The inbox: collect and clear what callers left, and sweep what nobody collected.
path "{{base}}/inbox/data/*" {
  capabilities = ["read"]
}
path "{{base}}/inbox/metadata/*" {
  capabilities = ["read", "list", "delete"]
}

# The payload codec's data keys.
path "{{base}}/transit/datakey/plaintext/payloads" {
  capabilities = ["update"]
}
path "{{base}}/transit/decrypt/payloads" {
  capabilities = ["update"]
}

# Its own token. Vault's default policy is not attached: what that allows is up to whoever runs Vault.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
