package publicaddr

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Finder asks. It may be used from several goroutines.
type Finder struct{ cfg Config }

// New makes a finder.
func New(c Config) *Finder {
	if c.Ways == nil {
		c.Ways = Defaults()
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Agent == "" {
		c.Agent = "hearthgate"
	}
	return &Finder{c}
}

// Ask asks all ways of a family at once, and takes at most Config.Timeout.
func (f *Finder) Ask(ctx context.Context, family Family) Result {
	ways := f.of(family)
	answers := make([]answer, len(ways))
	var wg sync.WaitGroup
	for i, w := range ways {
		wg.Go(func() { answers[i] = f.one(ctx, family, w) })
	}
	wg.Wait()
	return conclude(family, ways, answers)
}

func (f *Finder) of(family Family) (ways []Way) {
	for _, w := range f.cfg.Ways {
		if w.Family == "" || w.Family == family {
			ways = append(ways, w)
		}
	}
	return ways
}

// An answer is what one way answered.
type answer struct {
	addr    netip.Addr
	country string
	err     error
}

func (f *Finder) one(ctx context.Context, family Family, w Way) (a answer) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Timeout)
	defer cancel()
	if w.Mechanism == STUN {
		a.addr, a.err = askSTUN(ctx, family, w.At)
	} else {
		a = f.echo(ctx, family, w.At)
	}
	if a.err == nil && a.addr.Is4() != (family == IPv4) {
		a = answer{err: fmt.Errorf("it answered %s, which is not %s", a.addr, family)}
	}
	if a.err != nil {
		a.err = fmt.Errorf("asking %s for the public %s address by %s: %w", w.By, family, w.Mechanism, a.err)
	}
	return a
}

// unrouted tells whether err says that this machine has no way out over the family, rather than that somebody did not answer.
func unrouted(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
