//go:build unix && !linux

package main

import "syscall"

// attributes of every child: a group of its own, so that the launcher stops its
// children in order. Only Linux ends them when the launcher is killed; elsewhere
// they stay, and the next start names their ports as taken.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
