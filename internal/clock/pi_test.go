package clock

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// pi is a machine whose clock can be wrong. Its time passes with the test's; what it shows can be set apart from that.
type pi struct {
	t      *testing.T
	dir    string
	store  *store.Store
	mark   *Mark
	shows  time.Time // at the moment set
	set    time.Time
	synced bool
}

func (p *pi) Now() time.Time     { return p.shows.Add(time.Since(p.set)) }
func (p *pi) Synchronised() bool { return p.synced }

// setClock makes the clock show another time from now on.
func (p *pi) setClock(shows time.Time, synced bool) {
	p.shows, p.set, p.synced = shows, time.Now(), synced
}

// powerOn starts the machine with a clock that shows what it may.
func (p *pi) powerOn(shows time.Time, synced bool) {
	p.t.Helper()
	st, err := store.Open(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	p.setClock(shows, synced)
	p.store, p.mark = st, NewMark(st, p)
}

func (p *pi) powerOff() {
	p.t.Helper()
	if err := p.store.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// run lets time pass as the daemon does, which advances the mark every minute.
func (p *pi) run(d time.Duration) {
	p.t.Helper()
	for ; d > 0; d -= time.Minute {
		time.Sleep(min(d, time.Minute))
		p.advance()
	}
}

func (p *pi) advance() {
	p.t.Helper()
	if err := p.mark.Advance(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pi) expect(what string, effective time.Time, synced bool) {
	p.t.Helper()
	if got := p.mark.Effective(); !got.Equal(effective) {
		p.t.Errorf("%s: effective time is %v, want %v", what, got.UTC(), effective)
	}
	if got := p.mark.Synchronised(); got != synced {
		p.t.Errorf("%s: synchronised is %v", what, got)
	}
}

// saved is what a restart would find.
func (p *pi) saved() (t time.Time) {
	p.t.Helper()
	err := p.store.View(func(tx *store.Tx) error {
		r, _, err := store.Get[record](tx, bucket, markKey)
		t = r.Time
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return t
}

func story(t *testing.T, tell func(p *pi)) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		p := &pi{t: t, dir: dir}
		tell(p)
		p.powerOff()
	})
}
