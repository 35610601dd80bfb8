package mcp

import (
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strconv"
	"strings"

	"connectedapps/connection"
)

const (
	// maxName is what fits every client: some put the server's name before a tool's, and
	// model APIs take 64 characters in all.
	maxName = 56
	// tagLength is how much of a hash ends a name: 35 bits, which tell the tools of one
	// caller apart.
	tagLength = 7
	// maxKey is the longest name of an argument that every model API takes.
	maxKey = 64
)

var (
	base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	goodKey     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// toolName is the name of an action of a toolkit as a tool: app and action for the
// model, and a tag that tells connections, environments and toolkits apart. It hangs
// on nothing else, so it stays whatever other tools come and go.
func toolName(ref connection.ToolkitRef, action string) string {
	sum := sha256.Sum256([]byte(ref.String() + "\x00" + action))
	tag := base32Lower.EncodeToString(sum[:])[:tagLength]
	room := maxName - tagLength - 1
	app := ref.Connection.App()
	if long := len(app) + 1 + len(action) - room; long > 0 {
		// The action says more than the app; both keep something to know them by.
		app = cut(app, max(len(app)-long, 12))
		action = cut(action, room-1-len(app))
	}
	return app + "_" + action + "_" + tag
}

func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.TrimRight(text[:n], "-")
}

// keys maps the names of arguments that model APIs do not take, or that are ours, to
// others and back. The zero value changes nothing.
type keys struct{ theirs, ours map[string]string }

// newKeys names the arguments of an action for a model. Every name in taken is left free.
func newKeys(properties []string, taken map[string]bool) keys {
	used := map[string]bool{}
	for name := range taken {
		used[name] = true
	}
	for _, key := range properties {
		if goodKey.MatchString(key) && !taken[key] {
			used[key] = true
		}
	}
	k := keys{theirs: map[string]string{}, ours: map[string]string{}}
	for _, key := range properties { // sorted by the caller, so that the names are the same each time
		if goodKey.MatchString(key) && !taken[key] {
			continue
		}
		name := legal(key)
		for n := 2; used[name]; n++ {
			suffix := "_" + strconv.Itoa(n)
			name = legal(key)
			name = name[:min(len(name), maxKey-len(suffix))] + suffix
		}
		used[name] = true
		k.theirs[name], k.ours[key] = key, name
	}
	return k
}

func legal(key string) string {
	name := strings.Map(func(r rune) rune {
		if r < 128 && goodKey.MatchString(string(r)) {
			return r
		}
		return '_'
	}, key)
	if name == "" {
		return "_"
	}
	return name[:min(len(name), maxKey)]
}

// named is the action's argument as a model knows it.
func (k keys) named(key string) string {
	if name, ok := k.ours[key]; ok {
		return name
	}
	return key
}

// meant is the action's argument that a model means.
func (k keys) meant(name string) string {
	if key, ok := k.theirs[name]; ok {
		return key
	}
	return name
}
