package activities

import (
	"context"
	"fmt"
	"testing"
	"time"

	"connectedapps/connection"
)

// candidateOf stores a fresh grant beside the connection's own.
func candidateOf(t *testing.T, w *world, grant string, change func(*connection.Document)) connection.CredentialRef {
	t.Helper()
	ref := connection.CredentialRef{Connection: testID, Grant: grant, Generation: 1, Candidate: true}
	document := w.vault.peek(w.ref).Document
	document.Grant, document.Intent = grant, nil
	access, refresh := w.provider.issue(grant)
	document.Credential.Tokens = map[string]connection.Token{connection.DefaultToken: {
		Access: connection.NewSecret(access), Refresh: connection.NewSecret(refresh), ExpiresAt: w.vault.peekNow().Add(time.Hour)}}
	if change != nil {
		change(&document)
	}
	if _, err := w.vault.compareAndSet(ref, document, 0); err != nil {
		t.Fatal(err)
	}
	return ref
}

// What is replaced is kept until it has been ended at the provider.
func TestAReplacedCredentialIsKeptToBeEnded(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	candidate := candidateOf(t, w, "second", nil)
	in := AdoptInput{Ref: candidate, Gate: connection.Gate{Status: connection.Active, Grant: "second"}}
	old := connection.CredentialRef{Connection: testID, Grant: "first", Generation: 1, Candidate: true}
	was := w.vault.peek(w.ref).Credential.Default()
	for range 2 {
		if _, err := a.adopt(context.Background(), in); err != nil {
			t.Fatal(err)
		}
	}
	if kept := w.vault.peek(old); kept.Credential.Default().Access != was.Access {
		t.Fatalf("the replaced credential is gone: %+v", kept)
	}
	left, err := a.discardAttempts(context.Background(), DiscardInput{Connection: testID})
	if err != nil || len(left.Candidates) != 1 || left.Candidates[0].Grant != "first" {
		t.Fatalf("%+v, %v", left, err)
	}
	report, err := a.revoke(context.Background(), RevokeInput{Ref: left.Candidates[0], Account: "ada"})
	if err != nil || report.Outcome != RevocationDone {
		t.Errorf("%+v, %v", report, err)
	}
}

// A refresh of the live credential that is under way would find no place for its answer.
func TestReplacingWaitsForARefreshOfWhatIsReplaced(t *testing.T) {
	w := newWorld(t, "strict")
	a := w.process()
	candidate := candidateOf(t, w, "second", nil)
	w.vault.change(t, w.ref, func(d *connection.Document) { d.Intent = &connection.Intent{Attempt: "somebody", Budget: budget} })
	in := AdoptInput{Ref: candidate, Gate: connection.Gate{Status: connection.Active, Grant: "second"}}
	_, err := a.adopt(context.Background(), in)
	demand(t, err, connection.ErrLookAgain)
	if live := w.vault.peek(w.ref); live.Grant != "first" {
		t.Fatalf("it was replaced: %s", live.Grant)
	}
	w.vault.change(t, w.ref, func(d *connection.Document) { d.Generation, d.Intent = 2, nil })
	old := connection.CredentialRef{Connection: testID, Grant: "first", Generation: 1, Candidate: true}
	candidateOf(t, w, "first", func(d *connection.Document) { d.Generation = 1 }) // kept by an attempt that died before the refresh
	if _, err := a.adopt(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	if kept := w.vault.peek(old); kept.Generation != 2 {
		t.Errorf("generation %d was kept", kept.Generation)
	}
}

// To end what the connection lives by would end the connection.
func TestACandidateThatTheConnectionLivesByIsNotRevoked(t *testing.T) {
	for name, change := range map[string]func(live, candidate *connection.Document){
		"a copy of its grant": func(_, candidate *connection.Document) { candidate.Grant = "first" },
		"the same token again": func(live, candidate *connection.Document) {
			candidate.Credential.Tokens = map[string]connection.Token{connection.DefaultToken: {Access: live.Credential.Default().Access}}
		},
		"the same refresh token": func(live, candidate *connection.Document) {
			candidate.Credential.Tokens = map[string]connection.Token{connection.DefaultToken: {
				Access: connection.NewSecret("new"), Refresh: live.Credential.Default().Refresh}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "strict")
			a := w.process()
			live := w.vault.peek(w.ref).Document
			ref := candidateOf(t, w, "other", func(d *connection.Document) { change(&live, d) })
			report, err := a.revoke(context.Background(), RevokeInput{Ref: ref, Account: "ada"})
			if err != nil || report.Outcome != RevocationShared {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
	w := newWorld(t, "strict")
	report, err := w.process().revoke(context.Background(), RevokeInput{Ref: candidateOf(t, w, "other", nil), Account: "ada"})
	if err != nil || report.Outcome != RevocationDone {
		t.Errorf("a grant of its own: %+v, %v", report, err)
	}
}

// A worker may be killed before or after each write of a replacement. Until the new
// credential is in place the old one works on, and is not ended; after that it is.
func TestAKillDuringAReplacement(t *testing.T) {
	for kill := range 4 {
		t.Run(fmt.Sprintf("%s write %d", []string{"before", "after"}[kill%2], kill/2+1), func(t *testing.T) {
			w := newWorld(t, "strict")
			a := w.process()
			candidate := candidateOf(t, w, "second", nil)
			in := AdoptInput{Ref: candidate, Gate: connection.Gate{Status: connection.Active, Grant: "second", Reason: "new"}}
			gate, n := w.vault.peek(w.ref).Gate, 0
			at := func(point int) func(connection.Document) error {
				return func(connection.Document) error {
					if n++; n == point {
						return die()
					}
					return nil
				}
			}
			if kill%2 == 0 {
				w.vault.faults(nil, at(kill/2+1), nil)
			} else {
				w.vault.faults(nil, nil, at(kill/2+1))
			}
			gone(func() { _, _ = a.adopt(context.Background(), in) })
			w.vault.faults(nil, nil, nil)
			swapped := kill == 3
			live := w.vault.peek(w.ref)
			if swapped != (live.Grant == "second") || !swapped && (live.Gate.Grant != gate.Grant || live.Gate.Reason != gate.Reason) {
				t.Fatalf("%s, gate %+v", live.Grant, live.Gate)
			}
			if _, err := a.probe(context.Background(), w.ref); err != nil {
				t.Fatalf("what lives does not work: %v", err)
			}
			old := connection.CredentialRef{Connection: testID, Grant: "first", Generation: 1, Candidate: true}
			for again := range 2 { // as it stands, and once the next attempt has done it
				report, err := a.revoke(context.Background(), RevokeInput{Ref: old, Account: "ada"})
				if err != nil || !swapped && again == 0 && report.Outcome == RevocationDone {
					t.Fatalf("ended what lives: %+v, %v", report, err)
				}
				if _, err := a.adopt(context.Background(), in); err != nil {
					t.Fatal(err)
				}
			}
			if report, err := a.revoke(context.Background(), RevokeInput{Ref: old, Account: "ada"}); err != nil || report.Outcome != RevocationDone {
				t.Errorf("the old grant: %+v, %v", report, err)
			}
			if _, err := a.probe(context.Background(), w.ref); err != nil || w.vault.peek(w.ref).Grant != "second" {
				t.Errorf("%v", err)
			}
		})
	}
}
