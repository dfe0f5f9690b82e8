package webui

import (
	"slices"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/peers"
)

const (
	// onDesk is how long a config lies on the desk at most: long enough to install an app and to find the phone's glasses.
	onDesk = 10 * time.Minute
	// leavingFor is how long it lies there once its page was left: "reload" and "back" are leaving, too, and a second tab looks
	// like leaving until the first one looks again, which it does every 15 s.
	leavingFor = 30 * time.Second
	// lateWord is how long after a page was asked for "it was left" is about the one before it, which says so only when the
	// new one has begun to come: on "reload", say.
	lateWord = 3 * time.Second
	// deskSize bounds the desk, in configs. A household adds phones one by one; what is above it pushes the oldest off.
	deskSize = 64
)

// desk is where the config of a phone that has just been added lies until somebody has taken it: the only place, beside
// the answer to the one request that made it, where a phone's private key exists. What lies there is seen by its holder
// only, the browser that asked for it, and is forgotten by itself, whether anybody looks or not.
//
// Its times are time.Now's, with the monotonic reading: a Pi's wall clock jumps by years when the network time arrives.
type desk struct {
	now func() time.Time

	mu     sync.Mutex
	papers map[place]*lying
}

// place is where on the desk something lies: each browser has its own side of it. A holder is a session's id, or what
// spentBy makes of a spent link.
type place struct{ holder, peer string }

// paper is a config that may be looked at.
type paper struct {
	config     configText
	code       [][]bool   // as a QR code
	key        key.Public // the phone's, for which the config is
	name       string     // the phone's
	fileName   string     // without ".conf"
	endpoint   string     // HOST:PORT in it
	atHomeOnly bool       // that endpoint is reached at home only
	made       time.Time
	until      time.Time
}

// lying is a paper on the desk.
type lying struct {
	paper
	asked time.Time // when somebody went to its page; zero: nobody did yet
	last  time.Time // it is forgotten then, whatever is asked
	timer *time.Timer
}

func newDesk() *desk { return &desk{now: time.Now, papers: make(map[place]*lying)} }

// put lays a paper down for its holder and gives it back with its times. It is then the phone's only one: the phone has one
// newest key, and whatever lay there for an older one has become void.
func (d *desk) put(holder, peer string, p paper) paper {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(func(at place) bool { return at.peer == peer })
	if len(d.papers) >= deskSize {
		d.dropOldest()
	}
	p.made = d.now()
	p.until = p.made.Add(onDesk)
	at, l := place{holder, peer}, &lying{paper: p, last: p.until}
	l.timer = time.AfterFunc(onDesk, func() { d.expire(at, l) })
	d.papers[at] = l
	return p
}

// read gives what lies there for the holder.
func (d *desk) read(holder, peer string) (paper, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.find(place{holder, peer})
}

// only gives the one thing that lies there for a holder who can hold no more than one.
func (d *desk) only(holder string) (paper, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at := range d.papers {
		if at.holder == holder {
			return d.find(at)
		}
	}
	return paper{}, false
}

// stay is read by the page that shows the paper: whoever asks for it again has not left. opened is that a person went there, and
// not that an open page looks whether it has changed.
func (d *desk) stay(holder, peer string, opened bool) (paper, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := place{holder, peer}
	if _, ok := d.find(at); !ok {
		return paper{}, false
	}
	l := d.papers[at]
	d.until(at, l.last)
	if opened {
		l.asked = d.now()
	}
	return l.paper, true
}

// leave is told by a page which shows the paper that it was left.
func (d *desk) leave(holder, peer string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := place{holder, peer}
	if l, ok := d.papers[at]; ok && d.now().Sub(l.asked) >= lateWord {
		d.left(at)
	}
}

// leaveAllBut is told that the holder looks at something else now than at the paper of that peer; empty: than at any.
func (d *desk) leaveAllBut(holder, peer string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at := range d.papers {
		if at.holder == holder && at.peer != peer {
			d.left(at)
		}
	}
}

// forgetPeer takes away what lies there for a phone, whoever holds it.
func (d *desk) forgetPeer(peer string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(func(at place) bool { return at.peer == peer })
}

// forget takes away what a browser holds, because its session has ended.
func (d *desk) forget(holder string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(func(at place) bool { return at.holder == holder })
}

// keepOnly takes away what belongs to holders that are no more.
func (d *desk) keepOnly(is func(holder string) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(func(at place) bool { return !is(at.holder) })
}

// clear takes everything away.
func (d *desk) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(func(place) bool { return true })
}

// check takes away what the phone needs no more, or could not use: it has come in with that key, or it has another key by
// now, or the server has.
func (d *desk) check(p peers.Peer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(func(at place) bool {
		return at.peer == p.ID && (p.NeedsEnrolment || !p.Pair.FirstHandshake.IsZero() || p.Pair.PublicKey != d.papers[at].key)
	})
}

// peers lists for which phones something lies there.
func (d *desk) peers() (ids []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at := range d.papers {
		ids = append(ids, at.peer)
	}
	return ids
}

// What follows wants mu to be held.

func (d *desk) find(at place) (paper, bool) {
	l, ok := d.papers[at]
	if !ok || !d.now().Before(l.until) {
		return paper{}, false
	}
	return l.paper, true
}

func (d *desk) left(at place) {
	if l, ok := d.papers[at]; ok {
		d.until(at, slices.MinFunc([]time.Time{l.until, d.now().Add(leavingFor)}, time.Time.Compare))
	}
}

func (d *desk) until(at place, t time.Time) {
	l := d.papers[at]
	l.until = t
	l.timer.Reset(t.Sub(d.now()))
}

// expire forgets a paper whose time has come, unless somebody came back to it while the timer fired.
func (d *desk) expire(at place, l *lying) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.papers[at] == l && !d.now().Before(l.until) {
		delete(d.papers, at)
	}
}

func (d *desk) drop(which func(place) bool) {
	for at, l := range d.papers {
		if which(at) {
			l.timer.Stop()
			delete(d.papers, at)
		}
	}
}

func (d *desk) dropOldest() {
	var oldest place
	for at, l := range d.papers {
		if o, ok := d.papers[oldest]; !ok || l.made.Before(o.made) {
			oldest = at
		}
	}
	d.drop(func(at place) bool { return at == oldest })
}
