package console

import "testing"

func TestCategoriesAreWords(t *testing.T) {
	for category, want := range map[string]string{"developer-tools": "Developer tools", "crm": "CRM", "it-operations": "IT operations", "files": "Files"} {
		if got := categoryTitle(category); got != want {
			t.Errorf("%s is shown as %q, want %q", category, got, want)
		}
	}
}
