package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// The lines of the scoreboard that must stay zero.
const (
	lineAvoidable = "connections lost that could have been kept"
	lineAlerts    = "unavoidable losses without exactly one alert in time"
	lineBroken    = "operations that left something broken"
	lineHammered  = "dead grants asked about more than twice"
	lineDouble    = "double refreshes without a fault"
	linePresented = "tokens presented more than twice"
	lineRevoked   = "families revoked whose current pair Vault held"
	lineExpired   = "expired tokens sent to the API"
	lineTwice     = "effects carried out twice, or told wrongly"
	lineOrphans   = "secrets, workflows and grants left behind"
	lineCrowd     = "crowds of 500 that met a 401 with more than one token request"
	lineSlow      = "recoveries later than promised (p95)"
)

var lines = []string{lineAvoidable, lineAlerts, lineBroken, lineHammered, lineDouble, linePresented, lineRevoked, lineExpired, lineTwice, lineOrphans, lineCrowd, lineSlow}

const (
	// recovery is how soon after a crash a connection is looked at again, p95.
	recovery = 5 * time.Second
)

// board is what a campaign has found.
type board struct {
	Seed      uint64         `json:"seed"`
	Sweeps    int            `json:"sweeps"`
	Began     time.Time      `json:"began"`
	Seconds   float64        `json:"seconds"`
	Cells     int            `json:"cells"`       // connections that were taken to a point
	Came      int            `json:"came"`        // of these, at the point when it was struck
	Strikes   map[strike]int `json:"strikes"`     // cells, by what was done
	StoreMet  map[string]int `json:"store_met"`   // requests that met each store fault
	Unavoided int            `json:"unavoidable"` // connections that nobody could have kept
	Again     int            `json:"again"`       // connects that asked to authorize again
	// BeyondReach are grants that live on since nobody has their tokens any more.
	BeyondReach int            `json:"grants_beyond_reach"`
	EmptyCells  []string       `json:"empty_cells,omitempty"`
	Zeros       map[string]int `json:"zeros"`
	Findings    []string       `json:"findings,omitempty"`
	// Recovery of connections that were behind no intent, of those behind one, and until
	// the next request to the app, in seconds.
	Noticed  spread         `json:"noticed"`
	Behind   spread         `json:"behind_an_intent"`
	Resumed  spread         `json:"resumed"`
	Matrix   []matrixRow    `json:"matrix"`
	Told     []cellTold     `json:"every_cell"`
	Controls []controlTold  `json:"controls,omitempty"`
	counts   map[string]int // connections that were at the point, by point, mode and store
	verdicts []*verdict
	mu       sync.Mutex // of a campaign, whose lanes add to it
}

// spread is a distribution, in seconds.
type spread struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	Max float64 `json:"max"`
}

// matrixRow is a point with how its cells ended.
type matrixRow struct {
	Point    string `json:"point"`
	Cells    int    `json:"cells"`
	Came     int    `json:"came"`
	Kept     int    `json:"kept"`
	Lost     int    `json:"lost"`
	Findings int    `json:"findings"`
	Strikes  string `json:"strikes"`
	// Noticed is when a connection that was behind no intent was looked at again after a kill.
	Noticed spread `json:"noticed"`
}

// cellTold is one cell, for whoever looks for a pattern.
type cellTold struct {
	Point      string  `json:"point"`
	Strike     strike  `json:"strike"`
	Connection string  `json:"connection"`
	StoreAfter bool    `json:"store_after"`
	Late       bool    `json:"late"` // what was held arrived after the strike
	Came       bool    `json:"came"`
	Lost       bool    `json:"lost"`
	Behind     bool    `json:"behind_an_intent"`
	Noticed    float64 `json:"noticed_seconds"`
	Resumed    float64 `json:"resumed_seconds"`
	Took       float64 `json:"took_seconds"`
	Error      string  `json:"error,omitempty"`
	Findings   int     `json:"findings"`
	// Seen is what the gates saw of the connection, where something was found.
	Seen []string `json:"seen,omitempty"`
}

func tell(v *verdict) cellTold {
	c := v.cell
	told := cellTold{Point: c.point.name, Strike: c.strike, Connection: c.lane.key(c.subject), StoreAfter: c.storeAfter, Late: c.let == late, Came: c.came,
		Lost: v.lost, Behind: v.behind, Noticed: v.noticed.Seconds(), Resumed: v.resumed.Seconds(), Took: c.ended.Sub(c.began).Seconds(), Findings: len(v.findings), Seen: v.seen}
	if c.err != nil {
		told.Error = c.err.Error()
	}
	return told
}

func newBoard(seed uint64, sweeps int) *board {
	return &board{Seed: seed, Sweeps: sweeps, Began: time.Now().UTC(), Strikes: map[strike]int{}, Zeros: map[string]int{}, counts: map[string]int{}}
}

func (b *board) add(v *verdict) {
	c := v.cell
	b.verdicts = append(b.verdicts, v)
	b.Told = append(b.Told, tell(v))
	b.Cells++
	b.Strikes[c.strike]++
	if c.came || c.strike == calm {
		b.Came++
		b.counts[cellName(c.point, c.subject.mode, c.subject.store)]++
	}
	switch {
	case v.lost && c.point.op == opConnect:
		b.Again++
	case v.lost:
		b.Unavoided++
	}
	b.find(v.findings...)
}

func (b *board) find(findings ...finding) {
	for _, f := range findings {
		b.Zeros[f.line]++
		b.Findings = append(b.Findings, f.line+": "+f.what)
	}
}

// missed are the cells of a point in which nobody has been at it.
func (b *board) missed(p point, modes []mode, stores []string) []string {
	var names []string
	for _, m := range modes {
		for _, store := range stores {
			if name := cellName(p, m, store); b.counts[name] == 0 {
				names = append(names, name)
			}
		}
	}
	return names
}

func cellName(p point, m mode, store string) string { return p.name + " × " + m.name + " × " + store }

// close counts what can be counted only in the end.
func (b *board) close(met map[string]int, points []point, modes []mode, stores []string) {
	b.Seconds = time.Since(b.Began).Seconds()
	b.StoreMet = met
	for _, p := range points {
		row := matrixRow{Point: p.name}
		strikes := map[strike]bool{}
		var noticed []float64
		for _, v := range b.verdicts {
			if v.cell.point.name != p.name {
				continue
			}
			row.Cells++
			strikes[v.cell.strike] = true
			if v.cell.came {
				row.Came++
			}
			if v.lost {
				row.Lost++
			} else {
				row.Kept++
			}
			row.Findings += len(v.findings)
			if v.noticed > 0 && v.cell.strike == killWorker && !v.behind {
				noticed = append(noticed, v.noticed.Seconds())
			}
		}
		for _, how := range []strike{killWorker, killTwice, killGateway, partition, stall, loseAnswer, failAnswer, calm} {
			if strikes[how] {
				row.Strikes += " " + string(how)
			}
		}
		row.Strikes = strings.TrimSpace(row.Strikes)
		row.Noticed = spreadOf(noticed)
		b.Matrix = append(b.Matrix, row)
		b.EmptyCells = append(b.EmptyCells, b.missed(p, modes, stores)...)
	}
	var noticed, behind, resumed []float64
	for _, v := range b.verdicts {
		if v.noticed == 0 || v.cell.strike != killWorker {
			continue
		}
		if v.cell.subject.store != storeWell {
			continue // an attempt that the store had failed before has its own wait, and when the app is asked again depends on the store
		}
		if !v.behind {
			noticed = append(noticed, v.noticed.Seconds())
		}
		switch {
		case v.resumed == 0:
		case v.behind:
			behind = append(behind, v.resumed.Seconds())
		default:
			resumed = append(resumed, v.resumed.Seconds())
		}
	}
	b.Noticed, b.Behind, b.Resumed = spreadOf(noticed), spreadOf(behind), spreadOf(resumed)
	if b.Noticed.P95 > recovery.Seconds() {
		b.find(finding{lineSlow, fmt.Sprintf("looked at again after %.1f s (p95), promised are %s", b.Noticed.P95, recovery)})
	}
	if most := (budget + recovery).Seconds(); b.Behind.P95 > most {
		b.find(finding{lineSlow, fmt.Sprintf("behind an intent after %.1f s (p95), promised are %.0f s", b.Behind.P95, most)})
	}
}

func spreadOf(all []float64) spread {
	if len(all) == 0 {
		return spread{}
	}
	slices.Sort(all)
	at := func(share float64) float64 { return all[min(int(share*float64(len(all))), len(all)-1)] }
	return spread{len(all), at(0.5), at(0.95), all[len(all)-1]}
}

// good reports whether every zero is zero and every control has failed as it should.
func (b *board) good() bool {
	for _, n := range b.Zeros {
		if n > 0 {
			return false
		}
	}
	for _, c := range b.Controls {
		if !c.Caught {
			return false
		}
	}
	return len(b.EmptyCells) == 0
}

// print writes the tables for people, as Markdown.
func (b *board) print(out io.Writer) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	p("\nseed %d, %d sweeps, %.0f minutes, %s", b.Seed, b.Sweeps, b.Seconds/60, b.Began.Format(time.DateTime))
	p("%d cells of point × rotation × store; %d were at their point when it was struck; %d connections could not be kept by anybody, %d connects asked to authorize again, %d grants live on with tokens that nobody has",
		b.Cells, b.Came, b.Unavoided, b.Again, b.BeyondReach)
	p("\n| must be zero | found |\n|---|---:|")
	for _, line := range lines {
		p("| %s | %d |", line, b.Zeros[line])
	}
	p("| cells that nobody was in | %d |", len(b.EmptyCells))
	p("\n| seconds after SIGKILL, with the store well, until | n | p50 | p95 | most |\n|---|---:|---:|---:|---:|")
	for _, row := range []struct {
		name string
		s    spread
	}{{"Vault or the app is asked again, behind no intent", b.Noticed}, {"the app is asked again, behind no intent", b.Resumed}, {"the app is asked again, behind an open intent", b.Behind}} {
		p("| %s | %d | %.1f | %.1f | %.1f |", row.name, row.s.N, row.s.P50, row.s.P95, row.s.Max)
	}
	p("\n| point | struck by | cells | at the point | kept | lost to everybody | looked at again, p95 | findings |\n|---|---|---:|---:|---:|---:|---:|---:|")
	for _, row := range b.Matrix {
		p("| %s | %s | %d | %d | %d | %d | %.1f s | %d |", row.Point, row.Strikes, row.Cells, row.Came, row.Kept, row.Lost, row.Noticed.P95, row.Findings)
	}
	p("\n| store fault | requests that met it |\n|---|---:|")
	for _, kind := range storeFaults[1:] {
		p("| %s | %d |", kind, b.StoreMet[kind])
	}
	if len(b.Controls) > 0 {
		p("\n| control: without | must be found | found |\n|---|---|---:|")
		for _, c := range b.Controls {
			p("| %s | %s | %s |", c.Without, c.Line, cmp.Or(map[bool]string{true: fmt.Sprint(c.Found)}[c.Caught], "**nothing**"))
		}
	}
	if len(b.Findings) > 0 {
		p("\nwhat was found:")
		for _, f := range b.Findings {
			p("- %s", f)
		}
	}
}

// write leaves the board as JSON.
func (b *board) write(path string) error {
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
