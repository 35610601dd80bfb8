package main

import (
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	host, subdomain := hosts[0], "eu."+hosts[len(hosts)-10]
	for _, row := range []struct{ name, file, text, want string }{
		{"clean", "a.go", "package a\n", ""},
		{"long", "a.go", strings.Repeat("\n", maxLines+1), "lines"},
		{"exactly as long as allowed", "a.go", strings.Repeat("\n", maxLines), ""},
		{"long test", "a_test.go", strings.Repeat("\n", maxLines+1), ""},
		{"long prose", "a.md", strings.Repeat("\n", maxLines+1), ""},
		{"a host", "Makefile", "x\nGOPROXY=https://" + host + ",direct", ":2: it names the registry host " + host},
		{"a subdomain of one", "a.yaml", "image: " + subdomain + "/x/y:1", "registry host"},
		{"a longer name", "a.md", "not" + host + " and " + host + ".example", ""},
		{"another directory", "a.md", "see " + outside[0] + "/x", "outside the repository"},
		{"one machine's path", "a.md", "cd " + outside[1] + "main", "outside the repository"},
		{"not text", "a.bin", "\x00" + host, ""},
	} {
		got := strings.Join(judge(row.file, []byte(row.text)), "\n")
		if row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%s: got %q, want %q in it", row.name, got, row.want)
		}
	}
}
