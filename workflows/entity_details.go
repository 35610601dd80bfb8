package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"connectedapps/connection"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// publish tells the list of connections and the Web UI what is known. It costs
// history and is called only when something that people see has changed.
func (e *entity) publish(ctx workflow.Context) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, e.state.changed(workflow.GetTypedSearchAttributes(ctx))...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes were refused", "error", err.Error())
	}
	workflow.SetCurrentDetails(ctx, e.details())
}

// announce is the first publish of a connection. One that was started with its search
// attributes needs no second write of them to the list.
func (e *entity) announce(ctx workflow.Context, first bool) {
	if _, given := workflow.GetTypedSearchAttributes(ctx).GetKeyword(AttributeStatus); first && given {
		workflow.SetCurrentDetails(ctx, e.details())
		return
	}
	e.publish(ctx)
}

// attribute is a search attribute as it should be, and whether the list shows it so.
type attribute struct {
	update temporal.SearchAttributeUpdate
	shown  func(temporal.SearchAttributes) bool
}

// attributes are what connections are listed and found by; "" and the zero time are none.
func (s State) attributes() []attribute {
	word := func(key temporal.SearchAttributeKeyKeyword, value string) attribute {
		return attribute{keyword(key, value), func(now temporal.SearchAttributes) bool {
			shown, _ := now.GetKeyword(key)
			return shown == value
		}}
	}
	at := func(key temporal.SearchAttributeKeyTime, value time.Time) attribute {
		return attribute{moment(key, value), func(now temporal.SearchAttributes) bool {
			shown, _ := now.GetTime(key)
			return shown.Equal(value)
		}}
	}
	names := make([]string, len(s.Toolkits))
	for i, toolkit := range s.Toolkits {
		names[i] = toolkit.Name
	}
	toolkits := attribute{AttributeToolkit.ValueSet(names), func(now temporal.SearchAttributes) bool {
		shown, _ := now.GetKeywordList(AttributeToolkit)
		return slices.Equal(shown, names)
	}}
	return []attribute{word(AttributeApp, s.ID.App()), word(AttributeEnvironment, s.ID.Environment()),
		word(AttributeName, s.DisplayName), word(AttributeStatus, string(s.Look.Status)),
		word(AttributeAuthKind, string(s.Kind)), word(AttributeAuthConfig, s.AuthConfig),
		word(AttributeOwner, s.Owner), word(AttributeAccount, s.account()), toolkits,
		at(AttributeLastUsed, s.Look.LastUsed), at(AttributeExpires, s.Look.Expires)}
}

// changed are the attributes that differ from what the list shows now, or the status
// alone where none does: a history has one write of them for each publish. Each that is
// written stays in the worker's memory while the workflow is cached.
func (s State) changed(now temporal.SearchAttributes) []temporal.SearchAttributeUpdate {
	var differing []temporal.SearchAttributeUpdate
	for _, a := range s.attributes() {
		if !a.shown(now) {
			differing = append(differing, a.update)
		}
	}
	if len(differing) == 0 {
		differing = append(differing, AttributeStatus.ValueSet(string(s.Look.Status)))
	}
	return differing
}

// reserved are those of a connection that is being made; what it has none of is left out.
func (s State) reserved() temporal.SearchAttributes {
	all := []temporal.SearchAttributeUpdate{AttributeApp.ValueSet(s.ID.App()), AttributeEnvironment.ValueSet(s.ID.Environment()),
		AttributeName.ValueSet(s.DisplayName), AttributeStatus.ValueSet(string(s.Look.Status)), AttributeAuthKind.ValueSet(string(s.Kind))}
	if s.AuthConfig != "" {
		all = append(all, AttributeAuthConfig.ValueSet(s.AuthConfig))
	}
	if s.Owner != "" {
		all = append(all, AttributeOwner.ValueSet(s.Owner))
	}
	return temporal.NewSearchAttributes(all...)
}

func keyword(key temporal.SearchAttributeKeyKeyword, value string) temporal.SearchAttributeUpdate {
	if value == "" {
		return key.ValueUnset()
	}
	return key.ValueSet(value)
}

func moment(key temporal.SearchAttributeKeyTime, value time.Time) temporal.SearchAttributeUpdate {
	if value.IsZero() {
		return key.ValueUnset()
	}
	return key.ValueSet(value)
}

// account is whose account it is, as a person recognises it.
func (s State) account() string { return account(s.Look.Identity) }

func account(identity connection.Identity) string {
	if identity.Label != "" {
		return identity.Label
	}
	return identity.Account
}

// details is what an operator reads on top of the run in the Web UI; no secret can be in it.
func (e *entity) details() string {
	s := *e.state
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** (%s): **%s**\n", s.DisplayName, s.ID, s.Look.Status)
	line := func(what, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- %s: %s\n", what, value)
		}
	}
	b.WriteByte('\n')
	line("reason", s.Look.Reason)
	line("what to do", s.Look.Remedy)
	line("account", s.account())
	line("organisation", s.Look.Identity.TenantName())
	line("authentication", string(s.Kind))
	line("auth config", s.AuthConfig)
	if s.Reconnect != nil {
		line("reconnect", "under way since "+s.Reconnect.Since.UTC().Format(time.RFC3339)+" as `"+s.Reconnect.WorkflowID+"`")
	}
	line("owner", s.Owner)
	line("scopes", strings.Join(s.Look.Scopes, " "))
	line("scopes lost", strings.Join(s.Look.Lost, " "))
	if !s.Look.Expires.IsZero() {
		line("ends", s.Look.Expires.UTC().Format(time.RFC3339)+" "+s.Look.Ending)
	}
	if s.Policy != (connection.Policy{}) {
		line("policy", policyWords(s.Policy))
	}
	for _, alert := range s.Alerts.Open {
		line("alert `"+string(alert.News.Kind)+"`", fmt.Sprintf("since %s: `%s`", alert.Since.UTC().Format(time.RFC3339), alert.WorkflowID))
	}
	for _, toolkit := range s.Toolkits {
		line("toolkit `"+toolkit.Name+"`", strings.Join(toolkit.Actions, ", "))
	}
	if n := len(s.Transitions); n > 0 {
		last := s.Transitions[n-1]
		line("last change", fmt.Sprintf("%s %s %s", last.At.UTC().Format(time.RFC3339), last.What, last.Reason))
	}
	return b.String()
}
