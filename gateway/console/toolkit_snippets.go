package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

// snippet is one way to call an action, to be copied.
type snippet struct {
	// ID is unique on the page.
	ID, Title, Note, Text string
}

// snippets are the ways to call an action with example arguments.
func (c *Console) snippets(e backend.Environment, id connection.ID, toolkit string, action *connectors.Action) []snippet {
	arguments := compact(exampleArguments(action.Input.RawMessage))
	input := fmt.Sprintf(`{"connection":%q,"toolkit":%q,"action":%q,"arguments":%s}`, id, toolkit, action.ID, arguments)
	namespace := e.Namespace
	if namespace == "" {
		namespace = e.Name
	}
	body := fmt.Sprintf(`{"toolkit":%q,"arguments":%s}`, toolkit, arguments)
	return []snippet{
		{"s-workflow", "Child workflow, in Go", "In a workflow of the namespace " + namespace + "; other languages do the same.", goSnippet(id, toolkit, action.ID, arguments)},
		{"s-temporal", "Temporal's command line", "", fmt.Sprintf("temporal workflow start --namespace %s \\\n  --type %s --task-queue %s \\\n  --input %s",
			shellQuote(namespace), workflows.TypeRunAction, workflows.Queue, shellQuote(input))},
		{"s-cli", "Our command line", "", fmt.Sprintf("echo %s |\n  connected-apps actions run %s %s --toolkit %s --args-file -",
			shellQuote(arguments), id, action.ID, toolkit)},
		{"s-curl", "HTTP", "With an access token in CONNECTED_APPS_TOKEN.", fmt.Sprintf("curl -X POST %s \\\n  -H \"Authorization: Bearer $CONNECTED_APPS_TOKEN\" \\\n  -H 'Content-Type: application/json' \\\n  -d %s",
			c.Site.Link("/api/v1/connections/"+id.String()+"/actions/"+action.ID), shellQuote(body))},
	}
}

func goSnippet(id connection.ID, toolkit, action, arguments string) string {
	return fmt.Sprintf(`ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{TaskQueue: %q})
var result struct {
	Data json.RawMessage `+"`json:\"data\"`"+`
}
err := workflow.ExecuteChildWorkflow(ctx, %q, map[string]any{
	"connection": %q,
	"toolkit":    %q,
	"action":     %q,
	"arguments":  json.RawMessage(%s),
}).Get(ctx, &result)`, workflows.Queue, workflows.TypeRunAction, id, toolkit, action, goQuote(arguments))
}

// goQuote writes a text as Go does, readable where it can be.
func goQuote(text string) string {
	if strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

// shellQuote writes a text as one word of a POSIX shell.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func compact(text string) string {
	var short bytes.Buffer
	if json.Compact(&short, []byte(text)) != nil {
		return "{}"
	}
	return short.String()
}
