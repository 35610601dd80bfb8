package deployment

import (
	"context"
	"net"
	"testing"
	"time"

	"connectedapps/connection"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	_ "google.golang.org/grpc/encoding/gzip" // so that the server understands it
)

// encodings tells how each request was compressed; "" for not at all.
type encodings chan string

func (e encodings) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (e encodings) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (e encodings) HandleConn(context.Context, stats.ConnStats)                       {}
func (e encodings) HandleRPC(_ context.Context, s stats.RPCStats) {
	if header, ok := s.(*stats.InHeader); ok {
		select {
		case e <- header.Compression:
		default:
		}
	}
}

func TestMessagesToTemporalAreCompressedWhereItIsAskedFor(t *testing.T) {
	seen := make(encodings, 1)
	server := grpc.NewServer(grpc.StatsHandler(seen), grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		return status.Error(codes.PermissionDenied, "this is no Temporal")
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	t.Setenv("TEMPORAL_ADDRESS", listener.Addr().String())
	for set, want := range map[string]string{"": "", "false": "", "true": "gzip"} {
		t.Setenv("CONNECTED_APPS_TEMPORAL_GZIP", set)
		s, err := Read()
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Temporal("development", zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if _, err := c.CheckHealth(ctx, &client.CheckHealthRequest{}); err == nil {
			t.Error("it took a server for Temporal that is none")
		}
		cancel()
		c.Close()
		if got := <-seen; got != want {
			t.Errorf("set to %q: compressed with %q, want %q", set, got, want)
		}
	}
	t.Setenv("CONNECTED_APPS_TEMPORAL_GZIP", "perhaps")
	if _, err := Read(); connection.TypeOf(err) != connection.ErrInvalidInput {
		t.Errorf("perhaps: %v", err)
	}
}
