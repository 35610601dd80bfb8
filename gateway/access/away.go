package access

import (
	"context"
	"sync"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
)

const (
	// vaultTime bounds a question to one environment's Vault: whoever has something in
	// several environments waits so long for one that hangs. An answer takes milliseconds.
	vaultTime = 2 * time.Second
	// awayLife is how long a Vault that did not answer is left alone, and whoever asks for
	// it is told so at once.
	awayLife = 3 * time.Second
)

// absences remember which environments' Vaults did not answer. The zero value knows of none.
type absences struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// spares reports whether an environment is left alone just now. When its time is over
// one caller is let through, and the others are spared until that one knows more.
func (a *absences) spares(environment string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	until, known := a.until[environment]
	if !known {
		return false
	}
	if time.Now().Before(until) {
		return true
	}
	a.until[environment] = time.Now().Add(vaultTime + awayLife)
	return false
}

// note takes down how a question ended, and reports whether that is news.
func (a *absences) note(environment string, away bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, known := a.until[environment]
	if !away {
		delete(a.until, environment)
		return known
	}
	if a.until == nil {
		a.until = map[string]time.Time{}
	}
	a.until[environment] = time.Now().Add(awayLife)
	return !known
}

func vaultAway(environment string) *connection.Problem {
	return connection.VaultUnavailable("the Vault of " + environment + " does not answer just now")
}

// ask asks one environment's Vault something, for vaultTime at most, even where the
// question does not heed its context. The question outlives a caller who leaves: how
// it ends counts for everybody.
func ask[T any](ctx context.Context, g *Guard, environment string, question func(context.Context) (T, error)) (T, error) {
	var none T
	if g.absences.spares(environment) {
		return none, vaultAway(environment)
	}
	type answer struct {
		value T
		err   error
	}
	came := make(chan answer, 1)
	var failed sync.Once // a question that was given up fails once, and not again when its end is known
	fail := func(err error) { failed.Do(func() { g.heard(environment, err) }) }
	late := time.NewTimer(vaultTime)
	defer late.Stop()
	go func() {
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), vaultTime)
		defer cancel()
		value, err := question(asking)
		switch {
		case err == nil:
			g.heard(environment, nil)
		case asking.Err() != nil:
			err = vaultAway(environment)
			fail(err)
		default:
			fail(err)
		}
		came <- answer{value, err}
	}()
	select {
	case a := <-came:
		return a.value, a.err
	case <-late.C:
		err := vaultAway(environment)
		fail(err)
		return none, err
	case <-ctx.Done():
		return none, vaultAway(environment)
	}
}

// heard remembers a Vault that gave no answer whatsoever. A refusal with a status is an
// answer: what somebody sends here must not keep others out.
func (g *Guard) heard(environment string, err error) {
	problem, ok := connection.AsProblem(err)
	away := ok && problem.Type == connection.ErrVaultUnavailable && problem.Status == 0
	switch news := g.absences.note(environment, away); {
	case news && away:
		g.log.Warn("an environment's Vault does not answer, and is left alone for a moment", zap.String("environment", environment))
	case news:
		g.log.Info("an environment's Vault answers again", zap.String("environment", environment))
	}
}
