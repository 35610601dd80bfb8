package console

import (
	"fmt"

	"connectedapps/connection"
)

// agentSnippets are the ways to give a toolkit to an agent.
func (c *Console) agentSnippets(id connection.ID, toolkit string) []snippet {
	name, ref := id.App()+"-"+id.Slug(), id.String()+"/"+toolkit
	server := c.Site.Link("/mcp")
	return []snippet{
		{"s-agent-token", "An access token for the agent", "It is good for this toolkit and nothing else, and is shown once.",
			fmt.Sprintf("connected-apps access create my-agent --agent \\\n  --toolkit %s", ref)},
		{"s-agent-http", "MCP configuration, over HTTP", "As many clients read it; put the token into CONNECTED_APPS_TOKEN, or in place of it.",
			fmt.Sprintf(`{
  "mcpServers": {
    %q: {
      "type": "http",
      "url": %q,
      "headers": {"Authorization": "Bearer ${CONNECTED_APPS_TOKEN}"}
    }
  }
}`, name, server)},
		{"s-agent-stdio", "MCP configuration, on this machine", "With the identity of the command line, for whoever operates this.",
			fmt.Sprintf(`{
  "mcpServers": {
    %q: {
      "command": "connected-apps",
      "args": ["mcp", "--toolkit", %q]
    }
  }
}`, name, ref)},
	}
}
