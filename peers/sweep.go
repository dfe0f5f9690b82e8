package peers

import (
	"fmt"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// How long Sweep lets its caller wait when nothing is due: while the clock is not
// synchronised, any minute may show that it was wrong.
const (
	sweepWithin         = 10 * time.Minute
	sweepWithinUnsynced = time.Minute
	sweepSoonest        = 10 * time.Millisecond // a clock that stands still does not spin the caller
)

// Sweep does what time has made due: it ends expired peers, the old pairs of
// rekeys, and the rest of addresses, and moves the clock's mark. While the clock
// is not synchronised it writes nothing; Allowed denies the same without it.
//
// Next is when to sweep again, also after an error. It carries Go's monotonic
// clock, so that time.Until(next) is right even while the wall clock jumps. Watch
// tells when time alone has let somebody in or out, even if the store cannot be
// written.
func (r *Registry) Sweep() (next time.Time, err error) {
	if err := r.mark.Advance(); err != nil {
		r.log.Warn("clock mark not saved", "err", err)
	}
	synced := r.mark.Synchronised()
	var due agenda
	err = r.view(func(tx *store.Tx, c *copied, now time.Time) error {
		due, err = readAgenda(tx, c, now, synced)
		return err
	})
	if err == nil {
		r.tellDenied(due.denied)
	}
	if err == nil && due.work {
		err = r.update(func(t *transaction) error {
			t.tx.OnCommit(r.notify)
			return t.sweep()
		})
	}
	if err != nil {
		return time.Now().Add(sweepWithinUnsynced), fmt.Errorf("sweeping the peers: %w", err)
	}
	return time.Now().Add(due.wait(r.Now(), synced)), nil
}

// tellDenied wakes the watchers when time alone let somebody in or out.
func (r *Registry) tellDenied(denied string) {
	r.mu.Lock()
	same := r.denied == denied
	r.denied = denied
	r.mu.Unlock()
	if !same {
		r.notify()
	}
}

// An agenda is what time has made due, and what comes next.
type agenda struct {
	work   bool // there is something to write
	next   time.Time
	denied string
}

// at notes something that falls due.
func (a *agenda) at(t time.Time) {
	if a.next.IsZero() || t.Before(a.next) {
		a.next = t
	}
}

func (a *agenda) wait(now time.Time, synced bool) time.Duration {
	wait := sweepWithin
	if !synced {
		wait = sweepWithinUnsynced
	}
	if !a.next.IsZero() {
		wait = min(wait, a.next.Sub(now))
	}
	return max(wait, sweepSoonest)
}

func readAgenda(tx *store.Tx, c *copied, now time.Time, synced bool) (a agenda, err error) {
	var denied strings.Builder
	err = c.each(func(id string, p *peerRecord) error {
		if p.endsBy(now) {
			denied.WriteString(id + " ")
		} else if !p.ExpiresAt.IsZero() {
			a.at(p.ExpiresAt)
		}
		if p.retiresBy(now) {
			denied.WriteString(id + "/old ")
		} else if p.Retiring != nil {
			a.at(p.RetireAt)
		}
		a.work = a.work || synced && p.isDue(now)
		return nil
	})
	if err != nil {
		return agenda{}, err
	}
	a.denied = denied.String()
	rests, err := restingIndexes(tx)
	for _, until := range rests {
		a.work = a.work || synced && restIsDue(until, now)
	}
	return a, err
}

// isDue holds when a synchronised clock changes the record.
func (p *peerRecord) isDue(now time.Time) bool {
	return p.retiresBy(now) || p.retiresTooLate(now) || p.endsBy(now) && !p.Expired
}

// retiresTooLate holds for a date that a clock far ahead must have made.
func (p *peerRecord) retiresTooLate(now time.Time) bool {
	return p.Retiring != nil && p.RetireAt.After(now.Add(retireAfter))
}

func restIsDue(until, now time.Time) bool {
	return !now.Before(until) || until.After(now.Add(restFor))
}

func (t *transaction) sweep() error {
	err := eachPeer(t.tx, func(id string, p *peerRecord) error {
		if !p.isDue(t.now) {
			return nil
		}
		return t.sweepPeer(id, p)
	})
	if err != nil {
		return err
	}
	return t.sweepRests()
}

func (t *transaction) sweepPeer(id string, p *peerRecord) error {
	if p.retiresTooLate(t.now) {
		p.RetireAt = t.now.Add(retireAfter)
	}
	var events []journal.Event
	if p.retiresBy(t.now) {
		if err := t.dropRetiring(p); err != nil {
			return err
		}
		events = append(events, changed("retiring", "true", "false",
			"the old key of %s is cut off: its new one was not used within %d hours", shown(p.Name), int(retireAfter.Hours())))
	}
	if p.endsBy(t.now) && !p.Expired {
		p.Expired = true
		events = append(events, journal.Event{
			Type: journal.PeerExpired, Message: "access of " + shown(p.Name) + " has ended, as set",
			Data: map[string]string{"expires_at": expiryText(p.ExpiresAt)},
		})
	}
	if err := putPeer(t.tx, id, *p); err != nil {
		return err
	}
	for _, e := range events {
		if err := t.record(id, p, e); err != nil {
			return err
		}
	}
	return nil
}

// sweepRests ends the rests that are over, and shortens those that a clock far
// ahead has made too long.
func (t *transaction) sweepRests() error {
	rests, err := restingIndexes(t.tx)
	if err != nil {
		return err
	}
	for index, until := range rests {
		switch {
		case !t.now.Before(until):
			err = store.Delete(t.tx, restingBucket, restingKey(index))
		case restIsDue(until, t.now):
			err = t.rest(index)
		}
		if err != nil {
			return fmt.Errorf("ending the rest of address %d: %w", index, err)
		}
	}
	return nil
}
