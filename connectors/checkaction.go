package connectors

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"cel.dev/cel-go/cel"
)

// action checks that a request can be built from what the input schema allows.
func (r *report) action(path []string, app *App, a *Action, known names) {
	in := func(parts ...string) []string { return below(path, parts...) }
	if a.ReadOnly && (a.Destructive || a.IdempotencyKey != "") {
		r.add(in("read_only"), "a read-only action is neither destructive nor in need of an idempotency key")
	}
	properties, required, err := a.properties()
	if err != nil {
		r.add(in("input"), err.Error())
		return
	}
	r.offered(in("methods"), app, a.Methods)
	r.worked(path, a, properties, known)
	usable := known.and(properties...)
	for _, c := range a.Compute {
		usable = usable.and(c.Name)
	}
	q := a.Request
	r.endpoint(in("request", "base_url"), q.BaseURL, known)
	r.origin(in("request", "base_url"), app, q.BaseURL)
	r.public(in("request", "path"), q.Path.variables(), usable)
	for _, name := range q.Path.variables(opSimple, opReserved) {
		if slices.Contains(properties, name) && !slices.Contains(required, name) {
			r.add(in("request", "path"), fmt.Sprintf("{%s} is part of the path, so the input schema must require it", name))
		}
	}
	r.public(in("request", "method"), q.Method.variables(), names{plain: required, secret: known.secret})
	paged := a.Paging.pagedNames(usable)
	r.publicTexts(in("request", "query"), q.Query, paged)
	r.publicTexts(in("request", "headers"), q.Headers, usable)
	objects := map[string]string{"query_from": q.QueryFrom, "headers_from": q.HeadersFrom}
	if q.Body != nil {
		objects["body"] = q.Body.From
		r.json(in("request", "body", "template"), q.Body.Template, paged.plain, paged)
		if q.Body.Template != nil && (q.Body.From != "" || len(q.Body.Static) > 0) {
			r.add(in("request", "body"), "a template is the whole body: from and static have no place beside it")
		}
	}
	for field, name := range objects {
		if name != "" && !slices.Contains(properties, name) {
			r.add(in("request", field), name+" is not a property of the input schema")
		}
	}
	if a.Paging != nil && a.Paging.InBody && q.Body == nil {
		r.add(in("paging", "in_body"), "the request has no body")
	}
	r.unused(path, a, properties)
}

// offered checks the methods that an action is limited to.
func (r *report) offered(path []string, app *App, methods []string) {
	ids := make([]string, len(app.Methods))
	for i, m := range app.Methods {
		ids[i] = m.ID
	}
	seen := map[string]bool{}
	for i, id := range methods {
		at := below(path, strconv.Itoa(i))
		r.unique(seen, at, id)
		if !slices.Contains(ids, id) {
			r.add(at, fmt.Sprintf("%s is no way to authenticate with this app; %s", id, suggestion(id, ids)))
		}
	}
}

// publicTexts checks texts that no secret may stand in.
func (r *report) publicTexts(path []string, texts map[string]Text, known names) {
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		r.public(below(path, name), texts[name].variables(), known)
	}
}

// worked checks what is computed of the arguments.
func (r *report) worked(path []string, a *Action, properties []string, known names) {
	variables := slices.Concat(typed(properties, cel.DynType), texts(known.plain))
	for i, c := range a.Compute {
		at := below(path, "compute", strconv.Itoa(i))
		if slices.Contains(properties, c.Name) || slices.Contains(known.plain, c.Name) {
			r.add(below(at, "name"), c.Name+" is an argument or a value already")
		}
		r.expression(below(at, "value"), c.Value, variables, false)
		variables = append(variables, typedName{c.Name, cel.StringType})
	}
}

// unused finds properties that would be accepted and then dropped.
func (r *report) unused(path []string, a *Action, properties []string) {
	body := a.Request.Body
	if body != nil && body.From == "" && body.Template == nil {
		return
	}
	used := slices.Concat(a.Request.Path.variables(), a.Request.Method.variables(), a.Request.BaseURL.variables(),
		[]string{a.Request.QueryFrom, a.Request.HeadersFrom})
	for _, text := range a.Request.Query {
		used = append(used, text.variables()...)
	}
	for _, text := range a.Request.Headers {
		used = append(used, text.variables()...)
	}
	for _, c := range a.Compute {
		used = append(used, c.Value.variables()...)
	}
	if body != nil {
		used = append(append(used, body.From), jsonVariables(body.Template)...)
	}
	for _, name := range properties {
		if !slices.Contains(used, name) {
			r.add(below(path, "input", "properties", name), "no part of the request uses it")
		}
	}
}

// properties lists what the input schema allows at the top level.
func (a *Action) properties() (all, required []string, err error) {
	if len(a.Input.RawMessage) == 0 {
		return nil, nil, nil
	}
	var shape struct {
		Type                 string                     `json:"type"`
		Properties           map[string]json.RawMessage `json:"properties"`
		Required             []string                   `json:"required"`
		AdditionalProperties *bool                      `json:"additionalProperties"`
	}
	if err := json.Unmarshal(a.Input.RawMessage, &shape); err != nil || shape.Type != "object" {
		return nil, nil, fmt.Errorf("the input schema must say type: object")
	}
	if shape.AdditionalProperties == nil || *shape.AdditionalProperties {
		return nil, nil, fmt.Errorf("the input schema must say additionalProperties: false, so that a misspelt argument is noticed")
	}
	return slices.Sorted(maps.Keys(shape.Properties)), shape.Required, nil
}
