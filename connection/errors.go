package connection

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
)

// Error types. They are public contract: a platform in any language matches on
// them. Each has one constructor below that alone decides whether it is retried.
const (
	ErrInvalidInput           = "InvalidInput"           // a field is missing or malformed; nothing was started
	ErrUnknownApp             = "UnknownApp"             // no definition of that app is loaded
	ErrUnknownEnvironment     = "UnknownEnvironment"     // this deployment does not serve it
	ErrAuthKindNotOffered     = "AuthKindNotOffered"     // the app does not authenticate that way
	ErrConnectionIDTaken      = "ConnectionIDTaken"      // somebody else's connection, or another connect, has the ID
	ErrConnectionNotFound     = "ConnectionNotFound"     // never made, or disconnected
	ErrConnectionPending      = "ConnectionPending"      // still being connected
	ErrConnectionPaused       = "ConnectionPaused"       // a person switched it off
	ErrReconnectRequired      = "ReconnectRequired"      // Expired: a person must authenticate again
	ErrAuthConfigNotFound     = "AuthConfigNotFound"     // no such auth config in this environment
	ErrAuthConfigTaken        = "AuthConfigTaken"        // an auth config of that name exists
	ErrAuthConfigInUse        = "AuthConfigInUse"        // connections still use it
	ErrClientMisconfigured    = "ClientMisconfigured"    // the provider refuses the client registration
	ErrToolkitNotFound        = "ToolkitNotFound"        // the connection has no toolkit of that name
	ErrActionNotInToolkit     = "ActionNotInToolkit"     // the toolkit does not offer the action
	ErrUnknownAction          = "UnknownAction"          // the app has no such action
	ErrInvalidArguments       = "InvalidArguments"       // the action's JSON Schema refused the arguments
	ErrRejectedInput          = "RejectedInput"          // the provider refused this request
	ErrScopeMissing           = "ScopeMissing"           // the grant does not cover this
	ErrRateLimited            = "RateLimited"            // wait; retried
	ErrProviderUnavailable    = "ProviderUnavailable"    // 5xx, network, time-out; retried
	ErrVaultUnavailable       = "VaultUnavailable"       // sealed, standby, away; retried
	ErrTemporalUnavailable    = "TemporalUnavailable"    // the workflow service is away; retried
	ErrOutcomeUnknown         = "OutcomeUnknown"         // it may have happened; never resent
	ErrLinkInvalid            = "LinkInvalid"            // unknown, used or too old
	ErrAuthorizationFailed    = "AuthorizationFailed"    // refused by the person or the provider; may be tried again
	ErrTestFailed             = "TestFailed"             // the probe did not pass
	ErrSinkNotFound           = "SinkNotFound"           // no such alert sink in this environment
	ErrSinkTaken              = "SinkTaken"              // an alert sink of that name exists
	ErrAlertNotFound          = "AlertNotFound"          // never raised, or forgotten since
	ErrConnectSessionNotFound = "ConnectSessionNotFound" // never created, or forgotten since
	ErrIdentityChanged        = "IdentityChanged"        // a reconnect came to another account than the connection's
	ErrNotSignedIn            = "NotSignedIn"            // nobody that the gateway knows
	ErrTokenNotFound          = "AccessTokenNotFound"    // no access token of that name in this environment
	ErrTokenTaken             = "AccessTokenTaken"       // an access token of that name exists
	ErrNotAllowed             = "NotAllowed"             // known, and without the role that this needs
	ErrPayloadUnreadable      = "PayloadUnreadable"      // a sealed payload does not open: changed, or of another namespace, workflow or Vault
	ErrSessionClosed          = "SessionClosed"          // this connect was cancelled, timed out or is over
	ErrInternal               = "Internal"               // a defect; the worker's log says more
	ErrLookAgain              = "LookAgain"              // benign: no news yet; the wake-up call of WatchConnection and of waiting work
)

// Problem is the one error of this project: what is wrong, where, and what to do
// next. It crosses Temporal as an ApplicationError of its Type with itself as the
// only detail. It carries no cause: Temporal would write a cause into history.
type Problem struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	// Field names the input at fault, where there is one.
	Field string `json:"field,omitempty"`
	// Remedy tells a person what to do next.
	Remedy string `json:"remedy,omitempty"`
	// Verdict is set when a provider's answer is behind it.
	Verdict Verdict `json:"verdict,omitempty"`
	// Status is the provider's HTTP status, 0 when there was no answer.
	Status int `json:"status,omitempty"`
	// RetryAfter is how long to wait before asking again; 0 leaves it to the retry policy.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// Retryable is decided by the constructors.
	Retryable bool `json:"retryable,omitempty"`
	// Renewed is when the credential was last renewed, in Vault's time: what a watch has
	// seen, in its ErrLookAgain. Zero in every other problem, and where it never was.
	Renewed time.Time `json:"renewed,omitzero"`
}

// Error is one sentence, with the remedy after it.
func (p *Problem) Error() string {
	text := p.Message
	if p.Field != "" {
		text = p.Field + ": " + text
	}
	if p.Remedy != "" {
		text += ": " + p.Remedy
	}
	return text
}

// Is matches problems of the same Type, so that errors.Is(err, &Problem{Type: ErrRateLimited}) works.
func (p *Problem) Is(target error) bool {
	other, ok := target.(*Problem)
	return ok && other.Type == p.Type
}

// Temporal is the problem as an activity, an update or a workflow returns it.
func (p *Problem) Temporal() error {
	options := temporal.ApplicationErrorOptions{
		NonRetryable:   !p.Retryable,
		NextRetryDelay: p.RetryAfter,
		Details:        []any{*p},
	}
	if p.Type == ErrLookAgain {
		options.Category = temporal.ApplicationErrorCategoryBenign
	}
	return temporal.NewApplicationErrorWithOptions(p.Error(), p.Type, options)
}

// AsProblem finds the problem in an error, whether it is one or crossed Temporal as one.
func AsProblem(err error) (*Problem, bool) {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem, true
	}
	var application *temporal.ApplicationError
	if !errors.As(err, &application) {
		return nil, false
	}
	problem = new(Problem)
	if application.HasDetails() && detail(application, problem) && problem.Type != "" {
		return problem, true
	}
	return nil, false
}

// detail reads the problem out of an error's details. An error that has not crossed
// Temporal yet holds them as they are, and the SDK panics when they are something else.
func detail(application *temporal.ApplicationError, problem *Problem) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return application.Details(problem) == nil
}

// TypeOf is the error type of an error, "" for nil and ErrInternal for what is no problem of ours.
func TypeOf(err error) string {
	if err == nil {
		return ""
	}
	if problem, ok := AsProblem(err); ok {
		return problem.Type
	}
	return ErrInternal
}

// Boundary rebuilds an error for its way into Temporal: a problem becomes its
// ApplicationError, and anything else becomes an ErrInternal that says only
// where it happened. The caller logs the original; its text may hold secrets.
func Boundary(where string, err error) error {
	if err == nil {
		return nil
	}
	if temporal.IsCanceledError(err) {
		return err
	}
	if problem, ok := AsProblem(err); ok {
		return problem.Temporal()
	}
	return Internal(where).Temporal()
}

// InvalidInput reports one field of a caller's input. Not retried.
func InvalidInput(field, message, remedy string) *Problem {
	return &Problem{Type: ErrInvalidInput, Field: field, Message: message, Remedy: remedy}
}

// Refused is a final answer of one of the types above that waiting does not change. Not retried.
func Refused(kind, message, remedy string) *Problem {
	return &Problem{Type: kind, Message: message, Remedy: remedy}
}

// NotFound reports a connection that was never made or is disconnected. Not retried.
func NotFound(id ID) *Problem {
	return Refused(ErrConnectionNotFound, fmt.Sprintf("there is no connection %s", id),
		"connect the app first, or list what there is with: connected-apps connections list")
}

// ConnectSessionNotFound reports a connect session that was never created, or that the
// namespace has forgotten since it ended. Not retried.
func ConnectSessionNotFound(session string) *Problem {
	return Refused(ErrConnectSessionNotFound, "there is no connect session "+Bound(session, 63), "create a new one")
}

// ReconnectRequired reports an Expired connection. Not retried. A reason that is
// such a message itself is not wrapped twice.
func ReconnectRequired(id ID, reason string) *Problem {
	opening := id.String() + " has expired: "
	p := Refused(ErrReconnectRequired, opening+strings.TrimPrefix(reason, opening), AuthenticateAgain(id))
	p.Verdict = Revoked
	return p
}

// AuthenticateAgain is the remedy where only a new grant or a new secret helps.
func AuthenticateAgain(id ID) string {
	return "a person must authenticate again: connected-apps reconnect " + id.String()
}

// IdentityChanged reports that a reconnect came to another account than the
// connection has. The connection is as it was. Not retried.
func IdentityChanged(id ID, was, is Identity) *Problem {
	name := func(i Identity) string {
		if i.Label != "" {
			return Bound(i.Label, 100)
		}
		return Bound(i.Account, 100)
	}
	return Refused(ErrIdentityChanged, fmt.Sprintf("this is the account %s, and the connection is of %s", name(is), name(was)),
		"authenticate as the account that the connection has, or begin anew with: connected-apps reconnect "+id.String()+" --allow-other-account")
}

// TenantChanged reports that a reconnect came to another organisation, workspace or
// site of the same account: an ErrIdentityChanged that says which.
func TenantChanged(id ID, was, is Identity) *Problem {
	return Refused(ErrIdentityChanged, fmt.Sprintf("it is of organisation %s now, not %s", Bound(is.TenantName(), 100), Bound(was.TenantName(), 100)),
		"choose the organisation that the connection has, or begin anew with: connected-apps reconnect "+id.String()+" --allow-other-account")
}

// PausedByPerson reports a Paused connection: nothing is asked of the app. Not retried.
func PausedByPerson(id ID) *Problem {
	return Refused(ErrConnectionPaused, fmt.Sprintf("%s is paused", id), "resume it first: connected-apps connections resume "+id.String())
}

// VaultUnavailable reports that the secrets server cannot answer now. Retried.
func VaultUnavailable(message string) *Problem {
	return &Problem{Type: ErrVaultUnavailable, Message: message, Verdict: Transient, Retryable: true,
		Remedy: "nothing is lost; the work carries on by itself once Vault answers"}
}

// ProviderUnavailable reports that the app did not answer usefully. Retried.
func ProviderUnavailable(message string, status int) *Problem {
	return &Problem{Type: ErrProviderUnavailable, Message: message, Status: status, Verdict: Transient, Retryable: true}
}

// RateLimited reports that the app asks to wait. Retried after the wait, one second at least.
func RateLimited(message string, wait time.Duration) *Problem {
	return &Problem{Type: ErrRateLimited, Message: message, Verdict: RateLimit, Retryable: true,
		RetryAfter: max(wait, time.Second)}
}

// LookAgain ends an attempt that saw no news; the next one starts after the wait,
// one second at least, which is the grain of Temporal's retry delays. Retried, and benign.
func LookAgain(message string, wait time.Duration) *Problem {
	return &Problem{Type: ErrLookAgain, Message: message, Retryable: true, RetryAfter: max(wait, time.Second)}
}

// Internal reports a defect. Retried, since a fixed worker may be deployed while it waits.
func Internal(where string) *Problem {
	return &Problem{Type: ErrInternal, Message: "internal error in " + where, Retryable: true,
		Remedy: "see the worker's log"}
}

// TemporalUnavailable reports that the workflow service did not answer. Retried.
func TemporalUnavailable(message string) *Problem {
	return &Problem{Type: ErrTemporalUnavailable, Message: message, Verdict: Transient, Retryable: true,
		Remedy: "open work is kept there and carries on once it answers"}
}
