package activities

import (
	"context"
	"errors"
	"slices"

	"connectedapps/connection"
)

// SweepReport says what a sweep removed and what it found without an owner.
type SweepReport struct {
	InboxEntries int `json:"inbox_entries"`
	Attempts     int `json:"attempts"`
	// Orphans are connections that have a credential in Vault and no open workflow.
	// They are named and not removed: a person decides.
	Orphans []connection.ID `json:"orphans,omitempty"`
}

// SweepVault removes inbox entries and attempts that nobody will collect, for
// good, and names credentials without an open Connection. It can be run at any time.
func (a *Activities) SweepVault(ctx context.Context) (*SweepReport, error) {
	report, err := a.sweep(ctx)
	return report, a.leave(ctx, "SweepVault", err)
}

func (a *Activities) sweep(ctx context.Context) (*SweepReport, error) {
	pulse := startPulse(ctx)
	defer pulse.stop()
	report := &SweepReport{}
	var err error
	if report.InboxEntries, err = a.Inbox.Sweep(ctx); err != nil {
		return nil, err
	}
	if report.Attempts, err = a.Attempts.Sweep(ctx); err != nil {
		return nil, err
	}
	report.Orphans, err = a.orphans(ctx)
	return report, err
}

// orphans are the connections that Vault knows and Temporal does not have open. Of those
// in Temporal's list nobody is asked one by one, so that a sweep costs a page for each
// thousand; the list may be behind, and who is missing there is asked.
func (a *Activities) orphans(ctx context.Context) ([]connection.ID, error) {
	unseen := map[connection.ID]bool{}
	for _, list := range []func(context.Context) ([]connection.ID, error){a.Documents.Connections, a.Documents.WithCandidates} {
		ids, err := list(ctx)
		if err != nil && !errors.Is(err, connection.ErrAbsent) {
			return nil, err
		}
		for _, id := range ids {
			unseen[id] = true
		}
	}
	if len(unseen) == 0 {
		return nil, nil
	}
	if err := a.Workflows.EachOpenConnection(ctx, func(id connection.ID) { delete(unseen, id) }); err != nil {
		return nil, err
	}
	var orphans []connection.ID
	for id := range unseen {
		open, err := a.Workflows.ConnectionOpen(ctx, id)
		if err != nil {
			return nil, err
		}
		if !open {
			orphans = append(orphans, id)
		}
	}
	slices.Sort(orphans)
	return orphans, nil
}

// keepOutputs puts secret outputs of an action into Vault and answers where they
// are. The action has been carried out and its answer exists nowhere else, so
// this goes on for a while if Vault is in trouble.
func (a *Activities) keepOutputs(ctx context.Context, id connection.ID, secrets map[string]connection.Secret) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget)
	defer cancel()
	for wait := pollMin; ; wait = min(2*wait, pollMax) {
		where, err := a.Outputs.Keep(ctx, id, secrets)
		if err == nil {
			places := make(map[string]string, len(secrets))
			for place := range secrets {
				places[place] = where + "#" + place
			}
			return places, nil
		}
		if !pause(ctx, wait) {
			return nil, connection.Refused(connection.ErrOutcomeUnknown,
				"the action was carried out, but its secret answer could not be stored in Vault", "undo it in the app and run it again once Vault answers")
		}
	}
}
