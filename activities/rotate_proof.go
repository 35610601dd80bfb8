package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// What a rotation was proven by.
const (
	// ProofConnection is followed by a space and the connection that the new secrets worked for.
	ProofConnection = "connection"
	// ProofClientCredentials: the app gave a token to the client itself.
	ProofClientCredentials = "client-credentials"
	// ProofNone: there was nothing to try the new secrets on.
	ProofNone = "unproven"
)

const (
	// provers is how many connections are tried at most.
	provers = 5
	// overtaken is how often a connection that others renew at the same moment is tried again.
	overtaken = 3
)

// ProveRotationInput names what was staged.
type ProveRotationInput struct {
	App      string `json:"app"`
	Name     string `json:"name"`
	Rotation string `json:"rotation"`
}

// ProveRotationReport says what the staged secrets were proven by.
type ProveRotationReport struct {
	// Proof is "connection" with the connection's ID after a space, "client-credentials" or "unproven".
	Proof string `json:"proof"`
	// Reason says why nothing could be proven.
	Reason string `json:"reason,omitempty"`
}

// ProveRotation tries the staged secrets on one connection that uses the auth
// config, or by a request of the client's own. ErrClientMisconfigured or
// ErrTestFailed says that the app refuses them. It changes nothing but that the
// connection may be renewed; run again after a crash it finds that it was.
func (a *Activities) ProveRotation(ctx context.Context, in ProveRotationInput) (*ProveRotationReport, error) {
	report, err := a.proveRotation(ctx, in)
	return report, a.leave(ctx, "ProveRotation", err)
}

func (a *Activities) proveRotation(ctx context.Context, in ProveRotationInput) (*ProveRotationReport, error) {
	config, _, err := a.authConfig(ctx, in.App, in.Name)
	if err != nil {
		return nil, err
	}
	if config.Next == nil || config.Next.Rotation != in.Rotation {
		return nil, a.rotationLost(in.App, in.Name)
	}
	method, err := a.method(in.App, config.Method)
	if err != nil {
		return nil, err
	}
	users, _, err := a.Workflows.UsersOf(ctx, in.App, in.Name, provers)
	if err != nil {
		return nil, err
	}
	p := proof{a: a, in: in, method: method, config: config.Rotated()}
	for _, id := range users {
		proven, err := p.on(ctx, id)
		if proven || err != nil {
			return &ProveRotationReport{Proof: ProofConnection + " " + id.String()}, err
		}
	}
	switch {
	case p.refusal != nil:
		return nil, p.refusal
	case p.trouble != nil:
		return nil, p.trouble
	case method.Kind == connection.OAuth2ClientCredentials && method.NeedsClient():
		return p.byItself(ctx)
	case len(users) == 0:
		return &ProveRotationReport{Proof: ProofNone, Reason: "no connection uses it"}, nil
	default:
		return &ProveRotationReport{Proof: ProofNone, Reason: "no connection that uses it can be renewed or tested with it"}, nil
	}
}

// proof tries staged secrets on one connection after the other.
type proof struct {
	a      *Activities
	in     ProveRotationInput
	method *connectors.Method
	config connection.AuthConfig // with the staged secrets in place
	// refusal is what the app said of a connection that it refused with them, and
	// trouble what kept it from saying anything.
	refusal, trouble error
}

// on reports whether a connection proves the secrets. An error is the last word;
// what another connection may still disprove is remembered.
func (p *proof) on(ctx context.Context, id connection.ID) (bool, error) {
	ref := connection.CredentialRef{Connection: id}
	for range overtaken {
		stored, err := p.a.Documents.Read(ctx, ref)
		switch {
		case errors.Is(err, connection.ErrAbsent):
			return false, nil
		case err != nil:
			return false, err
		case strings.HasPrefix(stored.RefreshedBy, p.in.Rotation+"/"):
			return true, nil // before this attempt's predecessor died
		case !serving(stored.Gate) || rejected(stored) || stored.Login != nil || stored.AuthConfig != p.in.Name || stored.Credential.Method != p.method.ID:
			return false, nil
		}
		x, err := p.a.access(ctx, stored, id)
		if err != nil {
			return false, err
		}
		x = x.by(p.config)
		if !p.renews(x) {
			return p.probed(ctx, x)
		}
		ref.Grant, ref.Generation = stored.Grant, stored.Generation
		me := p.in.Rotation + "/" + rand.Text()
		fresh, err := p.a.spender.Try(ctx, ref, p.config, me)
		if err != nil {
			return false, p.renewal(err)
		}
		if fresh.RefreshedBy == me {
			return true, nil
		}
	}
	return false, nil
}

// serving reports whether a connection may be asked for anything: one that is paused,
// dead or being disconnected is left alone.
func serving(gate connection.Gate) bool {
	return !gate.Closed && (gate.Status == connection.Active || gate.Status == connection.Error)
}

// renews reports whether a renewal presents the secrets that are to be proven.
func (p *proof) renews(x access) bool {
	return x.renewable() && (p.method.NeedsClient() || x.spends().Empty())
}

// renewal takes what a renewal failed with. A client that was refused is the last
// word; a grant that is over says nothing of the client.
func (p *proof) renewal(err error) error {
	problem, ok := connection.AsProblem(err)
	switch {
	case !ok || problem.Retryable:
		p.trouble = err
	case problem.Verdict == connection.ClientMisconfigured:
		return p.refused(connection.ErrClientMisconfigured, problem)
	case problem.Verdict == connection.Revoked && p.method.NeedsClient():
	default:
		p.refuse(problem)
	}
	return nil
}

// probed tests a connection whose requests carry the secrets themselves.
func (p *proof) probed(ctx context.Context, x access) (bool, error) {
	if p.method.NeedsClient() && !signsAsClient(p.method) || !p.method.NeedsClient() && !p.carried(x) {
		return false, nil
	}
	result, err := x.session().Probe(ctx, p.a.Provider)
	if err == nil {
		return !result.Untestable, nil
	}
	if problem, ok := connection.AsProblem(err); ok && !problem.Retryable {
		p.refuse(problem)
	} else {
		p.trouble = err
	}
	return false, nil
}

// carried reports whether the connection lives by a secret of the auth config as it is.
func (p *proof) carried(x access) bool {
	for name := range p.config.Fields {
		if _, ok := x.stored.Credential.Fields[name]; ok {
			return len(x.stored.Credential.Tokens) == 0
		}
	}
	return false
}

func (p *proof) refuse(problem *connection.Problem) {
	kind := connection.ErrTestFailed
	if p.method.NeedsClient() {
		kind = connection.ErrClientMisconfigured
	}
	p.refusal = p.refused(kind, problem)
}

// byItself asks for a token of the client's own, and gives it back.
func (p *proof) byItself(ctx context.Context) (*ProveRotationReport, error) {
	scopes := p.config.Scopes
	if len(scopes) == 0 {
		scopes = p.method.ScopesFor(nil)
	}
	grant, err := p.method.Obtain(ctx, p.a.Provider, connectors.ObtainInput{Client: client(p.config, connection.Credential{}),
		Scopes: scopes, Values: shared(p.config)})
	if problem, ok := connection.AsProblem(err); ok {
		switch {
		case problem.Retryable:
			return nil, err
		case problem.Verdict == connection.ClientMisconfigured || problem.Verdict == connection.Revoked:
			return nil, p.refused(connection.ErrClientMisconfigured, problem)
		}
		return &ProveRotationReport{Proof: ProofNone, Reason: problem.Message}, nil
	}
	if err != nil {
		return nil, err
	}
	clock, err := p.a.Documents.Clock(ctx)
	if err != nil {
		return nil, err
	}
	held := minted(grant, p.method, connection.Credential{Method: p.method.ID}, clock.Now())
	_, _ = p.a.drop(ctx, p.method, p.config, held) // it ends by itself where the app does not take it back
	return &ProveRotationReport{Proof: ProofClientCredentials}, nil
}

// refused says that the app does not take the new secret.
func (p *proof) refused(kind string, said *connection.Problem) error {
	told := connection.Refused(kind, "the app refuses the new secret: "+said.Message,
		"the old one is still in use: check the new one, then again: "+p.a.rotating(p.in.App, p.in.Name))
	told.Verdict, told.Status = said.Verdict, said.Status
	return told
}
