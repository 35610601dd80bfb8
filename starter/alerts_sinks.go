package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
	"connectedapps/workflows"

	"github.com/spf13/cobra"
)

// maxURLFile bounds what is read as a URL.
const maxURLFile = 4 << 10

func (p *program) sinksCommand() *cobra.Command {
	return group("sinks", "Where the alerts of an environment are delivered", `  connected-apps alerts sinks create ops --kind webhook --url https://ops.example.com/hooks --environment production
  connected-apps alerts sinks test ops --environment production`,
		p.sinksCreateCommand(), p.sinksListCommand(), p.sinksTestCommand(), p.sinksRotateCommand(), p.sinksDeleteCommand())
}

// sinkFlags are what alerts sinks create and rotate are told.
type sinkFlags struct{ kind, url, urlFile string }

func (f *sinkFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.url, "url", "", "URL of a webhook")
	c.Flags().StringVar(&f.urlFile, "url-file", "", `file with the URL, where it is a secret; "-" is standard input`)
}

func (p *program) sinksCreateCommand() *cobra.Command {
	var f sinkFlags
	c := &cobra.Command{
		Use: "create NAME", Short: "Have alerts delivered to a webhook or a chat", Args: takes("NAME"),
		Long: `Have the alerts of an environment delivered to a webhook, as signed JSON by the
Standard Webhooks specification, or to an incoming webhook of Slack or one that
imitates it. The log of the worker has every alert anyway.

A webhook's signing key is made here, stored in the environment's Vault and printed
once. The URL of a chat is a secret: it is asked for without echo, or read with
--url-file.`,
		Example: `  connected-apps alerts sinks create ops --kind webhook --url https://ops.example.com/hooks --environment production
  connected-apps alerts sinks create chat --kind slack --url-file -`,
		ValidArgsFunction: fixed(),
		RunE: func(c *cobra.Command, args []string) error {
			in := workflows.CreateSink{Name: args[0], Kind: connection.SinkKind(f.kind)}
			if err := workflows.CheckSink(in); err != nil {
				return err
			}
			return p.storeSink(c.Context(), in.Kind, f, true, func(ctx context.Context, e *environment, inbox connection.InboxRef) (workflows.SinkState, error) {
				in.Inbox = inbox
				return e.CreateSink(ctx, in)
			})
		},
	}
	c.Flags().StringVar(&f.kind, "kind", string(connection.SinkWebhook), "webhook or slack")
	f.register(c)
	complete(c, "kind", fixed(string(connection.SinkWebhook), string(connection.SinkSlack)))
	return c
}

func (p *program) sinksRotateCommand() *cobra.Command {
	var f sinkFlags
	c := &cobra.Command{
		Use: "rotate NAME", Short: "Give a webhook a new signing key, or a sink a new URL", Args: takes("NAME"),
		Long: `Give a webhook a new signing key, which is printed once. For 24 hours messages carry
a signature by the old key too, so that the receiver can change over in peace. With
--url or --url-file the sink has a new URL from then on; a chat is always asked for
one. A sink that was disabled is enabled again.`,
		Example:           `  connected-apps alerts sinks rotate ops --environment production`,
		ValidArgsFunction: p.completeSinks,
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			sink, err := p.sink(ctx, args[0])
			if err != nil {
				return err
			}
			return p.storeSink(ctx, sink.Kind, f, sink.Kind == connection.SinkSlack, func(ctx context.Context, e *environment, inbox connection.InboxRef) (workflows.SinkState, error) {
				return e.RotateSink(ctx, workflows.RotateSink{Name: sink.Name, Inbox: inbox})
			})
		},
	}
	f.register(c)
	return c
}

// storedSink is what create and rotate answer.
type storedSink struct {
	workflows.SinkState
	// Key is shown this once.
	Key string `json:"key,omitempty"`
}

// storeSink hands over what is new of a sink and shows it, with its key.
func (p *program) storeSink(ctx context.Context, kind connection.SinkKind, f sinkFlags, wantsURL bool,
	store func(context.Context, *environment, connection.InboxRef) (workflows.SinkState, error),
) error {
	secrets := map[string]connection.Secret{}
	address, err := p.sinkURL(ctx, kind, f, wantsURL)
	if err != nil {
		return err
	}
	if !address.Empty() {
		secrets["url"] = address
	}
	if kind == connection.SinkWebhook {
		secrets["key"] = newSinkKey()
	}
	e, err := p.open(ctx, p.environment)
	if err != nil {
		return err
	}
	inbox, err := p.leave(ctx, e, secrets)
	if err != nil {
		return err
	}
	var stored storedSink
	err = p.work(ctx, e, "the sink to be stored", func(ctx context.Context) error {
		stored.SinkState, err = store(ctx, e, inbox)
		return err
	})
	if err != nil {
		return err
	}
	stored.Key = secrets["key"].Reveal()
	err = p.print(stored, func(t *table) {
		t.row("SINK", stored.Name)
		t.row("KIND", string(stored.Kind))
		t.fact("HOST", stored.Host)
		t.fact("SIGNING KEY", stored.Key)
	})
	if err == nil && stored.Key != "" {
		p.note("Keep the signing key where the receiver finds it: it is not shown again. Try it: connected-apps alerts sinks test %s --environment %s", stored.Name, p.environment)
	}
	return err
}

// newSinkKey is 32 random bytes, as the Standard Webhooks specification writes a key.
func newSinkKey() connection.Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return connection.NewSecret(connection.SinkKeyPrefix + base64.StdEncoding.EncodeToString(key))
}

// sinkURL is the URL from the flags, or from the person; empty where none is wanted.
func (p *program) sinkURL(ctx context.Context, kind connection.SinkKind, f sinkFlags, wanted bool) (connection.Secret, error) {
	var address connection.Secret
	switch {
	case f.url != "" && f.urlFile != "":
		return address, connection.InvalidInput("url", "there are two", "give one of --url and --url-file")
	case f.url != "" && secretURL(kind, f.url):
		return address, connection.InvalidInput("url", "this URL is a secret, and secrets are not taken from arguments",
			"leave --url out to be asked for it, or use --url-file; change it there, since it is in your shell's history now")
	case f.url != "":
		address = connection.NewSecret(f.url)
	case f.urlFile != "":
		raw, err := p.readFile("url-file", f.urlFile, maxURLFile)
		if err != nil {
			return address, err
		}
		address = connection.NewSecret(strings.TrimSpace(string(raw)))
	case !wanted:
		return address, nil
	case !p.interactive():
		return address, connection.InvalidInput("url", "there is no terminal to ask for it", "give --url, or --url-file FILE, or --url-file - for standard input")
	default:
		var err error
		if address, err = p.askSecret(ctx, "URL"); err != nil {
			return address, err
		}
	}
	return address, p.checkSinkURL(address)
}

// secretURL reports whether a URL must not be an argument: a chat's is a secret as
// a whole, and one with a password holds one.
func secretURL(kind connection.SinkKind, text string) bool {
	u, err := url.Parse(text)
	return kind == connection.SinkSlack || err == nil && u.User != nil
}

// checkSinkURL asks for https, as the worker does when it delivers.
func (p *program) checkSinkURL(address connection.Secret) error {
	if err := connection.CheckSinkURL(address); err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	u, err := url.Parse(address.Reveal())
	if err != nil || u.Scheme != "https" && !settings.AllowHTTP && !outbound.Loopback(u.Hostname()) {
		return connection.InvalidInput("url", "it is not https", "give one that begins with https://, or set CONNECTED_APPS_ALLOW_HTTP for the worker and here")
	}
	return nil
}
