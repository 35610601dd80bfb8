package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"connectedapps/vault"
)

const (
	// workerStop covers what a worker gives its running work, 30 s, and the storing of
	// a token that was just refreshed, 20 s. An idle worker takes a moment.
	workerStop  = 60 * time.Second
	gatewayStop = 20 * time.Second
)

// workerSpec runs the worker of one environment, with that environment's identity.
func workerSpec(o *options, environment string) spec {
	health := o.ports.address(portWorker(environment))
	return spec{
		name: "worker-" + environment, what: "the " + environment + " worker", binary: o.binary("connected-apps-worker"),
		env: []string{"CONNECTED_APPS_ENVIRONMENT=" + environment, "CONNECTED_APPS_HEALTH_LISTEN=" + health,
			"CONNECTED_APPS_IDENTITIES=" + o.identities(vault.Worker)},
		ready: answers("http://" + health + "/readyz"), restart: true, stopWithin: workerStop,
	}
}

func gatewaySpec(o *options) spec {
	return spec{
		name: "gateway", what: "the gateway", binary: o.binary("connected-apps"), args: []string{"serve"},
		env: []string{"CONNECTED_APPS_LISTEN=" + o.ports.address(portGateway), "CONNECTED_APPS_IDENTITIES=" + o.identities(vault.Gateway),
			"CONNECTED_APPS_ENV_FILE="},
		ready: answers(o.gatewayURL() + "/readyz"), restart: true, stopWithin: gatewayStop,
	}
}

// answers is a readiness check: the address answers 200.
func answers(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 500))
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answered %s: %s", address, answer.Status, strings.TrimSpace(string(text)))
		}
		return nil
	}
}
