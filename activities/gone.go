package activities

import (
	"context"

	"connectedapps/connection"

	"go.uber.org/zap"
)

// gone says why there is no document: the connection was disconnected, or never
// made. Temporal is asked once; when it cannot tell, the plain word is true as well.
func (a *Activities) gone(ctx context.Context, id connection.ID) error {
	at, err := a.Workflows.Disconnected(ctx, id)
	if err != nil {
		a.Log.Warn("when a connection was disconnected could not be found out", zap.String("connection", id.String()), zap.Error(err))
	}
	if err != nil || at.IsZero() {
		return connection.NotFound(id)
	}
	return connection.Disconnected(id, at)
}
