package web

import "context"

type stoppingKey struct{}

// WithStop is a context for all requests of a server, in which [Stopping] answers what
// is done when the server stops. The requests themselves go on.
func WithStop(ctx, stopping context.Context) context.Context {
	return context.WithValue(ctx, stoppingKey{}, stopping)
}

// Stopping is done when the server of a request stops: what lasts, such as a stream of
// events, ends then. Without [WithStop] it never is.
func Stopping(ctx context.Context) context.Context {
	if stopping, ok := ctx.Value(stoppingKey{}).(context.Context); ok {
		return stopping
	}
	return context.Background()
}
