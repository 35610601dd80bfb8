package access

import (
	"sync"
	"time"
)

// cacheMost bounds each cache: more are open at the same time only under attack, and
// then each is opened anew.
const cacheMost = 4096

// cacheRoom is how much room is made at once: looking for what is old takes its time.
const cacheRoom = cacheMost / 8

// cache keeps answers for a while, by a hash of what was asked. Times are measured by
// the process's own monotonic clock: only how long ago something was is asked of it.
type cache[T any] struct {
	life time.Duration
	mu   sync.Mutex
	kept map[string]cached[T]
}

type cached[T any] struct {
	value T
	since time.Time
}

func newCache[T any](life time.Duration) *cache[T] {
	return &cache[T]{life: life, kept: map[string]cached[T]{}}
}

func (c *cache[T]) get(key string) (T, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.kept[key]
	if !ok || time.Since(found.since) >= c.life {
		var none T
		return none, false
	}
	return found.value, true
}

func (c *cache[T]) put(key string, value T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.makeRoom()
	c.kept[key] = cached[T]{value, time.Now()}
}

// claim puts the key in and reports whether it was not there before.
func (c *cache[T]) claim(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.kept[key]; ok && time.Since(found.since) < c.life {
		return false
	}
	c.makeRoom()
	c.kept[key] = cached[T]{since: time.Now()}
	return true
}

func (c *cache[T]) makeRoom() {
	if len(c.kept) < cacheMost {
		return
	}
	for key, one := range c.kept {
		if time.Since(one.since) >= c.life {
			delete(c.kept, key)
		}
	}
	for key := range c.kept {
		if len(c.kept) <= cacheMost-cacheRoom {
			return
		}
		delete(c.kept, key)
	}
}
