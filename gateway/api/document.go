package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"connectedapps/gateway/web"

	"github.com/danielgtaylor/huma/v2"
)

// introduction is the first thing that a reader of the document reads.
const introduction = `Connect applications, look after the connections, and run their actions.

**Authentication.** Send an access token as ` + "`Authorization: Bearer cat_…`" + `. Tokens have roles by environment: a viewer reads,
an operator connects, repairs, uses and disconnects, an admin manages auth configs and alert sinks. A browser's session is accepted
for requests of the site's own pages only.

**Errors** are problem documents (RFC 9457). Match on ` + "`error`" + `, which is one of a fixed list of words; ` + "`detail`" + ` and
` + "`remedy`" + ` are for people.

**Repeating.** Every write takes an ` + "`Idempotency-Key`" + `. The very same request with it, by the same token or session, gets the
first one's answer, as long as it is remembered; any other request is another one. Trouble that passes is not remembered.

**Waiting.** An answer comes within 20 seconds. Where the work takes longer it goes on, and the answer says how to ask again.

**Secrets** are written and never read.`

// tags are the groups of operations, in the order in which a reader meets them.
var tags = []*huma.Tag{
	{Name: "People", Description: "Who asks, and in which environments."},
	{Name: "Apps", Description: "The App Gallery: how apps authenticate, and what can be done with them."},
	{Name: "Connects", Description: "Connecting an account of an app, step by step."},
	{Name: "Connect sessions", Description: "Hosted links for end users, who choose and connect by themselves."},
	{Name: "Connections", Description: "What has been connected, and its care."},
	{Name: "Toolkits", Description: "Named selections of a connection's actions."},
	{Name: "Actions", Description: "Running actions of a toolkit."},
	{Name: "Auth configs", Description: "Client registrations and shared credentials."},
	{Name: "Alerts", Description: "Trouble that people should know of."},
	{Name: "Alert sinks", Description: "Where an environment's alerts are delivered."},
}

// config is huma's, without its documentation pages, which load scripts from
// elsewhere, and without its own serving of the document, which fills a cache that
// requests share without a lock.
func config(site web.Site) huma.Config {
	c := huma.DefaultConfig("Connected Apps", "1")
	c.Info.Description = introduction
	c.Servers = []*huma.Server{{URL: site.Link(Prefix)}}
	c.Tags = tags
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "An access token, as \"connected-apps access create\" makes them."},
	}
	c.Security = []map[string][]string{{"token": {}}}
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.RejectUnknownQueryParameters = true
	return c
}

// serveDocument adds the document as JSON and as YAML. It tells nothing of anybody.
func (a *api) serveDocument(mux *http.ServeMux) {
	asJSON := sync.OnceValues(func() ([]byte, error) { return json.Marshal(a.huma.OpenAPI()) })
	asYAML := sync.OnceValues(func() ([]byte, error) { return a.huma.OpenAPI().YAML() })
	mux.HandleFunc("GET "+Prefix+"/openapi.json", a.document("application/openapi+json", asJSON))
	mux.HandleFunc("GET "+Prefix+"/openapi.yaml", a.document("application/openapi+yaml", asYAML))
}

func (a *api) document(contentType string, text func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := text()
		if err != nil {
			a.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body) // whoever asked may have gone
	}
}

// openAnswers lets answers have members that this document does not know yet. What
// comes in stays closed: a member that nobody reads is a mistake of the sender's.
func openAnswers(document *huma.OpenAPI) {
	schemas := document.Components.Schemas.Map()
	asked := map[string]bool{}
	for _, item := range document.Paths {
		for _, op := range operations(item) {
			if op.RequestBody != nil {
				for _, media := range op.RequestBody.Content {
					reach(schemas, media.Schema, asked)
				}
			}
		}
	}
	for name, schema := range schemas {
		if closed, ok := schema.AdditionalProperties.(bool); ok && !closed && !asked[name] {
			schema.AdditionalProperties = nil
		}
	}
}

// reach marks the named schemas that one leads to.
func reach(schemas map[string]*huma.Schema, s *huma.Schema, marked map[string]bool) {
	if s == nil {
		return
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		if !marked[name] {
			marked[name] = true
			reach(schemas, schemas[name], marked)
		}
		return
	}
	for _, property := range s.Properties {
		reach(schemas, property, marked)
	}
	reach(schemas, s.Items, marked)
	if more, ok := s.AdditionalProperties.(*huma.Schema); ok {
		reach(schemas, more, marked)
	}
}

// operations are those of one path, by method.
func operations(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete}
	for method, op := range all {
		if op == nil {
			delete(all, method)
		}
	}
	return all
}
