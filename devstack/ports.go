package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Flags of the ports, which are their names too.
const (
	portTemporal        = "temporal-port"
	portTemporalUI      = "temporal-ui-port"
	portTemporalMetrics = "temporal-metrics-port"
	portVault           = "vault-port"
	portVaultCluster    = "vault-cluster-port"
	portSandbox         = "sandbox-port"
	portGateway         = "gateway-port"
)

// portWorker is the flag of the port on which an environment's worker tells its health.
func portWorker(environment string) string { return "worker-" + environment + "-port" }

// port is one that this machine must have free.
type port struct {
	flag    string
	purpose string
	number  int
	// given is set when the person chose it; the others may be moved.
	given bool
	// optional is not listened on unless it is given.
	optional bool
	// unused is set when a server of the person's is used instead, and for an optional
	// one that was not given.
	unused bool
}

type ports []*port

func defaultPorts() ports {
	all := ports{
		{flag: portTemporal, purpose: "Temporal", number: 7233},
		{flag: portTemporalUI, purpose: "Temporal's Web UI", number: 8233},
		{flag: portTemporalMetrics, purpose: "Temporal's metrics for Prometheus; 0 for none", optional: true, unused: true},
		{flag: portVault, purpose: "Vault", number: 8200},
		{flag: portVaultCluster, purpose: "Vault's cluster listener", number: 8201},
		{flag: portSandbox, purpose: "the sandbox app", number: 9070},
		{flag: portGateway, purpose: "the gateway", number: 8400},
	}
	for i, environment := range environments {
		all = append(all, &port{flag: portWorker(environment), purpose: "the health of the " + environment + " worker", number: 8411 + i})
	}
	return all
}

func (all ports) find(flag string) *port {
	for _, p := range all {
		if p.flag == flag {
			return p
		}
	}
	return nil
}

func (all ports) number(flag string) int { return all.find(flag).number }

// address is host:port on loopback, where everything of the stack listens.
func (all ports) address(flag string) string { return loopback(all.number(flag)) }

func loopback(number int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(number)) }

// shift moves the ports that were not given by their own flag.
func (all ports) shift(offset int) error {
	for _, p := range all {
		if p.optional && p.number == 0 {
			continue
		}
		if !p.given {
			p.number += offset
		}
		if p.number < 1 || p.number > 65535 {
			return fmt.Errorf("port %d for %s cannot be; choose another with --%s: %w", p.number, p.purpose, p.flag, errUsage)
		}
	}
	return nil
}

// pickFree replaces every port that was not given by one that is free now.
func (all ports) pickFree() error {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close() // it was only a reservation
		}
	}()
	for _, p := range all {
		if p.given || p.unused {
			continue
		}
		l, err := net.Listen("tcp", loopback(0))
		if err != nil {
			return fmt.Errorf("no free port for %s: %w", p.purpose, err)
		}
		held = append(held, l)
		p.number = l.Addr().(*net.TCPAddr).Port
	}
	return nil
}

// check reports every port that is taken, in one error that names the flags.
func (all ports) check() error {
	var taken []string
	seen := map[int]*port{}
	for _, p := range all {
		if p.unused {
			continue
		}
		if other := seen[p.number]; other != nil {
			taken = append(taken, fmt.Sprintf("port %d is meant for both %s (--%s) and %s (--%s)",
				p.number, other.purpose, other.flag, p.purpose, p.flag))
			continue
		}
		seen[p.number] = p
		l, err := net.Listen("tcp", loopback(p.number))
		if err != nil {
			taken = append(taken, fmt.Sprintf("port %d is in use; it is for %s: choose another with --%s", p.number, p.purpose, p.flag))
			continue
		}
		_ = l.Close() // it was only a question
	}
	if len(taken) == 0 {
		return nil
	}
	return errors.New(strings.Join(taken, "\n          ") +
		"\n          or stop what listens there, or move all ports with --port-offset 1000")
}
