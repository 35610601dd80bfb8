package console

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// What a sink's inbox entry holds.
const sinkURL, sinkKey = "url", "key"

func (c *Console) createSink(w http.ResponseWriter, r *http.Request) error {
	in := workflows.CreateSink{Name: strings.TrimSpace(r.PostForm.Get("name")), Kind: connection.SinkKind(r.PostForm.Get("kind"))}
	return c.storeSink(w, r, in, func(ctx context.Context, e backend.Environment) (connection.Secret, error) {
		if err := workflows.CheckSink(in); err != nil {
			return connection.Secret{}, err
		}
		secrets, err := typedSink(r, in.Kind, true)
		if err != nil {
			return connection.Secret{}, err
		}
		if in.Inbox, err = e.Leave(ctx, secrets); err != nil {
			return connection.Secret{}, err
		}
		_, err = e.Client.CreateSink(ctx, in)
		return secrets[sinkKey], err
	})
}

func (c *Console) rotateSink(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	return c.storeSink(w, r, workflows.CreateSink{Name: name}, func(ctx context.Context, e backend.Environment) (connection.Secret, error) {
		sink, err := sinkNamed(ctx, e, name)
		if err != nil {
			return connection.Secret{}, err
		}
		secrets, err := typedSink(r, sink.Kind, sink.Kind == connection.SinkSlack)
		if err != nil {
			return connection.Secret{}, err
		}
		in := workflows.RotateSink{Name: name}
		if in.Inbox, err = e.Leave(ctx, secrets); err != nil {
			return connection.Secret{}, err
		}
		_, err = e.Client.RotateSink(ctx, in)
		return secrets[sinkKey], err
	})
}

// storeSink stores what is new of a sink. The answer itself, and no later page, shows
// its new key: what waits for it does so longer than other forms, since a key that
// nobody has seen is of no use.
func (c *Console) storeSink(w http.ResponseWriter, r *http.Request, in workflows.CreateSink, store func(context.Context, backend.Environment) (connection.Secret, error)) error {
	e, err := c.environment(r, r.PathValue("environment"), access.Admin)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	key, err := store(ctx, e)
	if err != nil {
		problem := web.ProblemOf(r, c.Log, err)
		if problem.Type == connection.ErrSinkTaken {
			problem = connection.Refused(problem.Type, problem.Message, "choose another name; if it is the one that you have just made, rotate it to be shown a key")
		}
		return c.sinksPage(w, r, sinksPage{Typed: in}, problem)
	}
	w.Header().Set("Cache-Control", "no-store")
	return c.sinksPage(w, r, sinksPage{Made: &madeSink{e.Name, in.Name, key.Reveal()}}, nil)
}

// typedSink are the secrets of a sink: the URL that was typed in and, for a webhook, a fresh key.
func typedSink(r *http.Request, kind connection.SinkKind, wantsURL bool) (map[string]connection.Secret, error) {
	secrets := map[string]connection.Secret{}
	address := connection.NewSecret(strings.TrimSpace(r.PostForm.Get(sinkURL)))
	if !address.Empty() || wantsURL {
		if err := connection.CheckSinkURL(address); err != nil {
			return nil, err
		}
		secrets[sinkURL] = address
	}
	if kind == connection.SinkWebhook {
		secrets[sinkKey] = freshSinkKey()
	}
	return secrets, nil
}

// freshSinkKey is 32 random bytes, as the Standard Webhooks specification writes a key.
func freshSinkKey() connection.Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return connection.NewSecret(connection.SinkKeyPrefix + base64.StdEncoding.EncodeToString(key))
}

func (c *Console) testSink(w http.ResponseWriter, r *http.Request) error {
	e, err := c.environment(r, r.PathValue("environment"), access.Admin)
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	var result workflows.SinkTest
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		result, err = e.Client.TestSink(ctx, name)
		return err
	})
	if err != nil {
		return c.sinksPage(w, r, sinksPage{}, web.ProblemOf(r, c.Log, err))
	}
	tested := outcome{Title: fmt.Sprintf("%s took the test message (%d)", name, result.Status)}
	switch {
	case late:
		tested = lateOutcome("The test message to " + name)
	case !result.Delivered:
		tested = outcome{Title: "the test message did not arrive: " + result.Reason, Bad: true, Remedy: "see that it answers 2xx within 15 seconds"}
		if result.Problem != nil {
			tested.Remedy = forPage(result.Problem.Remedy)
		}
	}
	return c.sinksPage(w, r, sinksPage{Tested: &tested}, nil)
}

func (c *Console) deleteSink(w http.ResponseWriter, r *http.Request) error {
	e, err := c.environment(r, r.PathValue("environment"), access.Admin)
	if err != nil {
		return err
	}
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		if err := sure(r); err != nil {
			return err
		}
		return e.Client.DeleteSink(ctx, r.PathValue("name"))
	})
	if err != nil {
		return c.sinksPage(w, r, sinksPage{}, web.ProblemOf(r, c.Log, err))
	}
	said := "sink-deleted"
	if late {
		said = "still-going"
	}
	to(w, r, "/alerts/sinks", said)
	return nil
}
