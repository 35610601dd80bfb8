package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"connectedapps/vault"

	"github.com/hashicorp/vault/api"
)

// provision installs what every environment needs in Vault and leaves the logins
// of worker and gateway in the identities directory. It is repeated at each start,
// so that changed policies are installed; logins that still work are kept.
func provision(ctx context.Context, admin *api.Client, o *options) error {
	var all []func(context.Context) error
	for _, environment := range environments {
		layout := vault.Layout{Prefix: os.Getenv("CONNECTED_APPS_VAULT_PREFIX"), Environment: environment}
		all = append(all, func(ctx context.Context) error { return provisionOne(ctx, admin, o, layout) })
	}
	return together(ctx, all...)
}

func provisionOne(ctx context.Context, admin *api.Client, o *options, layout vault.Layout) error {
	made, err := vault.Setup(ctx, admin, layout, vault.SetupOptions{})
	if err != nil {
		return fmt.Errorf("%w; the token needs to manage mounts, policies and AppRoles", err)
	}
	for who, identity := range made {
		dir := filepath.Join(o.identities(who), layout.Environment)
		role := "auth/approle/role/" + layout.Role(who)
		if err := keepIdentity(ctx, admin, dir, role, identity); err != nil {
			return fmt.Errorf("login of the %s of %s: %w", who, layout.Environment, err)
		}
	}
	return nil
}

// keepIdentity writes a fresh login, or gives it back when the one of an earlier start still works.
func keepIdentity(ctx context.Context, admin *api.Client, dir, role string, fresh vault.Identity) error {
	roleID, secretID := filepath.Join(dir, "role-id"), filepath.Join(dir, "secret-id")
	if lets(ctx, admin, roleID, secretID) {
		_, err := admin.Logical().WriteWithContext(ctx, role+"/secret-id/destroy", map[string]any{"secret_id": fresh.SecretID.Reveal()})
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := replaceFile(roleID, []byte(fresh.RoleID+"\n"), 0o600); err != nil {
		return err
	}
	return replaceFile(secretID, []byte(fresh.SecretID.Reveal()+"\n"), 0o600)
}

// lets reports whether Vault lets the login of the two files in.
func lets(ctx context.Context, admin *api.Client, roleIDFile, secretIDFile string) bool {
	roleID, err := os.ReadFile(roleIDFile)
	if err != nil {
		return false
	}
	secretID, err := os.ReadFile(secretIDFile)
	if err != nil {
		return false
	}
	bare, err := admin.CloneWithHeaders()
	if err != nil {
		return false
	}
	bare.ClearToken()
	answer, err := bare.Logical().WriteWithContext(ctx, "auth/approle/login", map[string]any{
		"role_id": strings.TrimSpace(string(roleID)), "secret_id": strings.TrimSpace(string(secretID))})
	if err != nil || answer == nil || answer.Auth == nil {
		return false
	}
	bare.SetToken(answer.Auth.ClientToken)
	_ = bare.Auth().Token().RevokeSelfWithContext(ctx, "") // it expires by itself otherwise
	return true
}
