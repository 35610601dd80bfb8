# What the worker of one environment may do, and nothing more.
# {{base}} is replaced by "<prefix>/<environment>" when the policy is installed.

# Credential documents, candidates, auth configs, attempts: the worker owns them.
path "{{base}}/secrets/data/*" {
  capabilities = ["create", "read", "update"]
}
# Soft facts are patched, names are listed, and what is destroyed goes with its metadata.
path "{{base}}/secrets/metadata/*" {
  capabilities = ["read", "list", "patch", "delete"]
}
# Agents' access tokens are the gateway's.
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
