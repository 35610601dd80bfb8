package console

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
)

// newConfigPage is the form of a new auth config, or the question for which app and environment.
type newConfigPage struct {
	Environments []string
	Apps         []appChoice
	Environment  string
	App          appChoice
	Methods      []methodChoice
	Method       string
	// Then is the page that waits for the auth config; "" leads to its own.
	Then string
	// Asked: the app and the environment are known, and the form is there.
	Asked        bool
	NeedsClient  bool
	WantsSecret  bool
	Name, Client string
	Public       bool
	Scopes       string
	Expires      string
	Fields       []configField
	Setup        []string
	SetupURL     string
	// RedirectURI is what the client must be registered with; "" for a method that needs none.
	RedirectURI string
}

// methodChoice is a way to authenticate, to choose.
type methodChoice struct{ ID, Title string }

// configField is an input of an auth config.
type configField struct {
	connectors.Input
	Field, Label, Value string
	Required            bool
	// Bad: it is what the problem is about.
	Bad bool
}

func (c *Console) newAuthConfig(w http.ResponseWriter, r *http.Request) error {
	page, _, _, err := c.newConfigPage(r, r.URL.Query())
	if err != nil {
		return err
	}
	return c.show(w, r, "authconfig-new.html", "auth-configs", "New auth config", page)
}

// newConfigPage makes the form from the app's definition, as far as it is known which.
func (c *Console) newConfigPage(r *http.Request, from url.Values) (newConfigPage, backend.Environment, *connectors.Method, error) {
	page := newConfigPage{Environment: from.Get("environment"), Then: ownPath(from.Get("then"))}
	person := access.Of(r.Context())
	for _, e := range c.seen(r) {
		if person.May(e.Name, access.Admin) {
			page.Environments = append(page.Environments, e.Name)
		}
	}
	if len(page.Environments) == 0 && len(person.Away) > 0 {
		return page, backend.Environment{}, nil, person.Check(person.Away[0], access.Admin)
	}
	if len(page.Environments) == 0 {
		return page, backend.Environment{}, nil, connection.Refused(connection.ErrNotAllowed, "this needs the role admin in an environment", "ask an administrator")
	}
	for _, app := range c.Catalogue.Apps() {
		page.Apps = append(page.Apps, appChoice{app.ID, app.Name})
	}
	slices.SortFunc(page.Apps, func(a, b appChoice) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	page.App.ID = from.Get("app")
	if page.Environment == "" || page.App.ID == "" {
		return page, backend.Environment{}, nil, nil
	}
	e, err := c.environment(r, page.Environment, access.Admin)
	if err != nil {
		return page, e, nil, err
	}
	app, err := c.Catalogue.App(page.App.ID)
	if err != nil {
		return page, e, nil, err
	}
	method, err := app.Method(from.Get("method"))
	if err != nil {
		return page, e, nil, err
	}
	page.App.Name, page.Asked = app.Name, true
	for _, m := range app.Methods {
		title := kindTitle(m.Kind)
		if m.Title != "" {
			title = m.Title
		}
		page.Methods = append(page.Methods, methodChoice{m.ID, title})
	}
	page.of(c, method)
	return page, e, method, nil
}

// of fills in what a method asks for.
func (p *newConfigPage) of(c *Console, method *connectors.Method) {
	p.Method, p.NeedsClient, p.WantsSecret = method.ID, method.NeedsClient(), wantsSecret(method)
	for _, field := range configFields(method) {
		if field.Name != clientSecretName {
			p.Fields = append(p.Fields, field)
		}
	}
	redirect := c.Site.Link(activities.CallbackPath)
	if method.Kind.NeedsBrowser() {
		p.RedirectURI = redirect
	}
	if method.Setup != nil {
		p.SetupURL = method.Setup.URL
		fill := strings.NewReplacer("{redirect_uri}", redirect, "{scopes}", strings.Join(method.ScopesFor(method.App().Actions), " "))
		for _, step := range method.Setup.Steps {
			p.Setup = append(p.Setup, fill.Replace(step))
		}
	}
}

// configFields are the fields of an auth config of a method, its client's secret first.
func configFields(method *connectors.Method) []configField {
	var fields []configField
	if wantsSecret(method) {
		fields = append(fields, configField{Input: connectors.Input{Name: clientSecretName, Secret: true}, Field: clientSecretName, Label: "Client secret"})
	}
	for _, input := range configInputs(method) {
		if input.Hidden {
			continue
		}
		field := configField{Input: input, Field: "input:" + input.Name, Label: input.Title, Value: input.Default,
			Required: !input.Optional && (method.NeedsClient() || !input.Secret)}
		if field.Label == "" {
			field.Label = input.Name
		}
		fields = append(fields, field)
	}
	return fields
}

// typedConfig tells the secrets that were typed in from the rest.
func typedConfig(fields []configField, typed url.Values) (values map[string]string, secrets map[string]connection.Secret) {
	values, secrets = map[string]string{}, map[string]connection.Secret{}
	for _, field := range fields {
		text := typed.Get(field.Field)
		switch {
		case strings.TrimSpace(text) == "":
		case field.Secret:
			secrets[field.Name] = connection.NewSecret(strings.TrimSpace(text))
		default:
			values[field.Name] = text
		}
	}
	return values, secrets
}

func (c *Console) createAuthConfig(w http.ResponseWriter, r *http.Request) error {
	page, e, method, err := c.newConfigPage(r, r.PostForm)
	if err != nil {
		return err
	}
	if method == nil {
		return c.show(w, r, "authconfig-new.html", "auth-configs", "New auth config", page)
	}
	form := r.PostForm
	page.Name, page.Client, page.Scopes, page.Expires = strings.TrimSpace(form.Get("name")), strings.TrimSpace(form.Get("client_id")), form.Get("scopes"), form.Get("expires")
	page.Public = form.Get("public") == "yes"
	late, err := patiently(r.Context(), func(ctx context.Context) error { return c.storeConfig(ctx, r, e, method, page) })
	if err != nil {
		problem := web.ProblemOf(r, c.Log, err)
		for i := range page.Fields {
			field := &page.Fields[i]
			field.Bad = field.Name == problem.Field
			if !field.Secret { // what was typed in comes back, but for secrets
				field.Value = form.Get(field.Field)
			}
		}
		return c.showWith(w, r, "authconfig-new.html", "auth-configs", "New auth config", page, problem)
	}
	if page.Then != "" && !late {
		http.Redirect(w, r, withConfig(page.Then, page.Name), http.StatusSeeOther)
		return nil
	}
	said := "config-created"
	if late {
		said = "config-storing"
	}
	to(w, r, authConfigPage(e.Name, page.App.ID, page.Name), said)
	return nil
}

// storeConfig checks the form, hands its secrets over and stores the rest.
func (c *Console) storeConfig(ctx context.Context, r *http.Request, e backend.Environment, method *connectors.Method, page newConfigPage) error {
	fields := configFields(method)
	in := activities.StoreAuthConfigInput{App: page.App.ID, Name: page.Name, Method: method.ID, ClientID: page.Client, Scopes: strings.Fields(page.Scopes)}
	values, secrets := typedConfig(fields, r.PostForm)
	in.Values = values
	var err error
	if in.Expires, err = parseDay("expires", page.Expires, c.now()); err != nil {
		return err
	}
	if _, _, err := activities.CheckAuthConfig(c.Catalogue, in); err != nil {
		return err
	}
	if page.Public {
		delete(secrets, clientSecretName)
	} else if page.WantsSecret && secrets[clientSecretName].Empty() {
		return connection.InvalidInput(clientSecretName, "it is missing", "give the client's secret, or say that the client has none")
	}
	for _, field := range fields {
		if field.Secret && field.Required && secrets[field.Name].Empty() {
			return connection.InvalidInput(field.Name, "it is missing", field.Help)
		}
	}
	if err := checkSecrets(method, secrets); err != nil {
		return err
	}
	if in.Inbox, err = e.Leave(ctx, secrets); err != nil {
		return err
	}
	_, err = e.Client.CreateAuthConfig(ctx, in)
	return err
}

// ownPath is a path of this console's apps and connections, with its query; "" for
// anything else: nobody must be led elsewhere by a link to us.
func ownPath(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || u.Path != path.Clean(u.Path) || strings.ContainsRune(u.Path, '\\') ||
		!strings.HasPrefix(u.Path, "/apps/") && !strings.HasPrefix(u.Path, "/connections/") {
		return ""
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}

// withConfig adds the name of the auth config to a page that waits for it.
func withConfig(then, name string) string {
	u, err := url.Parse(then)
	if err != nil {
		return "/auth-configs"
	}
	query := u.Query()
	query.Set("auth_config", name)
	u.RawQuery = query.Encode()
	return u.String()
}
