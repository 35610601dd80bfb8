package main

import (
	"errors"
	"net"
	"strings"
	"testing"
)

func TestPortInUseIsNamedWithItsFlag(t *testing.T) {
	taken, err := net.Listen("tcp", loopback(0))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	all := defaultPorts()
	if err := all.pickFree(); err != nil {
		t.Fatal(err)
	}
	if err := all.check(); err != nil {
		t.Fatalf("free ports are refused: %v", err)
	}
	all.find(portTemporalUI).number = taken.Addr().(*net.TCPAddr).Port
	err = all.check()
	if err == nil {
		t.Fatal("a taken port was not noticed")
	}
	_, number, _ := net.SplitHostPort(taken.Addr().String())
	for _, want := range []string{"port " + number, "Temporal's Web UI", "--temporal-ui-port", "--port-offset"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	all.find(portTemporalUI).unused = true
	if err := all.check(); err != nil {
		t.Errorf("a port that is not used is held against the start: %v", err)
	}
}

func TestTwoPurposesOnePort(t *testing.T) {
	all := defaultPorts()
	if err := all.pickFree(); err != nil {
		t.Fatal(err)
	}
	all.find(portVault).number = all.number(portGateway)
	if err := all.check(); err == nil || !strings.Contains(err.Error(), "--vault-port") || !strings.Contains(err.Error(), "--gateway-port") {
		t.Errorf("got %v", err)
	}
}

func TestOffsetMovesWhatIsNotGiven(t *testing.T) {
	o, err := parseUp([]string{"--dir", t.TempDir(), "--port-offset", "1000", "--vault-port", "4000"})
	if err != nil {
		t.Fatal(err)
	}
	if got := o.ports.number(portVault); got != 4000 {
		t.Errorf("vault port %d", got)
	}
	if got := o.ports.number(portTemporal); got != 8233 {
		t.Errorf("temporal port %d", got)
	}
	if _, err := parseUp([]string{"--dir", t.TempDir(), "--port-offset", "60000"}); !errors.Is(err, errUsage) {
		t.Errorf("port 67233 was accepted: %v", err)
	}
}

func TestMetricsAreOffUnlessTheirPortIsGiven(t *testing.T) {
	for _, args := range [][]string{nil, {"--temporal-metrics-port", "9233"}} {
		o, err := parseUp(append([]string{"--dir", t.TempDir(), "--port-offset", "1000"}, args...))
		if err != nil {
			t.Fatal(err)
		}
		if p := o.ports.find(portTemporalMetrics); p.unused != (args == nil) || args != nil && p.number != 9233 {
			t.Errorf("%v: %+v", args, p)
		}
		if err := o.ports.pickFree(); err != nil {
			t.Fatal(err)
		}
		if p := o.ports.find(portTemporalMetrics); args == nil && p.number != 0 {
			t.Errorf("a port was picked that nobody asked for: %+v", p)
		}
	}
}

func TestGivenPortsStayWhenFreeOnesArePicked(t *testing.T) {
	o, err := parseUp([]string{"--once", "--dir", t.TempDir(), "--gateway-port", "8400"})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.ports.pickFree(); err != nil {
		t.Fatal(err)
	}
	if o.ports.number(portGateway) != 8400 || o.ports.number(portTemporal) == 7233 {
		t.Errorf("gateway %d, temporal %d", o.ports.number(portGateway), o.ports.number(portTemporal))
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, args := range [][]string{{"fly"}, {"up", "extra"}, {"up", "--access-ttl", "1ms"}, {"status", "extra"}} {
		if err := run(t.Context(), args, nil); !errors.Is(err, errUsage) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
