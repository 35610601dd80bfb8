package console

import (
	"context"
	"fmt"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

const (
	// slotTime bounds the question whether a name is free: the connect decides in the
	// end, and the page need not wait for it.
	slotTime = 3 * time.Second
	// maxProposals is how many names are tried before the person must find one.
	maxProposals = 9
)

// slot is a name with what is there already.
type slot struct {
	ID connection.ID
	// Taken: there is such a connection. UnderWay: it is being connected just now.
	Taken, UnderWay bool
	// Unknown: nobody could tell.
	Unknown bool
}

// Free reports whether the name can be had, as far as is known.
func (s slot) Free() bool { return s.ID != "" && !s.Taken && !s.UnderWay }

// slotOf finds out whether a display name's ID is free.
func slotOf(ctx context.Context, e backend.Environment, app, name string) slot {
	id, err := connection.NewID(e.Name, app, connection.Slugify(name))
	if err != nil {
		return slot{}
	}
	ctx, cancel := context.WithTimeout(ctx, slotTime)
	defer cancel()
	s := slot{ID: id}
	progress, err := e.Client.Progress(ctx, id)
	switch {
	case err == nil && !progress.Phase.Over():
		s.Taken = progress.Mode == workflows.ModeReplace
		s.UnderWay = !s.Taken
		return s
	case err != nil && connection.TypeOf(err) != connection.ErrSessionClosed:
		s.Unknown = true
		return s
	}
	_, err = e.Client.Describe(ctx, id)
	switch {
	case err == nil:
		s.Taken = true
	case connection.TypeOf(err) != connection.ErrConnectionNotFound:
		s.Unknown = true
	}
	return s
}

// proposeName is the app's own name, or that with a number, whichever is free first.
func proposeName(ctx context.Context, e backend.Environment, app, title string) (string, slot) {
	if connection.Slugify(title) == "" {
		title = app
	}
	name := title
	for n := 2; ; n++ {
		s := slotOf(ctx, e, app, name)
		if s.Free() || s.Unknown || n > maxProposals {
			return name, s
		}
		name = fmt.Sprintf("%s %d", title, n)
	}
}
