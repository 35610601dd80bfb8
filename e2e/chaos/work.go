package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/e2e/person"
	"connectedapps/workflows"
)

// opWithin bounds an operation with everything that a fault may cost it: the budget of
// a spender that died, several attempts, the way of a person.
const opWithin = 4 * time.Minute

// callback takes a connect up to the app's answer and says where that leads.
func (l *lane) callback(ctx context.Context, s *subject) (*person.Person, string, error) {
	link, err := l.product.RequestLink(ctx, workflows.ConnectInput{ConnectRequest: activities.ConnectRequest{
		Connection: l.id(s), Method: method(s.mode), AuthConfig: method(s.mode)}})
	if err != nil {
		return nil, "", err
	}
	p := person.New()
	consent, err := p.Consent(ctx, link.URL)
	if err != nil {
		return nil, "", err
	}
	answer, err := p.SubmitOnce(ctx, consent, map[string]string{"user": "ada", "decision": "approve"})
	if err != nil {
		return nil, "", err
	}
	at, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || at.Query().Get("code") == "" {
		return nil, "", fmt.Errorf("the app answers %d %s", answer.Status, answer.Text)
	}
	l.gate.learn(l.key(s), at.Query().Get("code"))
	return p, at.String(), nil
}

// errAgain is a connect that asks the person to authorize once more.
var errAgain = errors.New("authorize again")

// connect makes a connection as a person does.
func (l *lane) connect(ctx context.Context, s *subject) error {
	p, callback, err := l.callback(ctx, s)
	if err != nil {
		return err
	}
	return l.deliver(ctx, s, p, callback)
}

// deliver takes the app's answer to the gateway and waits for what comes of it. A gateway
// that dies under the person's browser, or has no Vault, is asked once more, as people do.
func (l *lane) deliver(ctx context.Context, s *subject, p *person.Person, callback string) error {
	for tries := 0; ; tries++ {
		seen, err := p.Once(ctx, "GET", callback, nil, "")
		if err == nil && seen.Status < 500 || tries > 20 {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	// Its end is waited for, and not asked for again and again: queries take the place of
	// work in the queue, and hundreds a second of them hold it up.
	ended := make(chan error, 1)
	go func() { _, err := l.product.AwaitConnect(ctx, l.id(s)); ended <- err }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("the connect ended: %w", err)
			}
			return l.know(ctx, s)
		case <-time.After(5 * time.Second):
		}
		progress, err := l.product.Progress(ctx, l.id(s))
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("the connect is still %s: %w", progress.Phase, ctx.Err())
		case err == nil && progress.Phase == workflows.PhaseAuthorization && attemptOver(progress):
			return errAgain
		case err == nil && progress.Phase == workflows.PhaseTestFailed:
			return fmt.Errorf("the connect is %s: %v", progress.Phase, progress.Problem)
		}
	}
}

func attemptOver(p workflows.Progress) bool {
	for _, a := range p.Attempts {
		if a.State != workflows.AttemptFailed && a.State != workflows.AttemptExpired {
			return false
		}
	}
	return len(p.Attempts) > 0
}

// know finds the app's family of a connection and has the app treat it as its mode says.
func (l *lane) know(ctx context.Context, s *subject) error {
	family, err := l.familyOf(ctx, s)
	if err != nil {
		return err
	}
	s.family = family
	return l.sandbox.treat(ctx, family, s.mode)
}

func (l *lane) familyOf(ctx context.Context, s *subject) (string, error) {
	stored, _ := l.gate.before(l.key(s))
	for _, t := range stored.Credential.Tokens {
		access := fingerprint(t.Access)
		found, err := l.sandbox.of(ctx, func(e entry) bool { return e.Kind == "token" && e.IssuedAccess == access })
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[len(found)-1].Family, nil
		}
	}
	return "", fmt.Errorf("%s: the app knows no token of it", l.key(s))
}

// refresh has the token renewed: by a person's request, or, where the app refuses that
// as long as the access lives, by an action that finds it gone. Without a fault actions
// run there until the access has expired more than once.
func (l *lane) refresh(ctx context.Context, s *subject, how strike) error {
	if s.mode.whileValid {
		_, err := l.product.Refresh(ctx, l.id(s))
		return err
	}
	if how != calm {
		if err := l.sandbox.revokeAccess(ctx, s.family); err != nil {
			return err
		}
		_, err := l.act(ctx, s, "list-contacts", "")
		return err
	}
	for end := time.Now().Add(2 * shortLife); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if _, err := l.act(ctx, s, "list-contacts", ""); err != nil {
			return err
		}
	}
	return nil
}

func (l *lane) act(ctx context.Context, s *subject, action, key string) (*activities.CallActionResult, error) {
	arguments := json.RawMessage(`{}`)
	if action != "list-contacts" {
		arguments = json.RawMessage(`{"name":"Chaos"}`)
	}
	return l.product.RunAction(ctx, activities.CallActionInput{Connection: l.id(s), Action: action, Arguments: arguments, IdempotencyKey: key})
}

// actions are what a round runs, by turns: one that reads, one that the app recognises
// when it is repeated, and one that it would carry out again.
var actions = []string{"list-contacts", "create-contact", "create-key"}

// disconnect ends a connection; one that is gone is as it should be.
func (l *lane) disconnect(ctx context.Context, s *subject) error {
	_, err := l.product.Disconnect(ctx, l.id(s), "chaos")
	if errors.Is(err, &connection.Problem{Type: connection.ErrConnectionNotFound}) {
		return nil
	}
	return err
}

// renew makes a connection anew whose grant was lost.
func (l *lane) renew(ctx context.Context, s *subject) error {
	if err := l.disconnect(ctx, s); err != nil {
		return err
	}
	for {
		err := l.connect(ctx, s)
		if connection.TypeOf(err) != connection.ErrConnectionIDTaken || ctx.Err() != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
	}
}
