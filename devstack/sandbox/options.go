package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"connectedapps/devstack/sandbox/internal/clock"
	"connectedapps/devstack/sandbox/internal/sandbox"
	"connectedapps/devstack/sandbox/internal/settings"
)

type options struct {
	listen string
	config sandbox.Config
}

// repeated collects a flag that may be given several times.
type repeated []string

func (r *repeated) String() string { return strings.Join(*r, ",") }

func (r *repeated) Set(value string) error {
	*r = append(*r, value)
	return nil
}

var (
	errNoState      = errors.New("--state DIR is required")
	errTwoSecrets   = errors.New("give --client-secret or --client-secret-file, not both")
	errIssuerOrigin = errors.New("--issuer is an origin such as http://127.0.0.1:9070, without a path")
)

func parseOptions(args []string) (options, error) {
	healthy := settings.Default()
	parsed := options{config: sandbox.Config{Clock: clock.System{}, Settings: healthy}}
	chosen := &parsed.config.Settings
	var rotation, secretFile, clientsFile string
	var redirects repeated

	flags := flag.NewFlagSet("devstack-sandbox", flag.ContinueOnError)
	flags.StringVar(&parsed.listen, "listen", "127.0.0.1:9070", "address to listen on; loopback only")
	flags.StringVar(&parsed.config.Issuer, "issuer", "", "origin clients use (default http:// and the address listened on)")
	flags.StringVar(&parsed.config.Dir, "state", "", "directory of the state (required)")
	flags.StringVar(&parsed.config.CredentialsFile, "credentials", "", "file of the static credentials (default credentials.json in the state directory)")
	flags.StringVar(&parsed.config.ClientSecret, "client-secret", "", "secret of sandbox-client; visible to other processes, so prefer the file")
	flags.StringVar(&secretFile, "client-secret-file", "", "file holding the secret of sandbox-client")
	flags.Var(&redirects, "redirect-uri", "redirect URI of sandbox-client; repeatable. On loopback addresses any port matches")
	flags.StringVar(&clientsFile, "clients", "", "JSON file: an array of clients as POST /admin/clients takes them")
	flags.DurationVar((*time.Duration)(&chosen.AccessTTL), "access-ttl", healthy.AccessTTL.Std(), "lifetime of access tokens")
	flags.DurationVar((*time.Duration)(&chosen.RefreshTTL), "refresh-ttl", healthy.RefreshTTL.Std(), "lifetime of refresh tokens from the authorization on; 0 is for ever")
	flags.DurationVar((*time.Duration)(&chosen.RefreshIdle), "refresh-idle", 0, "lifetime of refresh tokens from the last refresh on; 0 is for ever")
	flags.DurationVar((*time.Duration)(&chosen.CodeTTL), "code-ttl", healthy.CodeTTL.Std(), "lifetime of authorization codes")
	flags.DurationVar((*time.Duration)(&chosen.DeviceInterval), "device-interval", healthy.DeviceInterval.Std(), "least time between two polls of a device")
	flags.StringVar(&rotation, "rotation", string(healthy.Rotation), "strict, grace, grace_same, grace_old, successor, unexpired, none or omit")
	flags.DurationVar((*time.Duration)(&chosen.Grace), "grace", healthy.Grace.Std(), "how long a used refresh token is accepted again in the grace modes")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	chosen.Rotation = settings.Rotation(rotation)
	parsed.config.RedirectURIs = redirects
	return parsed, parsed.complete(secretFile, clientsFile)
}

func (o *options) complete(secretFile, clientsFile string) error {
	if o.config.Dir == "" {
		return errNoState
	}
	if o.config.Issuer != "" {
		issuer, err := url.Parse(o.config.Issuer)
		if err != nil || issuer.Host == "" || issuer.Path != "" || issuer.RawQuery != "" {
			return errIssuerOrigin
		}
	}
	if secretFile != "" {
		if o.config.ClientSecret != "" {
			return errTwoSecrets
		}
		secret, err := os.ReadFile(secretFile)
		if err != nil {
			return err
		}
		o.config.ClientSecret = strings.TrimSpace(string(secret))
	}
	if clientsFile == "" {
		return nil
	}
	raw, err := os.ReadFile(clientsFile)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &o.config.Clients); err != nil {
		return fmt.Errorf("%s: %w", clientsFile, err)
	}
	return nil
}
