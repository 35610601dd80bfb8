package backend

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectedapps/workflows"
)

// crowd answers pages of rows, slowly.
type crowd struct {
	Client
	rows  int
	asked atomic.Int32
	away  atomic.Bool
}

func (c *crowd) List(_ context.Context, _ workflows.Filter, size int, page []byte) ([]workflows.Row, []byte, error) {
	c.asked.Add(1)
	time.Sleep(100 * time.Millisecond)
	if c.away.Load() {
		return nil, nil, errors.New("away")
	}
	begin := len(page) * size
	n := min(size, c.rows-begin)
	if begin+n < c.rows {
		return make([]workflows.Row, n), make([]byte, len(page)+1), nil
	}
	return make([]workflows.Row, n), nil, nil
}

func TestListsAskOnceForManyWhoLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, lists := &crowd{rows: 2500}, &Lists{}
		e := Environment{Name: "development", Client: c}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if found, err := lists.Connections(t.Context(), e); err != nil || len(found.Rows) != 2500 || found.More {
					t.Errorf("%d rows, more %v, %v", len(found.Rows), found.More, err)
				}
			})
		}
		all.Wait()
		if n := c.asked.Load(); n != 3 {
			t.Errorf("three pages were asked for %d times", n)
		}
		time.Sleep(time.Millisecond)
		lists.Changed("development")
		time.Sleep(time.Millisecond)
		_, _ = lists.Connections(t.Context(), e)
		if n := c.asked.Load(); n != 6 {
			t.Errorf("after a change: %d", n)
		}
		time.Sleep(rowsLife)
		_, _ = lists.Connections(t.Context(), e)
		if n := c.asked.Load(); n != 9 {
			t.Errorf("after their life: %d", n)
		}
	})
}

func TestListsSayWhenThereIsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, lists := &crowd{rows: MaxRows + 1}, &Lists{}
		found, err := lists.Connections(t.Context(), Environment{Name: "development", Client: c})
		if err != nil || len(found.Rows) != MaxRows || !found.More {
			t.Errorf("%d rows, more %v, %v", len(found.Rows), found.More, err)
		}
	})
}

// While people look, nobody waits; afterwards, and once Temporal is away, nothing is asked.
func TestListsAreRenewedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, lists := &crowd{rows: 10}, &Lists{Ahead: time.Minute}
		e := Environment{Name: "development", Client: c}
		_, _ = lists.Connections(t.Context(), e)
		for range 20 {
			time.Sleep(4500 * time.Millisecond)
			began := time.Now()
			if _, err := lists.Connections(t.Context(), e); err != nil || time.Since(began) > 0 {
				t.Errorf("somebody waited %s, %v", time.Since(began), err)
			}
		}
		time.Sleep(2 * time.Minute)
		idle := c.asked.Load()
		time.Sleep(10 * time.Minute)
		if n := c.asked.Load(); n != idle {
			t.Errorf("asked %d times while nobody looked", n-idle)
		}
		_, _ = lists.Connections(t.Context(), e)
		c.away.Store(true)
		time.Sleep(30 * time.Second)
		failed := c.asked.Load()
		time.Sleep(30 * time.Second)
		if n := c.asked.Load(); n != failed {
			t.Errorf("asked %d times after a failure", n-failed)
		}
		if _, err := lists.Connections(t.Context(), e); err == nil {
			t.Error("what cannot be asked is answered from long ago")
		}
	})
}
