package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
	"connectedapps/gateway/access"
	"connectedapps/workflows"
)

// Sink is where alerts are delivered, without its secrets.
type Sink struct {
	Name       string    `json:"name" example:"ops" doc:"Its name, unique within the environment."`
	Kind       string    `json:"kind" doc:"webhook or slack."`
	Host       string    `json:"host,omitempty" doc:"Scheme and host of a webhook."`
	Created    time.Time `json:"created,omitzero" doc:"When it was made."`
	Rotated    time.Time `json:"rotated,omitzero" doc:"When it was last given a new key or URL."`
	Disabled   string    `json:"disabled,omitempty" doc:"Why nothing is delivered to it any more."`
	DisabledAt time.Time `json:"disabled_at,omitzero" doc:"Since when."`
}

// StoredSink is a sink with the signing key that was made for it.
type StoredSink struct {
	Sink
	Key string `json:"key,omitempty" doc:"The signing key that was made, by the Standard Webhooks specification. It is answered this once, and never where you gave your own."`
}

// SinkRequest is a new sink.
type SinkRequest struct {
	Name string `json:"name" maxLength:"63" example:"ops" doc:"A name of your choice."`
	Kind string `json:"kind" enum:"webhook,slack" doc:"webhook takes signed JSON by the Standard Webhooks specification; slack takes text, as incoming webhooks of Slack do."`
	URL  Secret `json:"url" doc:"Where to post. It is kept as a secret."`
	Key  Secret `json:"key,omitempty" doc:"A signing key of your own for a webhook: whsec_ and 24 to 64 random bytes in base64. One is made when left out. Needed with an Idempotency-Key, since a repetition could not answer the key that was made."`
}

// SinkRotation gives a sink a new key, a new URL, or both.
type SinkRotation struct {
	URL Secret `json:"url,omitempty" doc:"The new URL; a webhook keeps the one that it has when left out."`
	Key Secret `json:"key,omitempty" doc:"A new signing key of your own for a webhook. One is made when left out. The replaced one signs for another day."`
}

// SinkTested is what became of a test message.
type SinkTested struct {
	Delivered  bool     `json:"delivered" doc:"The sink took it."`
	HTTPStatus int      `json:"http_status,omitempty" doc:"The sink's HTTP status."`
	Reason     string   `json:"reason,omitempty" doc:"What is said of it in words."`
	Problem    *Problem `json:"problem,omitempty" doc:"Why it was not delivered."`
}

// SinkList is an environment's sinks.
type SinkList struct {
	Items []Sink `json:"items" doc:"The sinks, by name. The workers' log has every alert anyway."`
}

// SinksPath is embedded by the input of every operation on an environment's sinks.
type SinksPath struct {
	Environment string `path:"environment" maxLength:"63" example:"development" doc:"The environment."`
}

// SinkPath is embedded by the input of every operation on one sink.
type SinkPath struct {
	SinksPath
	Name string `path:"name" maxLength:"63" example:"ops" doc:"The sink's name."`
}

type (
	sinksInput      struct{ SinksPath }
	createSinkInput struct {
		SinksPath
		Keyed
		Body SinkRequest
	}
	rotateSinkInput struct {
		SinkPath
		Keyed
		Body *SinkRotation
	}
	sinkInput struct {
		SinkPath
		Keyed
	}
	sinksAnswer      struct{ Body SinkList }
	sinkAnswer       struct{ Body StoredSink }
	sinkTestedAnswer struct{ Body SinkTested }
)

func (a *api) registerSinks() {
	sink := func(id, method, path, summary, description string, role access.Role) operation {
		return operation{id: id, method: method, path: "/alert-sinks/{environment}" + path, tag: "Alert sinks", role: role, summary: summary, description: description}
	}
	register(a, sink("list-alert-sinks", http.MethodGet, "", "List alert sinks", "Lists where an environment's alerts are delivered.", access.Viewer),
		func(ctx context.Context, _ *sinksInput) (*sinksAnswer, error) {
			all, err := at(ctx).Client.Sinks(ctx)
			out := SinkList{Items: []Sink{}}
			for _, s := range all {
				out.Items = append(out.Items, sinkOf(s))
			}
			return &sinksAnswer{out}, err
		})
	create := sink("create-alert-sink", http.MethodPost, "", "Create an alert sink",
		"Has the environment's alerts delivered to a webhook or a chat. The signing key of a webhook is answered this once.", access.Admin)
	create.status = http.StatusCreated
	register(a, create, a.createSink)
	register(a, sink("rotate-alert-sink", http.MethodPost, "/{name}/rotate", "Rotate an alert sink",
		"Gives a webhook a new signing key, a sink a new URL, or both, and enables one that was disabled. For a day messages carry a signature by the old key too.", access.Admin), a.rotateSink)
	register(a, sink("test-alert-sink", http.MethodPost, "/{name}/test", "Test an alert sink",
		"Sends a test message. That it was not taken is an answer, not an error.", access.Admin),
		func(ctx context.Context, in *sinkInput) (*sinkTestedAnswer, error) {
			result, err := at(ctx).Client.TestSink(ctx, in.Name)
			return &sinkTestedAnswer{SinkTested{result.Delivered, result.Status, result.Reason, partOf(result.Problem)}}, err
		})
	register(a, sink("delete-alert-sink", http.MethodDelete, "/{name}", "Delete an alert sink",
		"Deletes a sink. What is still on its way to it is given up.", access.Admin),
		func(ctx context.Context, in *sinkInput) (*nothing, error) {
			return nil, at(ctx).Client.DeleteSink(ctx, in.Name)
		})
}

func sinkOf(s workflows.SinkState) Sink {
	return Sink{s.Name, string(s.Kind), s.Host, s.Created, s.Rotated, s.Disabled, s.DisabledAt}
}

func (a *api) createSink(ctx context.Context, in *createSinkInput) (*sinkAnswer, error) {
	request := workflows.CreateSink{Name: in.Body.Name, Kind: connection.SinkKind(in.Body.Kind)}
	if err := workflows.CheckSink(request); err != nil {
		return nil, err
	}
	secrets, made, err := a.sinkSecrets(request.Kind, in.Body.URL, in.Body.Key, in.Keyed)
	if err != nil {
		return nil, err
	}
	if request.Inbox, err = at(ctx).Leave(ctx, secrets); err != nil {
		return nil, err
	}
	state, err := at(ctx).Client.CreateSink(ctx, request)
	return &sinkAnswer{StoredSink{sinkOf(state), made}}, err
}

func (a *api) rotateSink(ctx context.Context, in *rotateSinkInput) (*sinkAnswer, error) {
	all, err := at(ctx).Client.Sinks(ctx)
	if err != nil {
		return nil, err
	}
	kind := connection.SinkKind("")
	for _, s := range all {
		if s.Name == in.Name {
			kind = s.Kind
		}
	}
	if kind == "" {
		return nil, connection.Refused(connection.ErrSinkNotFound, "there is no alert sink "+connection.Bound(in.Name, 63), "list them")
	}
	body := SinkRotation{}
	if in.Body != nil {
		body = *in.Body
	}
	if kind == connection.SinkSlack && body.URL.Empty() {
		return nil, connection.InvalidInput("url", "it is missing", "give the chat's new URL")
	}
	secrets, made, err := a.sinkSecrets(kind, body.URL, body.Key, in.Keyed)
	if err != nil {
		return nil, err
	}
	request := workflows.RotateSink{Name: in.Name}
	if request.Inbox, err = at(ctx).Leave(ctx, secrets); err != nil {
		return nil, err
	}
	state, err := at(ctx).Client.RotateSink(ctx, request)
	return &sinkAnswer{StoredSink{sinkOf(state), made}}, err
}

// sinkSecrets are what is new of a sink, and the key among it that was made here.
func (a *api) sinkSecrets(kind connection.SinkKind, address, key Secret, once Keyed) (map[string]connection.Secret, string, error) {
	secrets := map[string]connection.Secret{}
	if !address.Empty() {
		if err := a.checkSinkURL(address.Secret); err != nil {
			return nil, "", err
		}
		secrets["url"] = address.Secret
	}
	made := ""
	switch {
	case kind == connection.SinkSlack && !key.Empty():
		return nil, "", connection.InvalidInput("key", "a chat is sent nothing signed", "leave it out")
	case kind == connection.SinkSlack:
	case !key.Empty():
		secrets["key"] = key.Secret
	case once.Key != "":
		return nil, "", connection.InvalidInput("key", "it is missing, and one that was made could not be answered again",
			"give a signing key of your own with an Idempotency-Key: "+connection.SinkKeyPrefix+" and 32 random bytes in base64")
	default:
		raw := make([]byte, 32)
		_, _ = rand.Read(raw) // it never fails
		made = connection.SinkKeyPrefix + base64.StdEncoding.EncodeToString(raw)
		secrets["key"] = connection.NewSecret(made)
	}
	if kind == connection.SinkWebhook {
		whole := connection.Sink{Kind: kind, URL: secrets["url"], Keys: []connection.SinkKey{{Secret: secrets["key"]}}}
		if whole.URL.Empty() {
			whole.URL = connection.NewSecret("https://kept.example")
		}
		return secrets, made, whole.Check()
	}
	return secrets, made, nil
}

// checkSinkURL asks for https, as the worker does when it delivers.
func (a *api) checkSinkURL(address connection.Secret) error {
	if err := connection.CheckSinkURL(address); err != nil {
		return err
	}
	u, err := url.Parse(address.Reveal())
	if err != nil || u.Scheme != "https" && !a.allowHTTP && !outbound.Loopback(u.Hostname()) {
		return connection.InvalidInput("url", "it is not https", "give one that begins with https://, or set CONNECTED_APPS_ALLOW_HTTP")
	}
	return nil
}
