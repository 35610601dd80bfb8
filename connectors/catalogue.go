package connectors

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"connectedapps/connection"

	"golang.org/x/sync/errgroup"
)

//go:embed catalog/*.yaml
var embedded embed.FS

// maxDefinition bounds a definition's file, in bytes.
const maxDefinition = 1 << 20

// Catalogue is every definition that is loaded. It is immutable and safe for concurrent use.
type Catalogue struct {
	apps   map[string]*App
	digest string
}

// Load reads the built-in definitions and then those of each directory, in
// order. A directory may add apps; it may replace one by saying "override: true",
// and extend one of its own, of an earlier directory or a built-in one.
// Whatever is wrong with a definition of a directory is found now and refused
// with file, line, column, field and reason. The built-in ones were checked
// as thoroughly by this package's tests, so that loading them stays fast.
func Load(directories ...string) (*Catalogue, error) {
	lib, err := builtIn()
	if err != nil {
		return nil, err
	}
	defined, err := together(slices.Collect(maps.Values(lib.documents)), func(d *document) (*App, error) {
		app, defects := d.definition(shallow)
		if len(defects) > 0 {
			return nil, definitionErrors(defects)
		}
		return app, nil
	})
	if err != nil {
		return nil, err
	}
	apps := map[string]*App{}
	for _, app := range defined {
		apps[app.ID] = app
	}
	for _, directory := range directories {
		before := lib
		read, defects := readLibrary(directory, func() (*library, error) { return before, nil })
		lib = read.library
		added, found := read.apps()
		defects = append(defects, found...)
		for _, app := range added {
			if earlier, taken := apps[app.ID]; taken && !app.Override {
				defects = append(defects, &DefinitionError{File: app.Source, Line: 1, Column: 1, Field: "id",
					Reason: fmt.Sprintf("%s is already defined in %s; say override: true to replace it", app.ID, earlier.Source)})
				continue
			}
			apps[app.ID] = app
		}
		if len(defects) > 0 {
			return nil, definitionErrors(defects)
		}
	}
	maps.DeleteFunc(apps, func(_ string, app *App) bool { return app.Abstract })
	return &Catalogue{apps: apps, digest: digestOf(apps)}, nil
}

// ValidateDir reads every definition of a directory (*.yaml, *.yml) and checks
// everything that can be checked without sending anything. It answers the
// sound ones, sorted by ID and abstract ones among them, and every defect
// found. A path of one file is fine too: its parents may stand beside it.
func ValidateDir(path string) ([]*App, []*DefinitionError) {
	read, defects := readLibrary(path, builtIn)
	apps, found := read.apps()
	return apps, append(defects, found...)
}

// builtIn reads the built-in definitions.
func builtIn() (*library, error) {
	files, err := fs.Glob(embedded, "catalog/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the built-in definitions: %w", err)
	}
	documents, err := together(files, func(file string) (*document, error) {
		data, err := embedded.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read a built-in definition: %w", err)
		}
		d, defect := newDocument(file, data)
		if defect != nil {
			return nil, defect
		}
		return d, nil
	})
	if err != nil {
		return nil, err
	}
	lib := &library{documents: map[string]*document{}}
	for _, d := range documents {
		lib.documents[d.id] = d
	}
	for _, d := range lib.documents {
		if defect := lib.inherit(d); defect != nil {
			return nil, defect
		}
	}
	return lib, nil
}

// together makes something of each, on all processors: reading what is built in is most
// of what a command does before it answers.
func together[T, R any](all []T, each func(T) (R, error)) ([]R, error) {
	made := make([]R, len(all))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, one := range all {
		group.Go(func() (err error) {
			made[i], err = each(one)
			return err
		})
	}
	return made, group.Wait()
}

// definitionFiles lists the definitions of a directory, or the one file given.
func definitionFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		extension := filepath.Ext(entry.Name())
		if !entry.IsDir() && (extension == ".yaml" || extension == ".yml") && !strings.HasPrefix(entry.Name(), ".") {
			files = append(files, filepath.Join(path, entry.Name()))
		}
	}
	return files, nil
}

func readBounded(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxDefinition {
		return nil, fmt.Errorf("it is larger than %d bytes", maxDefinition)
	}
	return os.ReadFile(file)
}

// reasonOf leaves the path out of a file error; the DefinitionError names it.
func reasonOf(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

// App finds a definition by ID. It fails with ErrUnknownApp, suggesting near names.
func (c *Catalogue) App(id string) (*App, error) {
	if app, ok := c.apps[id]; ok {
		return app, nil
	}
	return nil, connection.Refused(connection.ErrUnknownApp,
		fmt.Sprintf("no app %q is known", connection.Bound(id, maxEcho)),
		suggestion(id, slices.Collect(maps.Keys(c.apps)))+"; a definition of your own is loaded with CONNECTED_APPS_CONNECTORS, here and in the workers")
}

// Apps lists all definitions, sorted by ID.
func (c *Catalogue) Apps() []*App { return sortedApps(c.apps) }

// Digest identifies the catalogue as a whole: it changes when any definition
// does. A gateway and a worker that differ in it hold different definitions.
func (c *Catalogue) Digest() string { return c.digest }

func sortedApps(apps map[string]*App) []*App {
	return slices.SortedFunc(maps.Values(apps), func(a, b *App) int { return strings.Compare(a.ID, b.ID) })
}

func digestOf(apps map[string]*App) string {
	var all strings.Builder
	for _, app := range sortedApps(apps) {
		all.WriteString(app.ID + " " + app.Digest + "\n")
	}
	return digestText([]byte(all.String()))
}

func digestText(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
