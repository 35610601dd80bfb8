package vault

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"connectedapps/connection"

	"github.com/hashicorp/vault/api"
)

//go:embed policies/*.hcl
var policies embed.FS

// The identities of one environment; each has a policy and an AppRole of its name.
const (
	Worker  = "worker"
	Gateway = "gateway"
)

// Identity is one AppRole login, as [Setup] hands it out.
type Identity struct {
	RoleID   string
	SecretID connection.Secret
}

// SetupOptions are for [Setup]; the zero value is right for production.
type SetupOptions struct {
	// TokenTTL is how long a login lasts before it must be renewed; 0 means one hour.
	TokenTTL time.Duration
}

// Setup installs what one environment needs: its mounts, keys, policies and
// AppRoles. It needs an administrator's token, is safe to repeat, and answers a
// fresh login for worker and gateway. A failure names the step.
func Setup(ctx context.Context, admin *api.Client, layout Layout, options SetupOptions) (map[string]Identity, error) {
	if options.TokenTTL == 0 {
		options.TokenTTL = time.Hour
	}
	if err := connection.CheckSlug("environment", layout.Environment); err != nil {
		return nil, err
	}
	s := setup{ctx: ctx, admin: admin, layout: layout}
	s.survey()
	s.mount(layout.Secrets(), "kv", "credentials of "+layout.Environment, map[string]string{"version": "2"})
	s.mount(layout.Inbox(), "kv", "inbox of "+layout.Environment, map[string]string{"version": "2"})
	s.mount(layout.Transit(), "transit", "keys of "+layout.Environment, nil)
	s.write(layout.Secrets()+"/config", map[string]any{"max_versions": 1, "cas_required": true})
	s.write(layout.Inbox()+"/config", map[string]any{"max_versions": 1, "cas_required": true,
		"delete_version_after": inboxLife.String()})
	for _, key := range []string{"cookies", "payloads"} {
		s.write(layout.Transit()+"/keys/"+key, map[string]any{"type": "aes256-gcm96"})
	}
	s.auth()
	identities := map[string]Identity{}
	for _, who := range []string{Worker, Gateway} {
		s.policy(who)
		s.write("auth/approle/role/"+layout.Role(who), map[string]any{
			"token_policies": layout.Role(who), "token_ttl": options.TokenTTL.String(),
			"token_max_ttl": (24 * options.TokenTTL).String(), "token_no_default_policy": true,
		})
		identities[who] = s.identity(who)
	}
	return identities, s.err
}

// setup carries the first error through the steps.
type setup struct {
	ctx     context.Context
	admin   *api.Client
	layout  Layout
	present map[string]bool // mounts and auth methods that are there already
	err     error
}

// survey lists what is there, so that repeating the set-up leaves no errors in Vault's own log.
func (s *setup) survey() {
	s.present = map[string]bool{}
	mounts, err := s.admin.Sys().ListMountsWithContext(s.ctx)
	s.failed("list mounts", err)
	for path := range mounts {
		s.present[strings.TrimSuffix(path, "/")] = true
	}
	methods, err := s.admin.Sys().ListAuthWithContext(s.ctx)
	s.failed("list auth methods", err)
	for path := range methods {
		s.present["auth/"+strings.TrimSuffix(path, "/")] = true
	}
}

func (s *setup) failed(step string, err error) {
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("vault set-up of %s: %s: %w", s.layout.Environment, step, err)
	}
}

func (s *setup) mount(path, kind, description string, options map[string]string) {
	if s.err != nil || s.present[path] {
		return
	}
	err := s.admin.Sys().MountWithContext(s.ctx, path, &api.MountInput{Type: kind, Description: description, Options: options})
	if exists(err) {
		err = nil
	}
	s.failed("mount "+path, err)
}

func (s *setup) auth() {
	if s.err != nil || s.present["auth/approle"] {
		return
	}
	err := s.admin.Sys().EnableAuthWithOptionsWithContext(s.ctx, "approle", &api.EnableAuthOptions{Type: "approle"})
	if exists(err) {
		err = nil
	}
	s.failed("enable approle", err)
}

// write retries for a moment: a new KV mount answers 400 while it is being upgraded to version 2.
func (s *setup) write(path string, data map[string]any) *api.Secret {
	if s.err != nil {
		return nil
	}
	var secret *api.Secret
	var err error
	for range 50 {
		secret, err = s.admin.Logical().WriteWithContext(s.ctx, path, data)
		var response *api.ResponseError
		if !errors.As(err, &response) || response.StatusCode != http.StatusBadRequest ||
			!strings.Contains(err.Error(), "pgrad") {
			break
		}
		select {
		case <-s.ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	s.failed("write "+path, err)
	return secret
}

func (s *setup) policy(who string) {
	if s.err != nil {
		return
	}
	text, err := policies.ReadFile("policies/" + who + ".hcl")
	if err == nil {
		err = s.admin.Sys().PutPolicyWithContext(s.ctx, s.layout.Role(who),
			strings.ReplaceAll(string(text), "{{base}}", s.layout.base()))
	}
	s.failed("policy "+s.layout.Role(who), err)
}

func (s *setup) identity(who string) Identity {
	if s.err != nil {
		return Identity{}
	}
	role := "auth/approle/role/" + s.layout.Role(who)
	found, err := s.admin.Logical().ReadWithContext(s.ctx, role+"/role-id")
	s.failed("read "+role, err)
	made := s.write(role+"/secret-id", map[string]any{})
	if s.err != nil || found == nil || made == nil {
		s.failed("login of "+who, errors.New("no role ID or secret ID was given"))
		return Identity{}
	}
	roleID, _ := found.Data["role_id"].(string)
	secretID, _ := made.Data["secret_id"].(string)
	return Identity{RoleID: roleID, SecretID: connection.NewSecret(secretID)}
}

// exists reports Vault's way of saying that a mount is already there.
func exists(err error) bool {
	var response *api.ResponseError
	return errors.As(err, &response) && response.StatusCode == http.StatusBadRequest &&
		strings.Contains(err.Error(), "in use")
}
