// Package deploy holds what docker-compose.yml mounts, and the tests that keep the
// compose file, the set-up scripts and the documentation true to the code.
//
// It is a module of its own because of compose's loader. The tests read the
// project's source as text and import none of it.
package deploy
