# HashiCorp Vault for docker-compose.yml: one node with integrated storage.
# It starts sealed; docs/operations.md says how to initialise and unseal it, and
# how to have it unseal itself by a key management service.

ui            = false
disable_mlock = true # integrated storage; keep the machine's swap encrypted or off

storage "raft" {
  path    = "/vault/file"
  node_id = "vault"
}

# Plain HTTP on the compose file's internal network and on this machine's loopback
# only. Give it a certificate before it leaves this machine.
listener "tcp" {
  address     = "0.0.0.0:8200"
  tls_disable = true
}

api_addr     = "http://vault:8200"
cluster_addr = "http://vault:8201"
