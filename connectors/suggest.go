package connectors

import (
	"slices"
	"strings"
)

// maxSuggestions keeps a remedy one readable line.
const maxSuggestions = 3

// maxEcho bounds what of a caller's own text is repeated in an error.
const maxEcho = 80

// suggestion words a remedy that names what a person may have meant, or all
// there is when nothing is near.
func suggestion(wanted string, names []string) string {
	near := nearest(wanted, names)
	if len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	if len(names) == 0 {
		return "there is none"
	}
	const listed = 12
	sorted := slices.Sorted(slices.Values(names))
	if len(sorted) > listed {
		return "there are " + strings.Join(sorted[:listed], ", ") + " and others"
	}
	return "there are " + strings.Join(sorted, ", ")
}

// nearest lists the names that a typing error or an abbreviation away from the wanted one.
func nearest(wanted string, names []string) []string {
	wanted = strings.ToLower(wanted)
	if wanted == "" || len(wanted) > maxEcho {
		return nil
	}
	type scored struct {
		name     string
		distance int
	}
	var found []scored
	for _, name := range names {
		d := distance(wanted, name)
		if strings.Contains(name, wanted) || strings.Contains(wanted, name) {
			d = min(d, 1)
		}
		if d <= 1+len(wanted)/4 {
			found = append(found, scored{name, d})
		}
	}
	slices.SortFunc(found, func(a, b scored) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var out []string
	for _, s := range found[:min(len(found), maxSuggestions)] {
		out = append(out, s.name)
	}
	return out
}

// distance is Levenshtein's, in bytes: names are ASCII.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost++
			}
			previous = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
