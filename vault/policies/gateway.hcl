# What the gateway, and an operator's command line, may do in one environment.
# It reads no credential, no inbox entry, no attempt and no auth config.
# {{base}} is replaced by "<prefix>/<environment>" when the policy is installed.

# Leave a secret for a workflow: create only, so nothing is overwritten or read back.
path "{{base}}/inbox/data/*" {
  capabilities = ["create"]
}

# When a connection was last used, refreshed and tested: facts beside the document, not in it.
path "{{base}}/secrets/metadata/connections/*" {
  capabilities = ["read"]
}

# Seal the cookie that binds an authorization to the browser that began it.
path "{{base}}/transit/encrypt/cookies" {
  capabilities = ["update"]
}
path "{{base}}/transit/decrypt/cookies" {
  capabilities = ["update"]
}

# The payload codec's data keys.
path "{{base}}/transit/datakey/plaintext/payloads" {
  capabilities = ["update"]
}
path "{{base}}/transit/decrypt/payloads" {
  capabilities = ["update"]
}

# Access tokens and sign-in links, stored as hashes.
path "{{base}}/secrets/data/access/*" {
  capabilities = ["create", "read", "update"]
}
path "{{base}}/secrets/metadata/access/*" {
  capabilities = ["read", "list", "delete"]
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
