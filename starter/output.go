package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// print writes a result: as indented JSON, or by the function that knows its table.
func (p *program) print(value any, asTable func(*table)) error {
	if p.output == "json" {
		return p.printJSON(value)
	}
	t := &table{w: tabwriter.NewWriter(p.out, 0, 4, 2, ' ', 0)}
	asTable(t)
	return t.w.Flush()
}

func (p *program) printJSON(value any) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// table is rows of cells in aligned columns.
type table struct{ w *tabwriter.Writer }

// row writes cells; foreign text cannot break the row or speak to the terminal.
func (t *table) row(cells ...string) {
	for i := range cells {
		cells[i] = clean(cells[i])
	}
	_, _ = fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t")) // Flush answers its error
}

// fact writes a named value and leaves out what is empty.
func (t *table) fact(name, value string) {
	if value != "" {
		t.row(name, value)
	}
}

func (t *table) gap() { _, _ = fmt.Fprintln(t.w) } // Flush answers its error

// clean keeps foreign text from moving the cursor or starting a new line.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, text)
}

// note is a line for the person, beside the result.
func (p *program) note(format string, values ...any) {
	fmt.Fprintln(p.errOut, clean(fmt.Sprintf(format, values...)))
}

// line is a result that is one line, for scripts to take as it is.
func (p *program) line(text string) error {
	_, err := fmt.Fprintln(p.out, text)
	return err
}

// ago is a time as people say it; "" for never.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := now.Sub(t)
	suffix, prefix := " ago", ""
	if d < 0 {
		d, suffix, prefix = -d, "", "in "
	}
	count := func(n int, unit string) string {
		if n != 1 {
			unit += "s"
		}
		return fmt.Sprintf("%s%d %s%s", prefix, n, unit, suffix)
	}
	switch {
	case d < time.Minute && prefix == "":
		return "just now"
	case d < time.Minute:
		return count(int(d.Seconds()), "second")
	case d < time.Hour:
		return count(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour")
	default:
		return count(int(d.Hours()/24), "day")
	}
}

// moment is a time with how far away it is; "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 MST") + " (" + ago(t, time.Now()) + ")"
}
