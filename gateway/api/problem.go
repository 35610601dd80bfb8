package api

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"connectedapps/connection"
	"connectedapps/gateway/web"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"
)

// problemType begins the type of every problem.
const problemType = "urn:connected-apps:error:"

// Problem is an error in an answer, as RFC 9457 writes them.
type Problem struct {
	Type       string `json:"type" format:"uri" example:"urn:connected-apps:error:ConnectionNotFound" doc:"The kind of problem as a URI: urn:connected-apps:error: and the member error."`
	Title      string `json:"title" example:"This did not work" doc:"What the type means in a few words, for a person."`
	Status     int    `json:"status,omitempty" example:"404" doc:"The HTTP status of this answer; left out of a problem that is part of another answer."`
	Detail     string `json:"detail" example:"there is no connection development/sandbox/demo" doc:"What is wrong, in a sentence."`
	Error      string `json:"error" example:"ConnectionNotFound" doc:"The kind of problem in a word. Programs match on it; the list is in the contract and only grows."`
	Field      string `json:"field,omitempty" example:"secrets.api_key" doc:"Which part of the request is at fault, where there is one."`
	Remedy     string `json:"remedy,omitempty" doc:"What a person can do next."`
	RetryAfter int    `json:"retry_after,omitempty" example:"5" doc:"Seconds to wait before asking again; the same as the header Retry-After."`
	Verdict    string `json:"verdict,omitempty" example:"revoked" doc:"What the app's answer means, where one is behind this."`
	AppStatus  int    `json:"app_status,omitempty" example:"401" doc:"The app's HTTP status, where an answer of the app is behind this."`
}

// refusal is a problem on its way out, in the shape that huma asks of errors.
type refusal struct {
	Problem
}

func (r *refusal) Error() string { return r.Detail }

// GetStatus is the HTTP status.
func (r *refusal) GetStatus() int { return r.Status }

// MarshalJSON writes the problem alone.
func (r *refusal) MarshalJSON() ([]byte, error) { return json.Marshal(r.Problem) }

// ContentType is that of RFC 9457.
func (r *refusal) ContentType(string) string { return "application/problem+json" }

// GetHeaders are the headers that a status asks for.
func (r *refusal) GetHeaders() http.Header {
	h := http.Header{}
	if r.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if r.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(r.RetryAfter))
	}
	return h
}

// Schema documents a refusal as the problem that it is.
func (r *refusal) Schema(registry huma.Registry) *huma.Schema {
	return registry.Schema(problemStruct, true, "")
}

// partOf is a problem as part of an answer; nil for nil.
func partOf(p *connection.Problem) *Problem {
	if p == nil {
		return nil
	}
	told := tell(p)
	told.Status = 0
	return &told
}

func tell(p *connection.Problem) Problem {
	return Problem{Type: problemType + p.Type, Title: web.TitleOf(p.Type), Status: web.StatusOf(p.Type), Detail: p.Message, Error: p.Type,
		Field: p.Field, Remedy: p.Remedy, RetryAfter: int(math.Ceil(p.RetryAfter.Seconds())), Verdict: string(p.Verdict), AppStatus: p.Status}
}

// busyWait is what is asked for where something is away and nobody says for how long, in seconds.
const busyWait = 5

func refuse(p *connection.Problem) *refusal {
	r := &refusal{tell(p)}
	if r.Status == http.StatusServiceUnavailable && r.RetryAfter == 0 {
		r.RetryAfter = busyWait
	}
	return r
}

// withStatus is a problem whose status its type does not decide.
func withStatus(p *connection.Problem, status int) error {
	r := refuse(p)
	r.Status = status
	return r
}

// refusalOf translates every error of ours into its answer.
func (a *api) refusalOf(r *http.Request, err error) *refusal {
	var ready *refusal
	if errors.As(err, &ready) {
		return ready
	}
	return refuse(web.ProblemOf(r, a.log, err))
}

// fail answers an error before an operation was reached, and says so in the log.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) { a.write(w, r, err) }

func (a *api) write(w http.ResponseWriter, r *http.Request, err error) {
	told := a.refusalOf(r, err)
	a.log.Info("a request was refused", zap.String("route", r.Pattern), zap.Int("status", told.Status), zap.String("type", told.Problem.Error))
	for name, values := range told.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", told.ContentType(""))
	w.WriteHeader(told.Status)
	_ = json.NewEncoder(w).Encode(told.Problem) // whoever asked may have gone
}

// huma keeps how errors look in variables of the package; this is its one user here.
func init() {
	huma.NewError = fromHuma
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return fromHuma(status, message, errs...)
	}
	// Lists are [] and never null, in both directions.
	huma.DefaultArrayNullable = false
}

// fromHuma says what huma found wrong with a request in our words. It never repeats
// the value: that may be a secret in the wrong place.
func fromHuma(status int, message string, errs ...error) huma.StatusError {
	problem := connection.InvalidInput("", connection.Bound(message, 200), "correct the request; "+Prefix+"/openapi.json describes it")
	switch status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		status = http.StatusBadRequest
	case http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusRequestTimeout, http.StatusNotAcceptable:
	default:
		return refuse(connection.Internal("the gateway"))
	}
	if len(errs) > 0 {
		problem.Message, problem.Field = wrong(errs[0], status)
	}
	if status == http.StatusUnsupportedMediaType {
		problem.Field, problem.Remedy = "Content-Type", "send application/json"
	}
	r := refuse(problem)
	r.Status = status
	return r
}

// wrong says what the first of huma's errors is about, and where.
func wrong(err error, status int) (message, field string) {
	var detail *huma.ErrorDetail
	if !errors.As(err, &detail) || detail.Location == "body" && status != http.StatusUnsupportedMediaType && isText(detail.Value) {
		return "the body is not the JSON that is asked for", "body"
	}
	if missing := required.FindStringSubmatch(detail.Message); missing != nil {
		return "it is missing", fieldOf(detail.Location + "." + missing[1])
	}
	return connection.Bound(detail.Message, 200), fieldOf(detail.Location)
}

// required is how huma says that a member is missing, of which it names the parent.
var required = regexp.MustCompile(`^expected required property (\S+) to be present$`)

func isText(value any) bool { _, ok := value.(string); return ok }

// fieldOf is a place in a request as its sender wrote it.
func fieldOf(location string) string {
	for _, where := range []string{"body.", "path.", "query.", "header."} {
		location = strings.TrimPrefix(location, where)
	}
	return connection.Bound(location, 120)
}
