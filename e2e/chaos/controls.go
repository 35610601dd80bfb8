package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// control is a worker with one guard taken out. A round with it must find what the
// guard is there for: a zero that cannot be anything else proves nothing.
type control struct {
	without string
	line    string // of the scoreboard
	// file, old and new say what is taken out of the product's source.
	file, old, new string
	point          string
	strike         strike
	modes          []string
	// crowd: the control is a crowd instead of a round.
	crowd bool
	// short: it runs in the short campaign too.
	short bool
}

var controls = []control{
	{without: "the intent", line: lineAvoidable, file: "activities/spender_redeem.go",
		old:   "version, err := s.a.Documents.Write(ctx, ref, stored.Document, stored.Version)\n\tif err == nil {\n\t\tstored.Version = version\n\t\treturn stored, nil",
		new:   "version, err := stored.Version, error(nil)\n\tif err == nil {\n\t\tstored.Version = version\n\t\treturn stored, nil",
		point: "redeem, answered", strike: partition, modes: []string{"strict"}, short: true},
	{without: "the look at the clock after the intent", line: lineRevoked, file: "activities/spender.go",
		old: "if time.Since(sent) > presentWithin {", new: "if false && time.Since(sent) > presentWithin {",
		point: "intent, written", strike: stall, modes: []string{"strict"}},
	{without: "storing until Vault takes it", line: lineAvoidable, file: "activities/settle.go",
		old:   "time.Sleep(wait)\n\t\t\twait = min(2*wait, pollMax)\n\t\tcase current.RefreshedBy == me:",
		new:   "_ = wait\n\t\t\treturn current, err\n\t\tcase current.RefreshedBy == me:",
		point: "settle, sent", strike: loseAnswer, modes: []string{"strict"}},
	{without: "the limit of two presentations", line: linePresented, file: "activities/spender.go",
		old: "tokenPresentations = 2", new: "tokenPresentations = 200",
		point: "redeem, answered", strike: killTwice, modes: []string{"grace"}},
	{without: "the mark on a dead generation", line: lineHammered, file: "activities/settle.go",
		old:   "_, err = s.a.Documents.Write(ctx, ref, stored.Document, stored.Version)\n\t\tswitch {\n\t\tcase err == nil:\n\t\t\treturn stored, s.tell(ctx, ref, stored)",
		new:   "switch {\n\t\tcase err == nil:\n\t\t\treturn stored, connection.ReconnectRequired(ref.Connection, reason)",
		point: "rejection, written", strike: calm, modes: []string{"strict"}},
	{without: "the look at the expiry", line: lineExpired, file: "activities/use.go",
		old: "if expiring(stored, x) {", new: "if false && expiring(stored, x) {",
		point: "calm", strike: calm, modes: []string{"unexpired"}},
	{without: "the note before a request that must not be repeated", line: lineTwice, file: "activities/call.go",
		old: "if once && wasSending(ctx) {", new: "if false && once && wasSending(ctx) {",
		point: "action, answered", strike: killWorker, modes: []string{"none", "strict", "grace"}},
	{without: "the revocation", line: lineOrphans, file: "activities/revoke.go",
		old: "offered, err := a.end(ctx, method, config, stored.Credential)", new: "_ = config\n\toffered, err := true, error(nil)",
		point: "document, destroyed", strike: killWorker, modes: []string{"strict"}, short: true},
	{without: "the single flight and the compare-and-set", line: lineCrowd, file: "activities/spender.go",
		old: "key := fmt.Sprintf(\"%s#%s#%d\", placeName(ref), ref.Grant, ref.Generation)\n\tif err", new: "key := rand.Text()\n\tif err",
		crowd: true},
}

// controlTold is what a control has found.
type controlTold struct {
	Without string `json:"without"`
	Line    string `json:"line"`
	Found   int    `json:"found"`
	Caught  bool   `json:"caught"`
}

// mutant builds a package with the control's guard taken out, by an overlay: the source
// stays as it is. The worker is what a round needs; any other package is only compiled.
func (c control) mutant(ctx context.Context, root, dir, target string) (string, error) {
	path := filepath.Join(root, filepath.FromSlash(c.file))
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), c.old); n != 1 {
		return "", fmt.Errorf("the control without %s no longer fits: %s holds %d times\n%s", c.without, c.file, n, c.old)
	}
	name := filepath.Join(dir, "without-"+strings.ReplaceAll(c.without, " ", "-"))
	if err := os.WriteFile(name+".go", []byte(strings.Replace(string(source), c.old, c.new, 1)), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: name + ".go"}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(name+".json", overlay, 0o600); err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-overlay", name+".json", "-o", name, target)
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the mutant without %s: %w\n%s", c.without, err, said)
	}
	return name, nil
}

// run lets a mutant work in a lane for one round, and gives the lane its worker back.
func (c control) run(ctx context.Context, l *lane, worker string, dice *rand.Rand, n int) (controlTold, error) {
	told := controlTold{Without: c.without, Line: c.line}
	honest := l.workerPath
	if err := l.exchange(ctx, worker); err != nil {
		return told, err
	}
	found, err := c.findings(ctx, l, dice, n)
	if again := l.exchange(ctx, honest); err == nil {
		err = again
	}
	for _, f := range found {
		if f.line == c.line {
			told.Found++
		}
	}
	told.Caught = told.Found > 0
	return told, err
}

func (c control) findings(ctx context.Context, l *lane, dice *rand.Rand, n int) ([]finding, error) {
	if c.crowd {
		return l.crowd(ctx, l.subjects[0])
	}
	var at point
	for _, p := range points {
		if p.name == c.point {
			at = p
		}
	}
	all := l.subjects
	defer func() { l.subjects = all }()
	l.subjects = nil
	for _, s := range all {
		for _, name := range c.modes {
			if s.mode.name == name && s.store == storeWell {
				l.subjects = append(l.subjects, s)
			}
		}
	}
	cells, err := l.round(ctx, at, c.strike, dice, n)
	if err != nil {
		return nil, err
	}
	var found []finding
	for _, cell := range cells {
		v, err := cell.judge(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, v.findings...)
	}
	return found, nil
}

// exchange replaces the lane's worker.
func (l *lane) exchange(ctx context.Context, path string) error {
	l.mu.Lock()
	worker, link := l.worker, l.link
	l.workerPath = path
	l.mu.Unlock()
	worker.kill()
	link.Stop()
	return l.startWorker(ctx)
}
