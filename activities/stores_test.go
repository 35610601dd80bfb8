package activities

import (
	"context"
	"fmt"
	"maps"

	"connectedapps/connection"
)

type trialEntry struct {
	attempt connection.Attempt
	version int
}

type budgetEntry struct {
	window  connection.BudgetWindow
	version int
}

// The other stores share the same Vault.
type configStore struct{ *store }

func (s configStore) Read(_ context.Context, app, name string) (connection.AuthConfig, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.configs[app+"/"+name]
	if !ok {
		return connection.AuthConfig{}, 0, connection.ErrAbsent
	}
	return held.config, held.version, nil
}

func (s configStore) Write(_ context.Context, app, name string, a connection.AuthConfig, version int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.configs[app+"/"+name].version != version {
		return connection.ErrVersionConflict
	}
	s.configs[app+"/"+name] = configEntry{a, version + 1}
	if s.afterConfig != nil {
		return s.afterConfig()
	}
	return nil
}

func (s configStore) Destroy(_ context.Context, app, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.configs, app+"/"+name)
	return nil
}

func (s configStore) ReadBudget(_ context.Context, app, owner string) (connection.BudgetWindow, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.budgets[app+"/"+owner]
	if !ok {
		return connection.BudgetWindow{}, 0, connection.ErrAbsent
	}
	return held.window, held.version, nil
}

func (s configStore) WriteBudget(_ context.Context, app, owner string, w connection.BudgetWindow, version int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.budgets[app+"/"+owner].version != version {
		return connection.ErrVersionConflict
	}
	s.budgets[app+"/"+owner] = budgetEntry{w, version + 1}
	return nil
}

func (s configStore) DestroyBudget(_ context.Context, app, owner string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.budgets, app+"/"+owner)
	return nil
}

type inboxStore struct{ *store }

func (s inboxStore) Read(_ context.Context, ref connection.InboxRef) (map[string]connection.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fields, ok := s.inbox[ref]
	if !ok {
		return nil, connection.ErrAbsent
	}
	return maps.Clone(fields), nil
}

func (s inboxStore) Clear(_ context.Context, ref connection.InboxRef) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inbox, ref)
	return nil
}

func (s inboxStore) Sweep(context.Context) (int, error) { return 0, nil }

// leave puts secrets into the inbox: name and text in turn.
func (s *store) leave(pairs ...string) connection.InboxRef {
	s.mu.Lock()
	defer s.mu.Unlock()
	fields := map[string]connection.Secret{}
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i]] = connection.NewSecret(pairs[i+1])
	}
	s.left++
	ref := connection.InboxRef(fmt.Sprintf("entry-%d", s.left))
	s.inbox[ref] = fields
	return ref
}

type attemptStore struct{ *store }

func (s attemptStore) Read(_ context.Context, id connection.ID, attempt string) (connection.Attempt, int, connection.Clock, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.trials[id.String()+"/"+attempt]
	if !ok {
		return connection.Attempt{}, 0, connection.Clock{}, connection.ErrAbsent
	}
	return held.attempt, held.version, connection.ClockAt(s.now()), nil
}

func (s attemptStore) Write(_ context.Context, id connection.ID, attempt string, a connection.Attempt, version int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := id.String() + "/" + attempt
	if s.trials[name].version != version {
		return connection.ErrVersionConflict
	}
	s.trials[name] = trialEntry{a, version + 1}
	return nil
}

func (s attemptStore) Destroy(_ context.Context, id connection.ID, attempt string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.trials, id.String()+"/"+attempt)
	return nil
}

func (s attemptStore) DestroyAll(context.Context, connection.ID) error { return nil }
func (s attemptStore) Sweep(context.Context) (int, error)              { return 0, nil }

type outputStore struct{ *store }

func (s outputStore) Keep(_ context.Context, id connection.ID, fields map[string]connection.Secret) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	where := "outputs/" + id.String()
	s.kept[where] = fields
	return where, nil
}

func (s outputStore) DestroyAll(context.Context, connection.ID) error { return nil }
