package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// AdoptInput says which candidate becomes the connection's credential, and what the gate then says.
type AdoptInput struct {
	Ref  connection.CredentialRef `json:"ref"`
	Gate connection.Gate          `json:"gate"`
}

// AdoptReport is what the connection then has.
type AdoptReport struct {
	Ref connection.CredentialRef `json:"ref"`
}

// AdoptCandidate makes a tested candidate the connection's credential, and opens
// the gate in the same write. Run again it finds the grant in place. A refresh that
// is under way is waited for, since its new token would find no place.
func (a *Activities) AdoptCandidate(ctx context.Context, in AdoptInput) (*AdoptReport, error) {
	report, err := a.adopt(ctx, in)
	return report, a.leave(ctx, "AdoptCandidate", err)
}

func (a *Activities) adopt(ctx context.Context, in AdoptInput) (*AdoptReport, error) {
	live := connection.CredentialRef{Connection: in.Ref.Connection}
	defer a.reader.drop(live)
	for {
		current, err := a.Documents.Read(ctx, live)
		if err != nil && !errors.Is(err, connection.ErrAbsent) {
			return nil, err
		}
		if err == nil && current.Grant == in.Ref.Grant && current.Gate.Status == in.Gate.Status {
			live.Grant, live.Generation = current.Grant, current.Generation
			return &AdoptReport{Ref: live}, a.Documents.Destroy(ctx, in.Ref)
		}
		candidate, err := a.Documents.Read(ctx, in.Ref)
		if errors.Is(err, connection.ErrAbsent) {
			return nil, connection.NotFound(in.Ref.Connection)
		}
		if err != nil {
			return nil, err
		}
		if candidate.Login != nil {
			return nil, unfinished(in.Ref.Connection)
		}
		if candidate.Intent != nil && candidate.Age() < candidate.Intent.Budget {
			return nil, connection.LookAgain("waiting for a refresh to end before the credential is moved", pollMax)
		}
		if err := a.keepReplaced(ctx, current, in.Ref); err != nil {
			return nil, err
		}
		next := candidate.Document
		next.Gate = in.Gate
		_, err = a.Documents.Write(ctx, live, next, current.Version)
		if errors.Is(err, connection.ErrVersionConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		now := candidate.Clock.Now()
		if err := a.Documents.Note(ctx, live, map[connection.Fact]time.Time{
			connection.FactLastOK: now, connection.FactLastProbe: now, connection.FactFailingSince: {},
		}); err != nil {
			a.Log.Info("the facts of a new connection were not noted", zap.String("connection", live.Connection.String()))
		}
	}
}

// unfinished reports a candidate that is no whole credential yet.
func unfinished(id connection.ID) error {
	return connection.Refused(connection.ErrConnectionPending, fmt.Sprintf("the login of %s is not finished", id), "finish connecting it")
}

// WriteGateInput is what the gate is to say.
type WriteGateInput struct {
	Connection connection.ID   `json:"connection"`
	Gate       connection.Gate `json:"gate"`
}

// WriteGate projects the Connection's state for whoever acts. It changes nothing
// else of the document, so it never disturbs a refresh; run again it writes the same.
func (a *Activities) WriteGate(ctx context.Context, in WriteGateInput) error {
	return a.leave(ctx, "WriteGate", a.writeGate(ctx, in))
}

func (a *Activities) writeGate(ctx context.Context, in WriteGateInput) error {
	ref := connection.CredentialRef{Connection: in.Connection}
	defer a.reader.drop(ref)
	for {
		stored, err := a.Documents.Read(ctx, ref)
		if errors.Is(err, connection.ErrAbsent) {
			return nil // nothing to guard
		}
		if err != nil {
			return err
		}
		stored.Gate = in.Gate
		_, err = a.Documents.Write(ctx, ref, stored.Document, stored.Version)
		if !errors.Is(err, connection.ErrVersionConflict) {
			return err
		}
	}
}

// DestroyInput names what to remove from Vault.
type DestroyInput struct {
	Ref connection.CredentialRef `json:"ref"`
	// Everything of the connection goes: candidates, attempts and outputs too.
	Everything bool `json:"everything,omitempty"`
}

// DestroyCredential removes credentials with their metadata. What is gone already is not an error.
func (a *Activities) DestroyCredential(ctx context.Context, in DestroyInput) error {
	return a.leave(ctx, "DestroyCredential", a.destroy(ctx, in))
}

func (a *Activities) destroy(ctx context.Context, in DestroyInput) error {
	defer a.reader.drop(in.Ref)
	if err := a.Documents.Destroy(ctx, in.Ref); err != nil || !in.Everything {
		return err
	}
	id := in.Ref.Connection
	grants, err := a.Documents.Candidates(ctx, id)
	if err != nil && !errors.Is(err, connection.ErrAbsent) {
		return err
	}
	for _, grant := range grants {
		if err := a.Documents.Destroy(ctx, connection.CredentialRef{Connection: id, Grant: grant, Candidate: true}); err != nil {
			return err
		}
	}
	if err := a.Attempts.DestroyAll(ctx, id); err != nil {
		return err
	}
	for _, owner := range []string{ownBudget(id), apiBudget(ownBudget(id))} {
		if err := a.AuthConfigs.DestroyBudget(ctx, id.App(), owner); err != nil {
			return err
		}
	}
	return a.Outputs.DestroyAll(ctx, id)
}

// DiscardInput names the connection whose connect is over.
type DiscardInput struct {
	Connection connection.ID `json:"connection"`
	// Keep is the grant that was adopted; every other candidate goes. "" removes all.
	Keep string `json:"keep,omitempty"`
}

// DiscardReport names what is left to revoke.
type DiscardReport struct {
	// Candidates are grants that were stored and not adopted.
	Candidates []connection.CredentialRef `json:"candidates,omitempty"`
}

// DiscardAttempts removes the authorization attempts of a connect that is over,
// and names the candidates that were stored and not adopted, for revocation.
func (a *Activities) DiscardAttempts(ctx context.Context, in DiscardInput) (*DiscardReport, error) {
	report, err := a.discardAttempts(ctx, in)
	return report, a.leave(ctx, "DiscardAttempts", err)
}

func (a *Activities) discardAttempts(ctx context.Context, in DiscardInput) (*DiscardReport, error) {
	if err := a.Attempts.DestroyAll(ctx, in.Connection); err != nil {
		return nil, err
	}
	grants, err := a.Documents.Candidates(ctx, in.Connection)
	if err != nil && !errors.Is(err, connection.ErrAbsent) {
		return nil, err
	}
	slices.Sort(grants)
	report := &DiscardReport{}
	for _, grant := range grants {
		if grant != in.Keep {
			report.Candidates = append(report.Candidates, connection.CredentialRef{
				Connection: in.Connection, Grant: grant, Generation: 1, Candidate: true})
		}
	}
	return report, nil
}

// SessionLook is how often a reservation looks whether its connect is still alive.
const SessionLook = time.Minute

// WatchSessionInput names one run of a connect.
type WatchSessionInput struct {
	Connection connection.ID `json:"connection"`
	RunID      string        `json:"run_id"`
}

// WatchConnectSession returns when that run of ConnectApp is over, however it
// ended. Until then it costs no history.
func (a *Activities) WatchConnectSession(ctx context.Context, in WatchSessionInput) error {
	open, err := a.Workflows.SessionOpen(ctx, in.Connection, in.RunID)
	if err == nil && open {
		err = connection.LookAgain("the connect is still under way", SessionLook)
	}
	return a.leave(ctx, "WatchConnectSession", err)
}
