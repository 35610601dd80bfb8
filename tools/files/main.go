// Command files checks rules about files that no other tool knows:
//
//   - no Go file that is not a test has more than 450 lines;
//   - no file names the host of a package or image registry: where those come
//     from is a setting of whoever builds, not of this repository;
//   - no file points outside the repository, to a directory that only one
//     developer's machine has.
//
// Usage: files DIRECTORY. It reads every file below, but for .git, bin,
// .devstack and node_modules, and needs no version control.
package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// maxLines bounds a Go file, so that it can be read in one go.
	maxLines = 450
	// maxSize bounds what is looked into; larger files are not text that anybody wrote.
	maxSize = 4 << 20
)

// hosts are written in parts, since this file is checked as well.
var hosts = joined(".",
	[]string{"proxy", "golang", "org"}, []string{"sum", "golang", "org"}, []string{"index", "golang", "org"},
	[]string{"registry", "npmjs", "org"}, []string{"registry", "yarnpkg", "com"},
	[]string{"pypi", "org"}, []string{"files", "pythonhosted", "org"}, []string{"crates", "io"}, []string{"rubygems", "org"},
	[]string{"docker", "io"}, []string{"ghcr", "io"}, []string{"quay", "io"}, []string{"gcr", "io"},
	[]string{"public", "ecr", "aws"}, []string{"registry", "k8s", "io"},
	[]string{"deb", "debian", "org"}, []string{"security", "debian", "org"}, []string{"archive", "ubuntu", "com"},
)

// outside are paths that mean something on one machine only.
var outside = append(joined("/", []string{"..", "shared"}), joined("/", []string{"", "work", ""})...)

func joined(separator string, parts ...[]string) []string {
	all := make([]string, len(parts))
	for i, part := range parts {
		all[i] = strings.Join(part, separator)
	}
	return all
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: files DIRECTORY")
		os.Exit(2)
	}
	broken, err := check(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "files:", err)
		os.Exit(2)
	}
	for _, line := range broken {
		fmt.Println(line)
	}
	if len(broken) > 0 {
		fmt.Println("Split a long file by concept; leave hosts of registries to the builder's own settings; write what is needed into this repository.")
		os.Exit(1)
	}
}

// check answers every rule that a file below the directory breaks, as path:line: rule.
func check(root string) ([]string, error) {
	var broken []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{".git", "bin", ".devstack", "node_modules"}, entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxSize {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		broken = append(broken, judge(name, text)...)
		return nil
	})
	return broken, err
}

// judge answers what is wrong with one file.
func judge(name string, text []byte) []string {
	if bytes.IndexByte(text, 0) >= 0 {
		return nil // not text
	}
	var broken []string
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && len(lines) > maxLines {
		broken = append(broken, fmt.Sprintf("%s: %d lines; %d are the most", name, len(lines), maxLines))
	}
	for i, line := range lines {
		for _, host := range hosts {
			if named(line, host) {
				broken = append(broken, fmt.Sprintf("%s:%d: it names the registry host %s", name, i+1, host))
			}
		}
		for _, path := range outside {
			if strings.Contains(line, path) {
				broken = append(broken, fmt.Sprintf("%s:%d: it points to %s, outside the repository", name, i+1, path))
			}
		}
	}
	return broken
}

// named reports whether a line holds the host itself, and not as a part of a
// longer name: a subdomain counts, "notquay.io" does not.
func named(line, host string) bool {
	for rest := line; ; {
		at := strings.Index(rest, host)
		if at < 0 {
			return false
		}
		before, after := rest[:at], rest[at+len(host):]
		if (before == "" || !wordy(before[len(before)-1])) && (after == "" || !wordy(after[0]) && after[0] != '.') {
			return true
		}
		rest = after
	}
}

func wordy(c byte) bool {
	return c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
