package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/e2e/person"
	"connectedapps/vault"
	"connectedapps/workflows"

	"github.com/Shopify/toxiproxy/v2"
)

// lane is one environment with a worker and a gateway of its own.
type lane struct {
	*rig
	environment string
	workerPath  string
	product     *workflows.Client
	secrets     *vault.Client
	gatewayAt   string
	subjects    []*subject
	// action and storeAfter are what a control wants of every cell; "" and false leave it to the round.
	action     string
	storeAfter bool

	mu      sync.Mutex
	worker  *child
	link    *toxiproxy.Proxy
	gateway *child
	zombies []*child
}

// subject is one connection.
type subject struct {
	name   string
	mode   mode
	store  string
	family string
	// person is at the app's answer, which leads to callback; for a connect that a round is about.
	person   *person.Person
	callback string
}

func (l *lane) id(s *subject) connection.ID {
	return connection.ID(l.environment + "/trial/" + s.name)
}

// only does something with some of the lane's connections, and with an action and a store
// fault that is not the round's to choose.
func (l *lane) only(some func(*subject) bool, action string, storeAfter bool, do func() error) error {
	all := l.subjects
	l.subjects, l.action, l.storeAfter = slices.DeleteFunc(slices.Clone(all), func(s *subject) bool { return !some(s) }), action, storeAfter
	defer func() { l.subjects, l.action, l.storeAfter = all, "", false }()
	return do()
}

// key is how the gates call it.
func (l *lane) key(s *subject) string { return l.environment + "/" + s.name }

// newLane starts a gateway and a worker and registers the clients.
func (r *rig) newLane(ctx context.Context, environment, worker string) (*lane, error) {
	l := &lane{rig: r, environment: environment, workerPath: worker}
	r.lanes = append(r.lanes, l)
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	l.gatewayAt = address
	if err := l.startGateway(ctx); err != nil {
		return nil, err
	}
	if err := l.startWorker(ctx); err != nil {
		return nil, err
	}
	settings := r.settings
	settings.Identities = r.ready.Identities[vault.Gateway]
	if l.secrets, err = settings.Vault(environment, quiet); err != nil {
		return nil, err
	}
	if l.product, err = settings.Client(environment, r.catalogue, l.secrets, quiet); err != nil {
		return nil, err
	}
	for _, m := range modes {
		ref, err := l.secrets.Inbox().Leave(ctx, map[string]connection.Secret{"client_secret": connection.NewSecret(r.client["client_secret"])})
		if err != nil {
			return nil, err
		}
		if _, err := l.product.CreateAuthConfig(ctx, activities.StoreAuthConfigInput{App: "trial", Name: method(m), Method: method(m),
			ClientID: r.client["client_id"], Values: map[string]string{"base_url": r.appGate}, Inbox: ref}); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *lane) startGateway(ctx context.Context) error {
	sealed := ""
	if slices.Contains(l.settings.Codec, l.environment) {
		sealed = l.environment
	}
	started, err := run(filepath.Join(l.bin, "connected-apps"), []string{"serve"}, []string{"VAULT_ADDR=" + l.vaultGate,
		"CONNECTED_APPS_ENVIRONMENTS=" + l.environment, "CONNECTED_APPS_CODEC=" + sealed, "CONNECTED_APPS_GATEWAY_URL=http://" + l.gatewayAt, "CONNECTED_APPS_LISTEN=" + l.gatewayAt,
		"CONNECTED_APPS_IDENTITIES=" + l.ready.Identities[vault.Gateway]}, filepath.Join(l.dir, "gateway-"+l.environment+".log"))
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.gateway = started
	l.mu.Unlock()
	return l.answers(ctx, "http://"+l.gatewayAt+"/readyz", started)
}

// startWorker runs a worker that reaches Temporal by a link of its own.
func (l *lane) startWorker(ctx context.Context) error {
	health, err := freeAddress()
	if err != nil {
		return err
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	link := toxiproxy.NewProxy(l.links, "temporal-"+address, address, l.ready.Temporal)
	if err := link.Start(); err != nil {
		return err
	}
	started, err := run(l.workerPath, nil, []string{"VAULT_ADDR=" + l.vaultGate, "TEMPORAL_ADDRESS=" + address, "CONNECTED_APPS_ENVIRONMENT=" + l.environment,
		"CONNECTED_APPS_GATEWAY_URL=http://" + l.gatewayAt, "CONNECTED_APPS_HEALTH_LISTEN=" + health,
		"CONNECTED_APPS_IDENTITIES=" + l.ready.Identities[vault.Worker]}, filepath.Join(l.dir, "worker-"+l.environment+".log"))
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.worker, l.link = started, link
	l.mu.Unlock()
	return l.answers(ctx, "http://"+health+"/readyz", started)
}

// answers waits until an address answers 200.
func (l *lane) answers(ctx context.Context, address string, c *child) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", address, ctx.Err())
		case <-c.ended:
			return fmt.Errorf("%s ended; see the logs in %s", c.cmd.Path, l.dir)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// strike does to the lane what the round wants, and starts what is missing again. again
// holds the same point once more, before the next worker is there.
func (l *lane) strike(ctx context.Context, how strike, let release, again func() *hold) error {
	l.mu.Lock()
	worker, link, gateway := l.worker, l.link, l.gateway
	l.mu.Unlock()
	switch how {
	case killWorker:
		l.end(worker, link)
		l.gate.let(l.environment, let)
		return l.startWorker(ctx)
	case killTwice:
		l.end(worker, link)
		l.gate.let(l.environment, let)
		second := again()
		if err := l.startWorker(ctx); err != nil {
			return err
		}
		second.await(len(second.waiting), budget+20*time.Second)
		return l.strike(ctx, killWorker, let, again)
	case killGateway:
		gateway.kill()
		l.gate.let(l.environment, drop)
		return l.startGateway(ctx)
	case partition, stall:
		until := time.Now().Add(cutOff)
		if how == partition {
			link.Stop()
		} else {
			worker.signal(syscall.SIGSTOP)
			until = time.Now().Add(budget + cutOff)
		}
		l.zombies = append(l.zombies, worker)
		l.gate.died(l.environment)
		err := l.startWorker(ctx)
		// By now Temporal has given the work to the other worker; what was held goes on in the first one.
		time.Sleep(time.Until(until))
		worker.signal(syscall.SIGCONT)
		l.gate.let(l.environment, deliver)
		return err
	case loseAnswer:
		l.gate.let(l.environment, drop)
	case failAnswer:
		l.gate.let(l.environment, fail)
	case calm:
		l.gate.let(l.environment, deliver)
	}
	return nil
}

// cutOff is how long a worker is without Temporal before what is held goes on: its
// heartbeats are missed after three seconds, and the other asks half a second later.
const cutOff = 12 * time.Second

// end kills a worker, and cuts the link that it had.
func (l *lane) end(worker *child, link *toxiproxy.Proxy) {
	worker.kill()
	link.Stop()
	l.gate.died(l.environment)
}

// bury ends the workers that were cut off.
func (l *lane) bury() {
	for _, z := range l.zombies {
		z.kill()
	}
	l.zombies = nil
}

func (l *lane) stop() {
	l.bury()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range []*child{l.worker, l.gateway} {
		if c != nil {
			c.kill()
		}
	}
	if l.link != nil {
		l.link.Stop()
	}
}

// unknown reports whether nobody knows what became of an action.
func unknown(err error) bool {
	return errors.Is(err, &connection.Problem{Type: connection.ErrOutcomeUnknown})
}
