package mcp

import (
	"context"
	"io"
	"time"

	"connectedapps/connection"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/zap"
)

// Local serves toolkits to the one client that started this program, over its standard
// input and output, until ctx ends or the client goes. Whoever runs it is who calls:
// what they may do is decided by their own identity in Temporal and Vault. mode is that
// of [ParamMode]. It fails at once where none of the toolkits is there.
func Local(ctx context.Context, o Options, refs []connection.ToolkitRef, mode string, in io.ReadCloser, out io.WriteCloser) error {
	v, err := parseMode(mode)
	if err != nil {
		return err
	}
	c := newCore(o)
	c.local, v.refs = true, refs
	b := c.newBox(v)
	if err := b.look(ctx, c.pace.fresh); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		tick := time.NewTicker(c.pace.look)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := b.look(ctx, c.pace.fresh); err != nil && ctx.Err() == nil {
				c.Log.Warn("toolkits cannot be looked at; what was known of them stays", zap.Error(err))
			}
		}
	}()
	err = b.server.Run(ctx, &sdk.IOTransport{Reader: in, Writer: out})
	c.Stop()
	if ctx.Err() != nil {
		return nil
	}
	return err
}
