package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
	"connectedapps/deployment"
	"connectedapps/gateway/access"
	"connectedapps/gateway/mcp"
	"connectedapps/gateway/web"
	"connectedapps/vault"

	"go.uber.org/zap"
)

const (
	// maxClientSecret bounds the file of the provider's client secret.
	maxClientSecret = 4 << 10
	// firstLinkTime is how long the start waits for Vault before it does without a link.
	firstLinkTime = 5 * time.Second
)

// guardOf is who may use the gateway, by the settings.
func (p *program) guardOf(settings deployment.Settings, secrets map[string]*vault.Client, log *zap.Logger) (*access.Guard, error) {
	site, err := web.ParseSite(settings.GatewayURL)
	if err != nil {
		return nil, err
	}
	if err := checkListen(settings, site); err != nil {
		return nil, err
	}
	options := access.Options{Site: site, Log: log}
	if options.Provider, err = p.providerOf(settings, log); err != nil {
		return nil, err
	}
	for _, name := range settings.Environments {
		options.Environments = append(options.Environments, access.Environment{Name: name, Sealer: secrets[name], Store: secrets[name].Access()})
	}
	return access.New(options)
}

// checkListen refuses to speak plain http with other machines: sessions and one-time
// links would be there for everybody on the way to read.
func checkListen(settings deployment.Settings, site web.Site) error {
	host, _, err := net.SplitHostPort(settings.Listen)
	if err != nil || outbound.Loopback(host) || site.Secure() || settings.AllowHTTP {
		return nil // what cannot be listened on is said by whoever tries
	}
	return connection.InvalidInput("CONNECTED_APPS_GATEWAY_URL", "the gateway would listen on "+settings.Listen+", which other machines reach, without TLS",
		"put a proxy that speaks TLS before it and give its https URL, or listen on 127.0.0.1, or set CONNECTED_APPS_ALLOW_HTTP=true where nobody can listen in")
}

// providerOf is the OpenID provider of the settings, nil where none is set.
func (p *program) providerOf(settings deployment.Settings, log *zap.Logger) (*access.Provider, error) {
	o := settings.OIDC
	if o.Issuer == "" {
		if o.ClientID != "" || o.ClientSecretFile != "" || o.Roles != "" {
			return nil, connection.InvalidInput("CONNECTED_APPS_OIDC_ISSUER", "it is missing, while others of CONNECTED_APPS_OIDC_ are set", "give the provider's issuer, or unset the others")
		}
		return nil, nil
	}
	rules, err := access.ParseRules(o.Roles, settings.Environments)
	if err != nil {
		return nil, err
	}
	secret := connection.Secret{}
	if o.ClientSecretFile != "" {
		raw, err := p.readFile("CONNECTED_APPS_OIDC_CLIENT_SECRET_FILE", o.ClientSecretFile, maxClientSecret)
		if err != nil {
			return nil, err
		}
		if secret = connection.NewSecret(strings.TrimSpace(string(raw))); secret.Empty() {
			return nil, connection.InvalidInput("CONNECTED_APPS_OIDC_CLIENT_SECRET_FILE", "the file is empty", "write the client secret into it, or unset the variable for a public client")
		}
	}
	return access.NewProvider(access.ProviderOptions{Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: secret, Scopes: o.Scopes, RolesClaim: o.RolesClaim,
		Rules: rules, Audience: o.Audience, ToolsAudience: settings.GatewayURL + mcp.Path, HTTP: settings.Provider(), AllowHTTP: settings.AllowHTTP, Log: log})
}

// greet says on standard output where the pages are, and how to get in where people have
// no other way: by a link if one is wanted, which whoever can read it may use.
func (p *program) greet(ctx context.Context, settings deployment.Settings, secrets map[string]*vault.Client, link bool) {
	fmt.Fprintf(p.out, "The gateway is at %s\n", settings.GatewayURL)
	if settings.OIDC.Issuer != "" {
		return
	}
	if !link {
		fmt.Fprintln(p.out, "Sign in with a one-time link: connected-apps console")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, firstLinkTime)
	defer cancel()
	open := func(name string) (vault.Access, error) { return secrets[name].Access(), nil }
	made, _, err := makeLink(ctx, settings.Environments, open, access.Admin, linkLife)
	if err != nil {
		fmt.Fprintln(p.out, "Sign in with a one-time link, once Vault answers: connected-apps console")
		return
	}
	fmt.Fprintf(p.out, "Sign in, once and within ten minutes: %s\nAnother link: connected-apps console\n", settings.GatewayURL+made.URL)
}
