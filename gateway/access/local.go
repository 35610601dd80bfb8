package access

import (
	"net/url"
	"strings"
)

// maxReturn bounds a return_to; pages of ours have shorter addresses.
const maxReturn = 2 << 10

// localPath is a return_to that leads to this gateway, and "/" for every other. Browsers
// take //host and /\host for another site; control characters, which they drop, are
// refused by the parser.
func localPath(text string) string {
	if text == "" || text[0] != '/' || len(text) > maxReturn || strings.ContainsRune(text, '\\') {
		return "/"
	}
	u, err := url.Parse(text)
	if err != nil || u.Host != "" || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	if u.Path == SignInPath || strings.HasPrefix(u.Path, SignInPath+"/") || u.Path == SignOutPath {
		return "/"
	}
	return text
}

// returning is an address of ours with where to go afterwards.
func returning(path, to string) string {
	if to = localPath(to); to == "/" {
		return path
	}
	return path + "?" + url.Values{"return_to": {to}}.Encode()
}
