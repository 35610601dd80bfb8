package workflows

import (
	"slices"
	"strings"
	"testing"

	"connectedapps/connection"
)

func TestAnotherAccount(t *testing.T) {
	id := func(account, label string) connection.Identity {
		return connection.Identity{Account: account, Label: label}
	}
	for name, c := range map[string]struct {
		was, is connection.Identity
		want    bool
	}{
		"the same":                     {id("1", "Ada"), id("1", "Ada"), false},
		"renamed":                      {id("1", "Ada"), id("1", "Countess"), false},
		"another":                      {id("1", "Ada"), id("2", "Ada"), true},
		"labels alone":                 {id("", "Ada"), id("", "Eve"), true},
		"a label where an ID was":      {id("1", "Ada"), id("", "Eve"), true},
		"the same label, newly an ID":  {id("", "Ada"), id("1", "Ada"), false},
		"it was not known":             {id("", ""), id("2", "Eve"), false},
		"it is not told":               {id("1", "Ada"), id("", ""), false},
		"nothing that can be compared": {id("1", ""), id("", "Ada"), false},
	} {
		if got := anotherAccount(c.was, c.is); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSharersQuery(t *testing.T) {
	query := sharersQuery("development/sandbox/o", "o'hara", "demo").String()
	for _, part := range []string{"WorkflowType = 'Connection'", "ExecutionStatus = 'Running'", "ConnectionEnvironment = 'development'", "ConnectionApp = 'sandbox'",
		"WorkflowId != 'connection/development/sandbox/o'", "ConnectionAuthConfig = 'demo'", "ConnectionAccount = 'o''hara'"} {
		if !slices.Contains(strings.Split(query, " AND "), part) {
			t.Errorf("%s is not in %s", part, query)
		}
	}
	query = sharersQuery("development/sandbox/o", "", "").String()
	if !strings.Contains(query, "ConnectionAuthConfig IS NULL") || strings.Contains(query, "ConnectionAccount") {
		t.Errorf("%s", query)
	}
}
