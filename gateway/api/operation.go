package api

import (
	"context"
	"errors"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.uber.org/zap"
)

const (
	// answerTime is how long an answer may take: the server gives up writing after 25 seconds.
	answerTime = 20 * time.Second
	// maxBody bounds what comes in; the largest secrets fit.
	maxBody = 64 << 10
	// maxArguments bounds the body of an action's run; Temporal takes 2 MiB in all.
	maxArguments = 1 << 20
)

// operation is what an operation says of itself beside its types.
type operation struct {
	id, method, path, tag string
	summary, description  string
	// role that is needed in the environment; "" lets in whoever has signed in.
	role access.Role
	// status of an answer that went well; 0 is 200, and 204 without a body.
	status int
	// others are further statuses of an answer that went well, with their descriptions.
	others map[int]string
	// maxBody replaces the usual bound.
	maxBody int64
	// once is set where the operation deals with Idempotency-Key itself.
	once bool
}

// Keyed is embedded by the input of every operation that changes something.
type Keyed struct {
	Key string `header:"Idempotency-Key" pattern:"^[A-Za-z0-9._:-]{1,128}$" patternDescription:"1 to 128 letters, digits, and any of . _ : -" example:"order-17" doc:"A key of your choice that makes a repetition harmless. The same request by the same token or session gets the first one's answer, as long as it is remembered; any other request with it is another request. Optional."`
}

func (k *Keyed) key() string { return k.Key }

type keyed interface{ key() string }

// inEnvironment is an input whose body, not its path, names the environment.
type inEnvironment interface{ environment() string }

type placeKey struct{}

// at is the environment that an operation is for. It has been checked.
func at(ctx context.Context) backend.Environment {
	e, _ := ctx.Value(placeKey{}).(backend.Environment)
	return e
}

// statuses of refusals that every operation may answer.
var refusals = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable}

// refusedWrites are those of an operation that changes something, beside.
var refusedWrites = []int{http.StatusConflict, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusTooManyRequests}

// register adds an operation. It panics on one that would let a write go without a key,
// or that does not say where its environment is.
func register[I, O any](a *api, op operation, handle func(context.Context, *I) (*O, error)) {
	var input any = new(I)
	_, named := input.(inEnvironment)
	_, takesKey := input.(keyed)
	inPath := strings.Contains(op.path, "{environment}")
	writes := op.method != http.MethodGet
	if writes && !takesKey && !op.once || op.role != "" && writes && !named && !inPath {
		panic("the operation " + op.id + " does not say how it happens once, or where")
	}
	described := huma.Operation{OperationID: op.id, Method: op.method, Path: op.path, Tags: []string{op.tag}, Summary: op.summary,
		Description: op.description, DefaultStatus: op.status, MaxBodyBytes: maxBody, BodyReadTimeout: a.pace.read, Errors: slices.Clone(refusals)}
	if op.maxBody > 0 {
		described.MaxBodyBytes = op.maxBody
	}
	if writes {
		described.Errors = append(described.Errors, refusedWrites...)
	}
	described.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		asked := exchange{r: r, w: w}
		if writes && r.Header.Get("Idempotency-Key") != "" {
			asked.print = printing(r, access.Of(r.Context()))
		}
		place, err := a.enter(context.WithValue(r.Context(), requestKey{}, asked), op, ctx.Param("environment"), inPath)
		if err != nil {
			a.write(w, r, err)
			return
		}
		next(huma.WithContext(ctx, place))
	}}
	huma.Register(a.huma, described, func(ctx context.Context, in *I) (*O, error) {
		unhurried(ctx)
		var err error
		if body, ok := any(in).(inEnvironment); ok {
			if ctx, err = a.enter(ctx, op, body.environment(), true); err != nil {
				return nil, a.refused(ctx, op, err)
			}
		}
		if k, ok := any(in).(keyed); ok && k.key() != "" {
			ctx = workflows.Once(ctx, printOf(ctx))
		}
		bounded, cancel := context.WithTimeout(ctx, a.pace.answer)
		defer cancel()
		out, err := handle(bounded, in)
		if writes {
			a.lists.Changed(at(ctx).Name)
			a.log.Info("an operation was asked for", zap.String("operation", op.id), zap.String("by", access.Of(ctx).Subject),
				zap.String("environment", at(ctx).Name), zap.String("path", request(ctx).URL.Path), zap.String("type", connection.TypeOf(err)))
		}
		if err != nil {
			return nil, a.refused(bounded, op, err)
		}
		return out, nil
	})
	added := operations(a.huma.OpenAPI().Paths[op.path])[op.method]
	for status, description := range op.others {
		like := *added.Responses[strconv.Itoa(added.DefaultStatus)]
		like.Description = description
		added.Responses[strconv.Itoa(status)] = &like
	}
}

// enter checks that the person may do this there, and puts the environment into the
// context. Where none is named yet, the role somewhere is enough to go on.
func (a *api) enter(ctx context.Context, op operation, environment string, named bool) (context.Context, error) {
	person := access.Of(ctx)
	if op.role == "" {
		return ctx, nil
	}
	if !named {
		return ctx, a.somewhere(person, op.role)
	}
	e, err := a.environment(person, environment)
	if err == nil {
		err = person.Check(e.Name, op.role)
	}
	return context.WithValue(ctx, placeKey{}, e), err
}

// somewhere reports why the person has a role nowhere; that of one that cannot be told just now is said.
func (a *api) somewhere(person access.Person, role access.Role) error {
	var refused error
	for _, e := range a.environments.All() {
		err := person.Check(e.Name, role)
		if err == nil {
			return nil
		}
		if refused == nil && connection.TypeOf(err) != connection.ErrNotAllowed {
			refused = err
		}
	}
	if refused != nil {
		return refused
	}
	return connection.Refused(connection.ErrNotAllowed, "this needs the role "+string(role)+" in an environment", "ask an administrator")
}

// environment finds one; of those that are not there the error names only what the person may see.
func (a *api) environment(person access.Person, name string) (backend.Environment, error) {
	if e, err := a.environments.Named(name); err == nil {
		return e, nil
	}
	return backend.NewSet(a.visible(person, access.Viewer)...).Named(name)
}

// visible are the environments in which the person has a role.
func (a *api) visible(person access.Person, role access.Role) []backend.Environment {
	var all []backend.Environment
	for _, e := range a.environments.All() {
		if person.May(e.Name, role) {
			all = append(all, e)
		}
	}
	return all
}

// refused puts an error into its answer. One of a request whose time ran out says how to get the answer.
func (a *api) refused(ctx context.Context, op operation, err error) error {
	told := a.refusalOf(request(ctx), err)
	if told.Problem.Error == connection.ErrTemporalUnavailable && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		told.Detail = "there was no answer in time; the work may go on"
		if op.method != http.MethodGet {
			told.Remedy = "send the same request with the same Idempotency-Key to get its answer; without one, look before you repeat it"
		}
	}
	a.log.Info("a request was refused", zap.String("operation", op.id), zap.Int("status", told.Status), zap.String("type", told.Problem.Error))
	return told
}

// request is what the gateway was asked; operations use it for its path and to stream.
func request(ctx context.Context) *http.Request {
	x, _ := ctx.Value(requestKey{}).(exchange)
	return x.r
}

type requestKey struct{}

// exchange is a request with where its answer goes.
type exchange struct {
	r *http.Request
	w http.ResponseWriter
	// print is of a request with an Idempotency-Key, once its body has been read.
	print hash.Hash
}

// unhurried lifts the deadline that huma sets for reading a body. A request without a
// body is listened to from its beginning, and once the deadline passes net/http takes
// the client for gone and cancels the request's context, however long the answer may take.
func unhurried(ctx context.Context) {
	if x, ok := ctx.Value(requestKey{}).(exchange); ok {
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Time{}) // not supported: then there is none
	}
}
