package console

import (
	"context"
	"net/http"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

// usersShown is how many connections are shown with an auth config.
const usersShown = 20

// configPage is everything that is known of an auth config.
type configPage struct {
	workflows.AuthConfigState
	App      appChoice
	Path     string
	Method   string
	Status   string
	MayAdmin bool
	// Values are what is no secret, by the titles of the form.
	Values []fact
	// UsedBy is how many connections use it, Users are the first of them.
	UsedBy int
	Users  []workflows.AuthConfigUser
	// Secrets are the fields for new ones; nil for a public client.
	Secrets   []configField
	ExpiresOn string
}

// statusUnused is shown instead of Active where no connection has shown that the app
// accepts what is stored.
const statusUnused = "Not in use"

// Unused reports whether nothing has shown that the app accepts it.
func (p configPage) Unused() bool { return p.Status == statusUnused }

func (c *Console) showAuthConfig(w http.ResponseWriter, r *http.Request) error {
	e, id, err := c.named(r, access.Viewer)
	if err != nil {
		return err
	}
	page, err := c.configPage(r, e, id)
	if err != nil {
		return err
	}
	return c.show(w, r, "authconfig.html", "auth-configs", id.Slug(), page)
}

func (c *Console) configPage(r *http.Request, e backend.Environment, id connection.ID) (configPage, error) {
	ctx, cancel := context.WithTimeout(r.Context(), readTime)
	defer cancel()
	page := configPage{App: appChoice{id.App(), c.appName(id.App())}, Path: authConfigPage(e.Name, id.App(), id.Slug()),
		MayAdmin: access.Of(r.Context()).May(e.Name, access.Admin)}
	var err error
	if page.AuthConfigState, err = e.Client.DescribeAuthConfig(ctx, id.App(), id.Slug()); err != nil {
		return page, err
	}
	if page.Users, page.UsedBy, err = e.Client.AuthConfigUsers(ctx, id.App(), id.Slug(), usersShown); err != nil {
		return page, err
	}
	page.ExpiresOn = dayOf(page.Expires)
	page.Status = string(page.AuthConfigState.Status)
	if page.Retired && page.AuthConfigState.Status == connection.Active {
		page.Status = workflows.StatusRetired
	}
	if page.UsedBy == 0 && page.Rotated.IsZero() && page.AuthConfigState.Status == connection.Active && !page.Retired {
		page.Status = statusUnused
	}
	page.Values = titledValues(page.AuthConfigState.Values)
	page.Method = page.AuthConfigState.Method
	if app, err := c.Catalogue.App(id.App()); err == nil {
		if method, err := app.Method(page.AuthConfigState.Method); err == nil {
			page.Values = titledValues(page.AuthConfigState.Values, configInputs(method)...)
			page.Method = kindTitle(method.Kind)
			if method.Title != "" {
				page.Method = method.Title + ", " + page.Method
			}
			if !page.Public {
				page.Secrets = secretFields(method)
			}
		}
	}
	return page, nil
}

// secretFields are the fields of a method's new secrets; those left empty stay as they are.
func secretFields(method *connectors.Method) []configField {
	var fields []configField
	for _, field := range configFields(method) {
		if field.Secret {
			field.Required = false
			fields = append(fields, field)
		}
	}
	return fields
}

func (c *Console) rotateAuthConfig(w http.ResponseWriter, r *http.Request) error {
	return c.changeConfig(w, r, func(ctx context.Context, e backend.Environment, id connection.ID) error {
		in, secrets, err := c.rotation(ctx, r, e, id)
		if err != nil {
			return err
		}
		if in.Inbox, err = e.Leave(ctx, secrets); err != nil {
			return err
		}
		_, err = e.Client.RotateAuthConfig(ctx, id.App(), id.Slug(), in)
		return err
	}, "config-rotated", "config-rotating")
}

// rotation reads the form of a rotation: the new secrets that were given, and when they end.
func (c *Console) rotation(ctx context.Context, r *http.Request, e backend.Environment, id connection.ID) (workflows.Rotate, map[string]connection.Secret, error) {
	var in workflows.Rotate
	state, err := e.Client.DescribeAuthConfig(ctx, id.App(), id.Slug())
	if err != nil {
		return in, nil, err
	}
	app, err := c.Catalogue.App(id.App())
	if err != nil {
		return in, nil, err
	}
	method, err := app.Method(state.Method)
	if err != nil {
		return in, nil, err
	}
	if state.Public {
		return in, nil, connection.InvalidInput(clientSecretName, "a public client has no secret to rotate", "give a client with a secret an auth config of its own")
	}
	if in.Expires, err = parseDay("expires", r.PostForm.Get("expires"), c.now()); err != nil {
		return in, nil, err
	}
	_, secrets := typedConfig(secretFields(method), r.PostForm)
	if len(secrets) == 0 {
		return in, nil, connection.InvalidInput("", "there is no new secret", "give the secret that is to replace the present one")
	}
	return in, secrets, checkSecrets(method, secrets)
}

func (c *Console) retireAuthConfig(w http.ResponseWriter, r *http.Request) error {
	in := workflows.Retire{Undo: r.PostForm.Get("undo") == "yes"}
	said := "config-retired"
	if in.Undo {
		said = "config-revived"
	}
	return c.changeConfig(w, r, func(ctx context.Context, e backend.Environment, id connection.ID) error {
		_, err := e.Client.RetireAuthConfig(ctx, id.App(), id.Slug(), in)
		return err
	}, said, "still-going")
}

func (c *Console) deleteAuthConfig(w http.ResponseWriter, r *http.Request) error {
	e, id, err := c.named(r, access.Admin)
	if err != nil {
		return err
	}
	late, err := patiently(r.Context(), func(ctx context.Context) error {
		if err := sure(r); err != nil {
			return err
		}
		return e.Client.DeleteAuthConfig(ctx, id.App(), id.Slug())
	})
	if err != nil {
		return c.configProblem(w, r, e, id, err)
	}
	said := "config-deleted"
	if late {
		said = "still-going"
	}
	to(w, r, "/auth-configs", said)
	return nil
}

// changeConfig does something with an auth config and leads back to its page, which says so.
func (c *Console) changeConfig(w http.ResponseWriter, r *http.Request, do func(context.Context, backend.Environment, connection.ID) error, done, going string) error {
	e, id, err := c.named(r, access.Admin)
	if err != nil {
		return err
	}
	late, err := patiently(r.Context(), func(ctx context.Context) error { return do(ctx, e, id) })
	if err != nil {
		return c.configProblem(w, r, e, id, err)
	}
	if late {
		done = going
	}
	to(w, r, authConfigPage(e.Name, id.App(), id.Slug()), done)
	return nil
}

// configProblem shows what did not work on the auth config's page.
func (c *Console) configProblem(w http.ResponseWriter, r *http.Request, e backend.Environment, id connection.ID, err error) error {
	page, missing := c.configPage(r, e, id)
	if missing != nil {
		return err
	}
	return c.showWith(w, r, "authconfig.html", "auth-configs", id.Slug(), page, web.ProblemOf(r, c.Log, err))
}

// clientSecretName is what the secret of a client is called in the inbox.
const clientSecretName = "client_secret"

// checkSecrets checks those that were given as the worker will: a mistake is best told before they are handed over.
func checkSecrets(method *connectors.Method, secrets map[string]connection.Secret) error {
	var given []connectors.Input
	others := map[string]connection.Secret{}
	for _, input := range configInputs(method) {
		if input.Secret && !secrets[input.Name].Empty() {
			given = append(given, input)
			others[input.Name] = secrets[input.Name]
		}
	}
	_, _, err := connectors.CheckInputs(given, nil, others)
	return err
}

// configInputs are what an auth config of a method holds beside a client and its secret.
func configInputs(method *connectors.Method) []connectors.Input {
	if method.NeedsClient() {
		return method.ClientInputs
	}
	return method.Inputs
}

// wantsSecret reports whether a client of a method has a secret, unless it is public.
func wantsSecret(method *connectors.Method) bool { return activities.NeedsClientSecret(method) }
