package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// surroundings is what the launcher's own environment said before it was cleaned.
type surroundings struct {
	// temporal and vault are addresses of servers to use instead of the embedded ones, or "".
	temporal, vault string
	// token is for installing mounts, policies and logins in Vault; no child gets it.
	token string
}

// takeSurroundings reads what names servers, and removes from the process's
// environment, which the children inherit, whatever could lead them elsewhere:
// an administrator's token always, and the variables of a server that is embedded.
func takeSurroundings() (surroundings, error) {
	s := surroundings{temporal: os.Getenv("TEMPORAL_ADDRESS"), vault: os.Getenv("VAULT_ADDR"), token: os.Getenv("VAULT_TOKEN")}
	if s.vault != "" && s.token == "" {
		return s, fmt.Errorf("VAULT_ADDR names a Vault to use, but VAULT_TOKEN is not set: " +
			"set it to a token that may create mounts, policies and AppRoles, or unset VAULT_ADDR to use the embedded server")
	}
	drop := []string{"VAULT_TOKEN", "CONNECTED_APPS_ENVIRONMENT", "CONNECTED_APPS_ENVIRONMENTS", "CONNECTED_APPS_CODEC", "CONNECTED_APPS_ENV_FILE"}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if s.temporal == "" && strings.HasPrefix(name, "TEMPORAL_") || s.vault == "" && strings.HasPrefix(name, "VAULT_") {
			drop = append(drop, name)
		}
	}
	for _, name := range drop {
		if err := os.Unsetenv(name); err != nil {
			return s, err
		}
	}
	return s, nil
}

// shared is the environment of worker, gateway and command line alike, apart from
// the identity each logs in with.
func (o *options) shared(s surroundings) ([]string, error) {
	env := []string{
		"CONNECTED_APPS_GATEWAY_URL=" + o.gatewayURL(),
		"CONNECTED_APPS_ALLOW_PRIVATE=127.0.0.0/8",
		"CONNECTED_APPS_ALLOW_HTTP=true",
		"CONNECTED_APPS_CODEC=" + sealed,
	}
	if s.temporal == "" {
		// A profile file of the person's must not lead elsewhere.
		profile := o.path("temporal.toml")
		if err := os.WriteFile(profile, []byte("# Empty on purpose: devstack sets TEMPORAL_ADDRESS.\n"), 0o600); err != nil {
			return nil, err
		}
		env = append(env, "TEMPORAL_ADDRESS="+o.ports.address(portTemporal), "TEMPORAL_CONFIG_FILE="+profile,
			"CONNECTED_APPS_TEMPORAL_UI=http://"+o.ports.address(portTemporalUI))
	} else {
		env = append(env, "TEMPORAL_ADDRESS="+s.temporal)
	}
	if s.vault == "" {
		env = append(env, "VAULT_ADDR=http://"+o.ports.address(portVault))
	} else {
		env = append(env, "VAULT_ADDR="+s.vault)
	}
	return env, nil
}

func (o *options) gatewayURL() string { return "http://" + o.ports.address(portGateway) }

func (o *options) identities(who string) string { return o.path("identities", who) }

// apply sets the variables for the launcher itself, which is then a command line like any other.
func apply(env []string) error {
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// writeEnv writes the file that the command line reads: NAME=value lines.
func writeEnv(path string, env []string) error {
	lines := slices.Clone(env)
	slices.Sort(lines)
	for _, line := range lines {
		if strings.ContainsAny(line, "\r\n") {
			return fmt.Errorf("%q cannot stand in %s", line, path)
		}
	}
	text := "# Written by devstack; connected-apps reads it for variables that are not set.\n" + strings.Join(lines, "\n") + "\n"
	return replaceFile(path, []byte(text), 0o600)
}

// replaceFile writes a file so that a reader sees the old one or the new one whole.
func replaceFile(path string, text []byte, mode os.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // gone already when all went well
	_, err = temporary.Write(text)
	if err == nil {
		err = temporary.Chmod(mode)
	}
	if err == nil {
		err = temporary.Sync()
	}
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
