package mcp

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/zap"
)

// view is which tools a caller wants and how.
type view struct {
	refs []connection.ToolkitRef
	// search offers three tools that find, describe and run actions, in place of one for each.
	search bool
	// output adds the schema of results to tools.
	output bool
}

// box is the tools of some toolkits, with the server that has them. It is shared by
// all sessions and requests of one caller that want the same.
type box struct {
	*core
	view
	server *sdk.Server
	// subject is whose it is; "" at the command line.
	subject string

	// looking is full while toolkits are looked at, so that many who ask at once ask once.
	looking chan struct{}
	mu      sync.Mutex
	tools   map[string]*tool
	// prints are the tools as they were last announced.
	prints map[string]string
	looked time.Time
	// failure is why the first look failed, at failedAt.
	failure  error
	failedAt time.Time
	used     time.Time
	// held counts the requests that are being answered with it.
	held int
}

func (c *core) newBox(v view) *box {
	b := &box{core: c, view: v, server: c.newServer(), looking: make(chan struct{}, 1), tools: map[string]*tool{}, prints: map[string]string{}, used: time.Now()}
	if v.search {
		b.addSearch()
	}
	b.server.AddReceivingMiddleware(b.lookFirst)
	return b
}

// lookFirst sees to it that a list is new, and that a tool that has just come can be called.
func (b *box) lookFirst(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, r sdk.Request) (sdk.Result, error) {
		b.touch()
		call, isCall := r.(*sdk.CallToolRequest)
		if method == "tools/list" || isCall && !b.search && b.tool(call.Params.Name) == nil {
			if err := b.look(ctx, b.pace.fresh); err != nil {
				b.Log.Warn("toolkits cannot be looked at; what was known of them stays", zap.Error(err))
			}
		}
		return next(ctx, method, r)
	}
}

func (b *box) touch() {
	b.mu.Lock()
	b.used = time.Now()
	b.mu.Unlock()
}

func (b *box) hold() {
	b.mu.Lock()
	b.held, b.used = b.held+1, time.Now()
	b.mu.Unlock()
}

func (b *box) release() {
	b.mu.Lock()
	b.held, b.used = b.held-1, time.Now()
	b.mu.Unlock()
}

func (b *box) tool(name string) *tool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tools[name]
}

// sorted are the tools by name.
func (b *box) sorted() []*tool {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]*tool, 0, len(b.tools))
	for _, name := range slices.Sorted(maps.Keys(b.tools)) {
		all = append(all, b.tools[name])
	}
	return all
}

// look asks which actions the toolkits have, unless that was asked less than age ago,
// and announces what is new. Tools of a toolkit that cannot be seen just now stay as
// they are. It fails where nothing could be seen and nothing is known; that is not tried
// again either for so long.
func (b *box) look(ctx context.Context, age time.Duration) error {
	select {
	case b.looking <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.looking }()
	if err := ctx.Err(); err != nil { // both may have been ready
		return err
	}
	b.mu.Lock()
	first, fresh := b.looked.IsZero(), time.Since(b.looked) < age
	failure := b.failure
	if time.Since(b.failedAt) >= age {
		failure = nil
	}
	known := maps.Clone(b.tools)
	b.mu.Unlock()
	switch {
	case first && failure != nil:
		return failure
	case !first && fresh:
		return nil
	}
	asker := ctx
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	found := map[string]*tool{}
	var failed error
	seen := 0
	for id, refs := range b.byConnection() {
		toolkits, err := b.toolkits(ctx, id)
		if err != nil {
			failed = err
			if t := connection.TypeOf(err); t == connection.ErrConnectionNotFound || t == connection.ErrUnknownEnvironment || t == connection.ErrUnknownApp {
				continue // its tools are gone with it
			}
			for name, tool := range known {
				if tool.ref.Connection == id {
					found[name] = tool
				}
			}
			continue
		}
		for _, ref := range refs {
			at := slices.IndexFunc(toolkits, func(t connection.Toolkit) bool { return t.Name == ref.Toolkit })
			if at < 0 {
				failed = connection.Refused(connection.ErrToolkitNotFound, id.String()+" has no toolkit "+ref.Toolkit, "see: connected-apps toolkits list "+id.String())
				continue
			}
			seen++
			b.put(found, ref, toolkits[at])
		}
	}
	if first && seen == 0 && failed != nil {
		if asker.Err() == nil { // whoever asks next may have more patience
			b.mu.Lock()
			b.failure, b.failedAt = failed, time.Now()
			b.mu.Unlock()
		}
		return failed
	}
	b.replace(found)
	return nil
}

func (b *box) byConnection() map[connection.ID][]connection.ToolkitRef {
	all := map[connection.ID][]connection.ToolkitRef{}
	for _, ref := range b.refs {
		all[ref.Connection] = append(all[ref.Connection], ref)
	}
	return all
}

func (b *box) toolkits(ctx context.Context, id connection.ID) ([]connection.Toolkit, error) {
	e, err := b.Environments.Of(id)
	if err != nil {
		return nil, err
	}
	var d workflows.Description
	d, err = e.Client.Describe(ctx, id)
	return d.Toolkits, err
}

func (b *box) put(found map[string]*tool, ref connection.ToolkitRef, toolkit connection.Toolkit) {
	app, err := b.Catalogue.App(ref.Connection.App())
	if err != nil {
		return // no definition, no words for a model
	}
	for _, id := range toolkit.Actions {
		if action, err := app.Action(id); err == nil {
			t := newTool(ref, action, b.output)
			found[t.shown.Name] = t
		}
	}
}

// replace announces the difference, and nothing where there is none.
func (b *box) replace(found map[string]*tool) {
	prints := map[string]string{}
	for name, t := range found {
		text, err := json.Marshal(t.shown)
		if err == nil {
			prints[name] = string(text)
		}
	}
	b.mu.Lock()
	was := b.prints
	b.tools, b.prints, b.looked = found, prints, time.Now()
	b.mu.Unlock()
	if b.search {
		return
	}
	var gone []string
	for name := range was {
		if _, ok := found[name]; !ok {
			gone = append(gone, name)
		}
	}
	if len(gone) > 0 {
		b.server.RemoveTools(gone...)
	}
	for name, t := range found {
		if was[name] != prints[name] {
			b.server.AddTool(t.shown, b.handler(t))
		}
	}
}

func (b *box) handler(t *tool) sdk.ToolHandler {
	return func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return b.run(ctx, r, t, r.Params.Arguments)
	}
}

// unused reports whether nobody uses it just now or has a session, and since when.
func (b *box) unused() (since time.Time, ok bool) {
	for range b.server.Sessions() {
		return time.Time{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used, b.held == 0
}

// idle reports whether nobody has used it for a while and nobody has a session.
func (b *box) idle() bool {
	since, ok := b.unused()
	return ok && time.Since(since) > b.pace.idle
}
