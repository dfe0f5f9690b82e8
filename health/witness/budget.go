package witness

import (
	"container/list"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// budget counts looks. It remembers sources by a salted hash, so that nothing in memory says who asked, and no more of
// them than Limits.Remembered: the one that was idle longest is forgotten first.
type budget struct {
	limits Limits
	now    func() time.Time
	salt   [32]byte

	mu     sync.Mutex
	known  map[sourceKey]*list.Element // of *account
	order  *list.List                  // the latest in front
	minute []time.Time                 // looks of everybody, the oldest first
	guests map[publicKey][]time.Time   // looks by invite, whatever the address; there are as many as were invited, at most
}

type sourceKey [16]byte

type account struct {
	key     sourceKey
	looks   []time.Time // within the window, the oldest first
	greeted int         // since the hour began
	hour    time.Time
	running int
	refused int // times in a row that it asked while it was refused
	until   time.Time
}

func newBudget(l Limits, now func() time.Time) *budget {
	return &budget{
		limits: l, now: now, salt: newNonce(), known: make(map[sourceKey]*list.Element), order: list.New(),
		guests: make(map[publicKey][]time.Time),
	}
}

// greet counts a challenge, and tells whether the source may have it.
func (b *budget) greet(a netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, now := b.account(host(a)), b.now()
	if now.Sub(s.hour) >= b.limits.Window {
		s.greeted, s.hour = 0, now
	}
	s.greeted++
	return s.greeted <= b.limits.Greetings
}

// beginFor counts a look of a guest's as begin does, and against the invite: whoever has a large network has more addresses than
// budgets can be kept for, and would take the look of every minute from everybody else.
func (b *budget) beginFor(guest publicKey, a netip.Addr) (end func(), no *Refusal) {
	if no := b.guest(guest); no != nil {
		return nil, no
	}
	if end, no = b.begin(a); no != nil {
		return nil, no
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.guests[guest] = append(b.guests[guest], b.now())
	return end, nil
}

// guest refuses one whose invite was used often enough.
func (b *budget) guest(guest publicKey) *Refusal {
	b.mu.Lock()
	defer b.mu.Unlock()
	from := b.now().Add(-b.limits.Window)
	looks := recent(b.guests[guest], from)
	if b.guests[guest] = looks; len(looks) == 0 {
		delete(b.guests, guest)
	}
	if len(looks) >= b.limits.PerGuest {
		return &Refusal{Code: TooOften, Text: "your invite was used as often as this witness looks for one", Again: looks[0].Add(b.limits.Window)}
	}
	return nil
}

// begin counts a look, and returns how to end it; or refuses.
func (b *budget) begin(a netip.Addr) (end func(), no *Refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	one, many := b.account(host(a)), b.account(network(a))
	if now.Before(one.until) {
		return nil, b.punish(one, now)
	}
	if one.running >= b.limits.AtOnce {
		return nil, refuse(TooBusy, "two looks at your address run already")
	}
	from := now.Add(-b.limits.Window)
	one.looks, many.looks = recent(one.looks, from), recent(many.looks, from)
	b.minute = recent(b.minute, now.Add(-time.Minute))
	switch {
	case len(b.minute) >= b.limits.PerMinute:
		return nil, &Refusal{Code: TooOften, Text: "this witness is busy", Again: b.minute[0].Add(time.Minute)}
	case len(one.looks) >= b.limits.PerAddress:
		one.until = one.looks[0].Add(b.limits.Window)
		return nil, often(one.until)
	case len(many.looks) >= b.limits.PerNetwork:
		one.until = many.looks[0].Add(b.limits.Window)
		return nil, often(one.until)
	}
	one.looks, many.looks, b.minute = append(one.looks, now), append(many.looks, now), append(b.minute, now)
	one.refused = 0
	one.running++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		one.running--
	}, nil
}

// punish makes whoever asks again while refused wait longer, twice as long each time.
func (b *budget) punish(a *account, now time.Time) *Refusal {
	penalty := b.limits.MaxPenalty
	if a.refused < 16 {
		penalty = min(b.limits.Penalty<<a.refused, penalty)
	}
	a.refused++
	if until := now.Add(penalty); until.After(a.until) {
		a.until = until
	}
	return often(a.until)
}

func often(until time.Time) *Refusal {
	return &Refusal{Code: TooOften, Text: "your address was looked at as often as this witness does", Again: until}
}

// account finds what is remembered of a source. One that is running is never forgotten.
func (b *budget) account(p netip.Prefix) *account {
	sum := sha256.Sum256(append(b.salt[:], p.String()...))
	key := sourceKey(sum[:16])
	if e, ok := b.known[key]; ok {
		b.order.MoveToFront(e)
		return e.Value.(*account)
	}
	for e := b.order.Back(); e != nil && b.order.Len() >= b.limits.Remembered; {
		oldest, next := e.Value.(*account), e.Prev()
		if oldest.running == 0 {
			b.order.Remove(e)
			delete(b.known, oldest.key)
		}
		e = next
	}
	a := &account{key: key}
	b.known[key] = b.order.PushFront(a)
	return a
}

func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// recent drops the times up to from.
func recent(times []time.Time, from time.Time) []time.Time {
	for len(times) > 0 && !times[0].After(from) {
		times = times[1:]
	}
	if len(times) == 0 {
		return nil // lets go of the memory
	}
	return times
}
