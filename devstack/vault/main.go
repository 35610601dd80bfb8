// Command devstack-vault is the secrets server of the development stack: a
// real server that speaks HashiCorp Vault's API, stores to disk and unseals
// itself. It is OpenBao, unchanged; its command line is OpenBao's own:
//
//	devstack-vault server -config=server.hcl
//	devstack-vault status
//	devstack-vault operator init -recovery-shares=1 -recovery-threshold=1
//
// README.md in this directory describes the configuration, server.hcl.tmpl is
// a sample of it. Production brings its own Vault or OpenBao; nothing here is
// meant to be reachable from another machine.
package main

import (
	"os"

	"github.com/openbao/openbao/command"
)

func main() {
	os.Exit(command.Run(os.Args[1:]))
}
