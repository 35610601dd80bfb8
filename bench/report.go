package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// report is everything that a run has measured.
type report struct {
	Began        time.Time    `json:"began"`
	Short        bool         `json:"short"`
	Surroundings surroundings `json:"surroundings"`
	Results      []*result    `json:"results"`
}

// wrong is an error for each count that does not depend on the machine and is not met.
func (t *report) wrong() error {
	var all []error
	for _, found := range t.Results {
		for _, c := range found.Checks {
			if c.Exact && !c.Met {
				all = append(all, fmt.Errorf("%s: %s is %s, and must be %s", found.Name, c.What, number(c.Have), c.bound()))
			}
		}
	}
	return errors.Join(all...)
}

// table prints everything for a person.
func (t *report) table(out io.Writer) error {
	s := t.Surroundings
	_, _ = fmt.Fprintf(out, "Temporal %s, %d shard, at most %d polls a second of each queue, journal %s; Vault's API by OpenBao %s; %s\n",
		s.Temporal, s.Shards, s.QueuePollLimit, s.Journal, s.Vault, s.Go)
	_, _ = fmt.Fprintf(out, "%d cores, %s, load %.2f at the start; %d rounds, seed %d\n", s.Cores, s.CPU, s.Load, s.Rounds, s.Seed)
	if t.Short {
		_, _ = fmt.Fprintln(out, "SHORT: counts are good, times are not")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, found := range t.Results {
		_, _ = fmt.Fprintf(w, "\n%s: %s", found.Name, found.What)
		if found.Floor != "" {
			_, _ = fmt.Fprintf(w, " (floor: %s)", found.Floor)
		}
		_, _ = fmt.Fprintf(w, "; load %.1f to %.1f\n", found.Load[0], found.Load[1])
		for _, c := range found.Checks {
			_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", c.What, c.had(), c.bound(), c.verdict(t.Short))
		}
		for _, f := range found.all() {
			_, _ = fmt.Fprintf(w, "  %s\t%s\t\t\n", f.What, strings.TrimSpace(number(f.Value)+" "+f.Unit))
		}
		if found.Note != "" {
			_, _ = fmt.Fprintf(w, "  %s\n", found.Note)
		}
	}
	return w.Flush()
}

// had is what was measured, with the span of the rounds where there were several.
func (c check) had() string {
	text := strings.TrimSpace(number(c.Have) + " " + c.Unit)
	if c.Low != 0 || c.High != 0 {
		text += fmt.Sprintf(" (%s to %s)", number(c.Low), number(c.High))
	}
	return text
}

func (c check) bound() string {
	switch {
	case c.Equal:
		return "= " + number(c.Want)
	case c.AtLeast:
		return "≥ " + number(c.Want)
	default:
		return "≤ " + number(c.Want)
	}
}

func (c check) verdict(short bool) string {
	switch {
	case short && !c.Exact:
		return "not judged"
	case c.Met:
		return "met"
	default:
		return "MISSED"
	}
}

// all are the figures of the rounds, and then the others.
func (f *result) all() []figure {
	if len(f.Rounds) == 0 {
		return f.Figures
	}
	of := func(get func(round) float64) float64 {
		var all []float64
		for _, r := range f.Rounds {
			all = append(all, get(r))
		}
		return median(all)
	}
	figures := []figure{
		{"ours p50", of(func(r round) float64 { return r.Ours.P50 }), "ms"},
		{"ours p95", of(func(r round) float64 { return r.Ours.P95 }), "ms"},
		{"floor p50", of(func(r round) float64 { return r.Floor.P50 }), "ms"},
		{"floor p95", of(func(r round) float64 { return r.Floor.P95 }), "ms"},
	}
	for _, group := range []string{groupWorkers, groupTemporal, groupVault, groupClient} {
		figures = append(figures,
			figure{"ours CPU of " + group, of(func(r round) float64 { return r.Ours.CPU[group] }), "ms/op"},
			figure{"floor CPU of " + group, of(func(r round) float64 { return r.Floor.CPU[group] }), "ms/op"})
	}
	return append(figures, f.Figures...)
}

// number is written with three digits that mean something.
func number(v float64) string {
	switch {
	case v == float64(int64(v)):
		return strconv.FormatInt(int64(v), 10)
	case v >= 100 || v <= -100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10 || v <= -10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
}

// Markers of the generated part of a document.
const (
	markBegin = "<!-- bench: begin -->"
	markEnd   = "<!-- bench: end -->"
)

// replaceIn puts the table between the markers of a document.
func (t *report) replaceIn(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(markBegin))
	_, after, closed := bytes.Cut(rest, []byte(markEnd))
	if !ok || !closed {
		return fmt.Errorf("%s has no %s and %s after it", path, markBegin, markEnd)
	}
	var out bytes.Buffer
	out.Write(before)
	out.WriteString(markBegin + "\n")
	t.markdown(&out)
	out.WriteString(markEnd)
	out.Write(after)
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// markdown writes the tables: what was aimed at, and what it took.
func (t *report) markdown(out *bytes.Buffer) {
	s := t.Surroundings
	fmt.Fprintf(out, "Measured %s: Temporal %s, %d shard, queue poll limit %d a second, journal %s; OpenBao %s; %s; %d cores, %s; %d rounds, seed %d.\n\n",
		t.Began.Format("2006-01-02 15:04 UTC"), s.Temporal, s.Shards, s.QueuePollLimit, s.Journal, s.Vault, s.Go, s.Cores, s.CPU, s.Rounds, s.Seed)
	if t.Short {
		out.WriteString("**A short run: its times mean nothing.**\n\n")
	}
	out.WriteString("| what | floor | checked | have (least to most of the rounds) | target | | load |\n|---|---|---|---|---|---|---|\n")
	for _, found := range t.Results {
		what, floor, busy := found.What, found.Floor, fmt.Sprintf("%.1f to %.1f", found.Load[0], found.Load[1])
		for _, c := range found.Checks {
			fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %s |\n", what, floor, c.What, c.had(), c.bound(), c.verdict(t.Short), busy)
			what, floor, busy = "", "", ""
		}
	}
	out.WriteString("\n| pair | side | p50 ms | p95 ms | per second | CPU ms/op: workers | Temporal | Vault | client |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, found := range t.Results {
		if len(found.Rounds) == 0 {
			continue
		}
		for _, which := range []string{"ours", "floor"} {
			side := func(get func(measured) float64) string {
				var all []float64
				for _, r := range found.Rounds {
					m := r.Ours
					if which == "floor" {
						m = r.Floor
					}
					all = append(all, get(m))
				}
				return number(median(all))
			}
			cpu := func(group string) string { return side(func(m measured) float64 { return m.CPU[group] }) }
			fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", found.Name, which,
				side(func(m measured) float64 { return m.P50 }), side(func(m measured) float64 { return m.P95 }),
				side(func(m measured) float64 { return m.PerSecond }), cpu(groupWorkers), cpu(groupTemporal), cpu(groupVault), cpu(groupClient))
		}
	}
	wrote := false
	for _, found := range t.Results {
		for _, f := range found.Figures {
			if !wrote {
				out.WriteString("\n| beside it | figure | |\n|---|---|---|\n")
				wrote = true
			}
			fmt.Fprintf(out, "| %s | %s | %s |\n", found.Name, f.What, strings.TrimSpace(number(f.Value)+" "+f.Unit))
		}
	}
	for _, found := range t.Results {
		if found.Note != "" {
			fmt.Fprintf(out, "\n%s: %s\n", found.Name, found.Note)
		}
	}
}
