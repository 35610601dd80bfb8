package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// control is a worker with one guard taken out. A round with it must find what the
// guard is there for: a zero that cannot be anything else proves nothing.
type control struct {
	without string
	line    string // of the scoreboard
	edits   []edit
	point   string
	strike  strike
	modes   []string
	store   string // "" is none; it breaks after the strike
	action  string // "" leaves it to the round
	// crowd: the control is a crowd instead of a round.
	crowd bool
	// short: it runs in the short campaign too.
	short bool
}

// edit says what is taken out of the product's source.
type edit struct{ file, old, new string }

var noIntent = edit{"activities/spender_redeem.go",
	"version, err := s.a.Documents.Write(ctx, ref, stored.Document, stored.Version)\n\tif err == nil {\n\t\tstored.Version = version\n\t\treturn stored, nil",
	"version, err := stored.Version, error(nil)\n\tif err == nil {\n\t\tstored.Version = version\n\t\treturn stored, nil"}

var redeemTwice = edit{"activities/spender_redeem.go",
	"\t\treturn s.settle(ctx, ref, x, fresh, config, how.told)",
	"\t\tstored, err := s.settle(ctx, ref, x, fresh, config, how.told)\n\t\t_, _ = s.ask(ctx, x, config)\n\t\treturn stored, err"}

var controls = []control{
	{without: "the intent", line: lineAvoidable, edits: []edit{noIntent},
		point: "redeem, answered", strike: partition, modes: []string{"strict"}, short: true},
	{without: "storing until Vault takes it", line: lineAvoidable, edits: []edit{{"activities/settle.go",
		"time.Sleep(wait)\n\t\t\twait = min(2*wait, pollMax)\n\t\tcase current.RefreshedBy == me:",
		"_ = wait\n\t\t\treturn current, err\n\t\tcase current.RefreshedBy == me:"}},
		point: "settle, sent", strike: loseAnswer, modes: []string{"strict"}, store: storeSealed},
	{without: "redeeming once", line: lineRevoked, edits: []edit{redeemTwice},
		point: "calm", strike: calm, modes: []string{"strict"}},
	{without: "redeeming once, at an app that forgives it", line: lineDouble, edits: []edit{redeemTwice},
		point: "calm", strike: calm, modes: []string{"grace"}},
	{without: "the alert of a dead credential", line: lineAlerts, edits: []edit{{"workflows/entity_alerts.go",
		"news.Kind = connection.AlertExpired\n\t\treturn []AlertNews{news}", "return nil"}},
		point: "rejection, written", strike: calm, modes: []string{"strict"}, action: "list-contacts"},
	{without: "another try while an app is in trouble", line: lineBroken, edits: []edit{{"connection/errors.go",
		"Status: status, Verdict: Transient, Retryable: true}", "Status: status, Verdict: Transient, Retryable: false}"}},
		point: "action, answered", strike: failAnswer, modes: []string{"strict"}, action: "list-contacts"},
	{without: "a heartbeat that is missed soon", line: lineSlow, edits: []edit{{"workflows/options.go",
		"deadAfter = 3 * time.Second", "deadAfter = 20 * time.Second"}},
		point: "exchange, sent", strike: killWorker, modes: []string{"strict"}},
	{without: "the limit of two presentations", line: linePresented, edits: []edit{{"activities/spender.go", "tokenPresentations = 2", "tokenPresentations = 200"}},
		point: "redeem, answered", strike: killTwice, modes: []string{"grace"}},
	{without: "the mark on a dead generation", line: lineHammered, edits: []edit{{"activities/reject.go",
		"stored.Rejected = &connection.Rejection{Generation: stored.Generation, Verdict: connection.Revoked,\n\t\t\tReason: connection.Bound(reason, 200)}",
		"stored.Rejected = nil"}, {"activities/reject.go",
		"switch {\n\t\tcase err == nil:\n\t\t\treturn stored, s.tell(ctx, ref, stored)",
		"switch {\n\t\tcase err == nil:\n\t\t\treturn stored, connection.ReconnectRequired(ref.Connection, reason)"}},
		point: "rejection, written", strike: calm, modes: []string{"strict"}, action: "list-contacts"},
	{without: "the look at the expiry", line: lineExpired, edits: []edit{{"activities/use.go", "if expiring(stored, x) {", "if false && expiring(stored, x) {"}},
		point: "calm", strike: calm, modes: []string{"unexpired"}},
	{without: "the note before a request that must not be repeated", line: lineTwice,
		edits: []edit{{"activities/call.go", "if once && wasSending(ctx) {", "if false && once && wasSending(ctx) {"}},
		point: "action, answered", strike: killWorker, modes: []string{"strict"}, action: "create-key"},
	{without: "the revocation", line: lineOrphans, edits: []edit{{"activities/revoke.go",
		"offered, err := a.end(ctx, method, config, stored.Credential, stored.Intent != nil || stored.Rejected != nil)", "_ = config\n\toffered, err := true, error(nil)"}},
		point: "document, destroyed", strike: killWorker, modes: []string{"strict"}, short: true},
	{without: "the single flight and the intent", line: lineCrowd, edits: []edit{noIntent, {"activities/spender.go",
		"key := fmt.Sprintf(\"%s#%s#%d\", placeName(ref), ref.Grant, ref.Generation)\n\tif err", "key := fmt.Sprint(rand.Text())\n\tif err"}}, crowd: true},
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
	name := filepath.Join(dir, "without-"+strings.ReplaceAll(c.without, " ", "-"))
	replaced, texts := map[string]string{}, map[string]string{}
	for i, e := range c.edits {
		path := filepath.Join(root, filepath.FromSlash(e.file))
		if texts[path] == "" {
			source, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			texts[path], replaced[path] = string(source), fmt.Sprintf("%s-%d.go", name, i)
		}
		if n := strings.Count(texts[path], e.old); n != 1 {
			return "", fmt.Errorf("the control without %s no longer fits: %s holds %d times\n%s", c.without, e.file, n, e.old)
		}
		texts[path] = strings.Replace(texts[path], e.old, e.new, 1)
		if err := os.WriteFile(replaced[path], []byte(texts[path]), 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
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
	own := newBoard(0, 1)
	err := c.judge(ctx, own, l, dice, n)
	if again := l.exchange(ctx, honest); err == nil {
		err = again
	}
	own.close(nil, nil, nil, nil)
	told.Found = own.Zeros[c.line]
	told.Caught = told.Found > 0
	return told, err
}

// judge finds on a board of the control's own what the mutant has done.
func (c control) judge(ctx context.Context, own *board, l *lane, dice *rand.Rand, n int) error {
	if c.crowd {
		found, err := l.crowd(ctx, l.subjects[0])
		own.find(found...)
		return err
	}
	at := points[slices.IndexFunc(points, func(p point) bool { return p.name == c.point })]
	some := func(s *subject) bool {
		return slices.Contains(c.modes, s.mode.name) && s.store == cmp.Or(c.store, storeWell)
	}
	return l.only(some, c.action, c.store != "", func() error {
		for again := 0; again < moreRounds && own.Came == 0; again++ { // a round that nobody came to shows nothing
			cells, err := l.round(ctx, at, c.strike, dice, n+1000*again)
			if err != nil {
				return err
			}
			for _, cell := range cells {
				if err := c.judgeCell(ctx, own, cell); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (c control) judgeCell(ctx context.Context, own *board, cell *cell) error {
	v, err := cell.judge(ctx)
	if err != nil {
		return err
	}
	own.add(v)
	if cell.point.op != opDisconnect {
		return nil
	}
	// What a mutant left behind is not the product's.
	families, err := cell.lane.familiesOf(ctx, cell.subject)
	if err != nil {
		return err
	}
	for _, family := range families {
		if err := cell.lane.sandbox.revoke(ctx, family); err != nil {
			return err
		}
	}
	return nil
}

// exchange replaces the lane's worker.
func (l *lane) exchange(ctx context.Context, path string) error {
	l.mu.Lock()
	worker, link := l.worker, l.link
	l.workerPath = path
	l.mu.Unlock()
	l.end(worker, link)
	return l.startWorker(ctx)
}
