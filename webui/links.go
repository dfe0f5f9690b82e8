package webui

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/peers"
)

const (
	// linkFor is how long a link can be spent: long enough to be sent within the household and opened there.
	linkFor = 15 * time.Minute
	// linkBytes is 128 bits: it cannot be guessed, and fits into a message.
	linkBytes = 16
	// linksSize bounds the links that wait; what is above it pushes the oldest out.
	linksSize = 64
)

// links are the one-time addresses by which a phone gets its config without a camera. A link carries no key: the key is made
// when the link is spent. Looking at a link never spends it, for messengers look at what people send.
//
// Of a link only its hash is kept, in memory: a restart ends them all.
type links struct {
	now func() time.Time

	mu sync.Mutex
	of map[linkHash]link
}

// linkHash is by what a link is known here.
type linkHash [sha256.Size]byte

// link is what one is good for.
type link struct {
	peer  string
	until time.Time
	state standing // of the phone when the link was made
}

// standing is how a phone stands, as far as a link goes by it: a link ends with whatever makes another code, lets the phone in
// or shuts it out.
type standing struct {
	key      key.Public
	arrived  bool
	disabled bool
	void     bool // the server has another key
}

func standingOf(p peers.Peer) standing {
	return standing{key: p.Pair.PublicKey, arrived: !p.Pair.FirstHandshake.IsZero(), disabled: p.Disabled, void: p.NeedsEnrolment}
}

func newLinks() *links { return &links{now: time.Now, of: make(map[linkHash]link)} }

// hashLink takes what stands in an address, whatever that is.
func hashLink(token string) linkHash { return sha256.Sum256([]byte(token)) }

// issue gives a new link for a phone, which ends any that was made for it before.
func (l *links) issue(p peers.Peer) (token string, until time.Time) {
	token = randomHex(linkBytes)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(func(old link) bool { return old.peer == p.ID || !l.now().Before(old.until) })
	if len(l.of) >= linksSize {
		l.dropOldest()
	}
	until = l.now().Add(linkFor)
	l.of[hashLink(token)] = link{p.ID, until, standingOf(p)}
	return token, until
}

// look says what a link is for, as long as it can be spent.
func (l *links) look(token string) (link, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.of[hashLink(token)]
	return found, ok && l.now().Before(found.until)
}

// take spends a link: of any number who try at once, one has it.
func (l *links) take(token string) (link, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := hashLink(token)
	found, ok := l.of[h]
	delete(l.of, h)
	return found, ok && l.now().Before(found.until)
}

// giveBack undoes take, because what the link is for could not be done. A newer link for the same phone stays the only one.
func (l *links) giveBack(token string, taken link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, other := range l.of {
		if other.peer == taken.peer {
			return
		}
	}
	l.of[hashLink(token)] = taken
}

// forgetPeer ends a phone's link.
func (l *links) forgetPeer(peer string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(func(one link) bool { return one.peer == peer })
}

// clear ends all links.
func (l *links) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.of)
}

// What follows wants mu to be held.

func (l *links) drop(which func(link) bool) {
	for h, one := range l.of {
		if which(one) {
			delete(l.of, h)
		}
	}
}

func (l *links) dropOldest() {
	var oldest linkHash
	for h, one := range l.of {
		if o, ok := l.of[oldest]; !ok || one.until.Before(o.until) {
			oldest = h
		}
	}
	delete(l.of, oldest)
}

// randomHex is n random bytes in letters that survive every messenger and every address bar.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}
