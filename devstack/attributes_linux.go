package main

import "syscall"

// attributes of every child. A group of its own keeps a Ctrl-C of the terminal
// away from it: the launcher stops its children in order. If the launcher is
// killed the children are too; all of them are safe against that.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
