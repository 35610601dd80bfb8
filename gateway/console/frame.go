package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/web"

	"go.uber.org/zap"
)

//go:embed pages assets
var files embed.FS

// pages are the templates of every page, each with the frame and the parts around it.
var pages = parsePages()

func parsePages() map[string]*template.Template {
	shared := template.Must(template.New("").Funcs(functions).ParseFS(files, "pages/shared/*.html"))
	all := map[string]*template.Template{}
	found, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		panic(err)
	}
	for _, file := range found {
		all[path.Base(file)] = template.Must(template.Must(shared.Clone()).ParseFS(files, file))
	}
	return all
}

// frame is what every page shows around its own content.
type frame struct {
	Title string
	// Section is the entry of the navigation that the page belongs to: "connections",
	// "apps", "auth-configs" or "alerts"; "" for none.
	Section   string
	Person    access.Person
	FormToken string
	// Said is what the form before this page has done, Problem what did not work; "" and nil for nothing.
	Said    string
	Problem *connection.Problem
	// Alerts are the open ones, for the navigation.
	Alerts alertBadge
	// Page is the page's own data.
	Page any
}

// Is reports whether the page belongs to an entry of the navigation.
func (f frame) Is(section string) bool { return f.Section == section }

// show renders a page of this package's pages directory, whole.
func (c *Console) show(w http.ResponseWriter, r *http.Request, name, section, title string, page any) error {
	return c.showWith(w, r, name, section, title, page, nil)
}

// showWith is show with a problem at the top: the page comes back with what was typed
// in, but for secrets, and with the problem's own status.
func (c *Console) showWith(w http.ResponseWriter, r *http.Request, name, section, title string, page any, problem *connection.Problem) error {
	status := http.StatusOK
	if problem != nil {
		status = web.StatusOf(problem.Type)
	}
	f := c.frame(r, section, title, page)
	f.Problem = problem
	return c.render(w, status, name, "frame", f)
}

func (c *Console) frame(r *http.Request, section, title string, page any) frame {
	person := access.Of(r.Context())
	return frame{Title: title, Section: section, Person: person, FormToken: person.FormToken,
		Said: sayings[r.URL.Query().Get("said")], Alerts: c.alertBadge(r), Page: page}
}

// part renders one template of a page, for htmx to put where it belongs.
func (c *Console) part(w http.ResponseWriter, r *http.Request, name, part string, page any) error {
	return c.render(w, http.StatusOK, name, part, c.frame(r, "", "", page))
}

// render writes an answer as a whole or, when the template fails, none of it.
func (c *Console) render(w http.ResponseWriter, status int, name, part string, data any) error {
	var text bytes.Buffer
	if err := pages[name].ExecuteTemplate(&text, part, data); err != nil {
		c.Log.Error("a page could not be built", zap.String("page", name), zap.Error(err))
		return connection.Internal("the console")
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // the browser went away: nobody is left to tell
	return nil
}

// fail answers with the page of a problem. A status of 0 takes the type's own.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error, status int) {
	problem := web.ProblemOf(r, c.Log, err)
	if status == 0 {
		status = web.StatusOf(problem.Type)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	if partOnly(r) { // whatever part was asked for, this is said instead of the page
		w.Header().Set("HX-Retarget", "#main")
		w.Header().Set("HX-Reselect", "#main")
		w.Header().Set("HX-Reswap", "outerHTML")
	}
	f := c.frame(r, "", web.TitleOf(problem.Type), nil)
	f.Problem = problem
	if err := c.render(w, status, "problem.html", "frame", f); err != nil {
		http.Error(w, "The page could not be built. An operator finds more in the gateway's log.", http.StatusInternalServerError)
	}
}

// asset is a file that browsers may keep for good: its name changes with its content.
type asset struct {
	text []byte
	kind string
}

var (
	assets     = map[string]asset{} // by path
	assetPaths = map[string]string{}
)

func init() {
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		panic(err)
	}
	for _, entry := range entries {
		extension := path.Ext(entry.Name())
		if kinds[extension] == "" {
			continue
		}
		text, err := files.ReadFile("assets/" + entry.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(text)
		at := "/assets/" + strings.TrimSuffix(entry.Name(), extension) + "." + hex.EncodeToString(sum[:6]) + extension
		assets[at] = asset{text, kinds[extension]}
		assetPaths[entry.Name()] = at
	}
}

// Assets serves the stylesheet, the scripts and the icon, to anybody: they tell nothing of anyone.
func Assets(w http.ResponseWriter, r *http.Request) {
	a, ok := assets[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.text) // the browser went away: nobody is left to tell
}
