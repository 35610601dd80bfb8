package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"go.temporal.io/server/common/primitives"
)

// port is a port of the command line, with the flag that sets it.
type port struct {
	flag   string
	number int
}

// ports lists the listeners that were asked for.
func (o options) ports() []port {
	all := []port{{"--port", o.port}, {"--ui-port", o.uiPort}}
	if o.httpPort != 0 {
		all = append(all, port{"--http-port", o.httpPort})
	}
	if o.metricsPort != 0 {
		all = append(all, port{"--metrics-port", o.metricsPort})
	}
	return all
}

// claimPorts makes sure that every port of the command line is free and finds
// ports for the services nobody calls from outside. The result holds one port for
// each of the four services.
//
// It has to be done before the server starts: a listener that fails inside of it
// ends the process with a stack trace that names no flag. All listeners are open
// at the same time, so that no port is handed out twice.
func claimPorts(o options) (map[primitives.ServiceName]int, error) {
	for _, p := range o.ports() {
		l, err := net.Listen("tcp4", o.address(p.number))
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("port %d on %s is in use: stop what listens there or choose another with %s", p.number, o.ip, p.flag)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.flag, err)
		}
		defer l.Close()
	}
	byService := map[primitives.ServiceName]int{primitives.FrontendService: o.port}
	for _, service := range []primitives.ServiceName{
		primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
	} {
		l, err := net.Listen("tcp4", o.address(0))
		if err != nil {
			return nil, fmt.Errorf("find a port for the %s service: %w", service, err)
		}
		defer l.Close()
		byService[service] = l.Addr().(*net.TCPAddr).Port
	}
	return byService, nil
}
