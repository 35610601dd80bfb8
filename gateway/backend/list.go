package backend

import (
	"context"
	"sync"
	"time"

	"connectedapps/workflows"
)

const (
	// MaxRows is how many connections of an environment are sorted and counted here,
	// since Temporal cannot. More are said to be more.
	MaxRows = 5000
	// rowsLife is how long a list is shown again without asking.
	rowsLife = 5 * time.Second
	// rowsPage is the largest page that Temporal gives.
	rowsPage = 1000
)

// Rows are the open connections of an environment as they were a few seconds ago.
type Rows struct {
	Rows []workflows.Row
	// More: there are further ones, which are not among them.
	More bool
	At   time.Time
}

// Lists keeps each environment's connections for a few seconds, so that sorting,
// paging and counting do not ask for all of them each time. The zero value is ready.
type Lists struct {
	mu   sync.Mutex
	kept map[string]*kept
}

type kept struct {
	mu   sync.Mutex // held while asking, so that many who look at once ask once
	rows Rows
}

// Connections answers the environment's connections; the slice is shared and must not be changed.
func (l *Lists) Connections(ctx context.Context, e Environment) (Rows, error) {
	k := l.of(e.Name)
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.rows.At.IsZero() && time.Since(k.rows.At) < rowsLife {
		return k.rows, nil
	}
	found := Rows{At: time.Now()}
	var page []byte
	for {
		rows, next, err := e.Client.List(ctx, workflows.Filter{}, rowsPage, page)
		if err != nil {
			return Rows{}, err
		}
		found.Rows = append(found.Rows, rows...)
		if len(next) == 0 {
			break
		}
		if len(found.Rows) >= MaxRows {
			found.Rows, found.More = found.Rows[:MaxRows], true
			break
		}
		page = next
	}
	k.rows = found
	return found, nil
}

// Changed forgets an environment's list: somebody has just changed one of its connections.
func (l *Lists) Changed(environment string) {
	k := l.of(environment)
	k.mu.Lock()
	k.rows = Rows{}
	k.mu.Unlock()
}

func (l *Lists) of(environment string) *kept {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		l.kept = map[string]*kept{}
	}
	if l.kept[environment] == nil {
		l.kept[environment] = &kept{}
	}
	return l.kept[environment]
}
