package connectors

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// reading is a library being read, and the definitions that were asked for.
type reading struct {
	library *library
	wanted  []*document
}

// readLibrary reads the definitions of a directory, or one file of it. Its
// parents are found in the directory, then among the earlier ones.
func readLibrary(path string, earlier func() (*library, error)) (reading, []*DefinitionError) {
	var earlierOnce *library
	read := reading{library: &library{documents: map[string]*document{}, earlier: func() (*library, error) {
		if earlierOnce != nil {
			return earlierOnce, nil
		}
		lib, err := earlier()
		earlierOnce = lib
		return lib, err
	}}}
	files, err := definitionFiles(path)
	if err != nil {
		return read, []*DefinitionError{{File: path, Reason: "it cannot be read: " + reasonOf(err)}}
	}
	var defects []*DefinitionError
	for _, file := range files {
		d, defect := readDocument(file)
		if defect != nil {
			defects = append(defects, defect)
			continue
		}
		if before := read.library.documents[d.id]; before != nil && d.id != "" {
			defects = append(defects, &DefinitionError{File: file, Line: 1, Column: 1, Field: "id",
				Reason: fmt.Sprintf("%s is already defined in %s", d.id, before.file)})
			continue
		}
		read.library.documents[d.id] = d
		read.wanted = append(read.wanted, d)
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		read.besides(path)
	}
	return read, defects
}

// besides makes the definitions of a file's directory known as parents. What is
// wrong with them is said when they are asked for themselves.
func (r reading) besides(file string) {
	if !slices.ContainsFunc(r.wanted, func(d *document) bool { return d.extends != "" }) {
		return
	}
	files, err := definitionFiles(filepath.Dir(file))
	if err != nil {
		return
	}
	for _, other := range files {
		if filepath.Base(other) == filepath.Base(file) {
			continue
		}
		if d, defect := readDocument(other); defect == nil && r.library.documents[d.id] == nil {
			r.library.documents[d.id] = d
		}
	}
}

func readDocument(file string) (*document, *DefinitionError) {
	data, err := readBounded(file)
	if err != nil {
		return nil, &DefinitionError{File: file, Reason: reasonOf(err)}
	}
	return newDocument(file, data)
}

// apps reads the definitions that were asked for, sorted by ID. A defect of a
// parent is told once, however many inherit it.
func (r reading) apps() ([]*App, []*DefinitionError) {
	apps := map[string]*App{}
	var defects []*DefinitionError
	for _, d := range r.wanted {
		if defect := r.library.inherit(d); defect != nil {
			defects = append(defects, defect)
			continue
		}
		app, found := d.definition(thorough)
		told := defects
		for _, one := range found {
			if !slices.ContainsFunc(told, one.same) {
				defects = append(defects, one)
			}
		}
		if app != nil && len(found) == 0 {
			apps[app.ID] = app
		}
	}
	return sortedApps(apps), defects
}

// same reports whether two defects are one, met by way of two children.
func (e *DefinitionError) same(other *DefinitionError) bool {
	return e.File == other.File && e.Line == other.Line && e.Column == other.Column && e.Reason == other.Reason
}
