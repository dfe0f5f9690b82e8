// Package link joins wireguard-go to a userspace network stack: one end is the tun.Device that wireguard-go reads and
// writes, the other is the link endpoint of a gVisor stack.
//
// It keeps true that the stack sees only packets that a phone may send us: whole, from an address of the tunnel networks,
// to an address of ours, and of the protocols that we speak. Everything else ends here, so that nothing behind the link
// needs to know what a hostile phone can put into a packet, and nothing can ever be forwarded.
//
// Its nouns: a Link is both ends; inbound is what came from a phone and goes into the stack, outbound is what the stack
// sends to a phone; the home of a family is our address there, a second one that some phones know, and the network around
// both; a verdict says what becomes of
// an inbound packet; the queue holds outbound packets until wireguard-go reads them.
//
// What it never does: it never lets one phone use up what another needs (the answers it sends to phones are limited for each
// of them), never grows with traffic, never waits for ever, and never panics on what it is given. It knows neither peers
// nor keys: wireguard-go has vouched for the source address of every packet before it comes here.
package link

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"golang.zx2c4.com/wireguard/tun"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// MTU is the largest packet that we send into a tunnel. Both WireGuard apps set 1280 on the phone's interface when the
// config names no MTU, and ours names none; 1280 is also the least that IPv6 permits (RFC 8200, section 5), so that it fits
// through every path. A phone that sends larger packets is understood all the same.
const MTU = 1280

// batch is how many packets wireguard-go may move in one call. Its own UDP socket on Linux moves 128 and the device takes
// the larger of the two, so that fewer here would save no memory and more would cost some.
const batch = 128

// Link is the pair of ends. It is ready as soon as it is made; it is used by wireguard-go and by the stack at once from
// many goroutines.
type Link struct {
	mtu    int
	homes  []home
	out    *queue
	events chan tun.Event
	errs   *limiter // ICMP errors that leave, for each phone
	pieces *limiter // fragments that enter, for each phone
	toward atomic.Pointer[stack.NetworkDispatcher]
	once   sync.Once
}

var _ tun.Device = (*Link)(nil)

// home is our address in one family and the tunnel network that it lies in, and perhaps a second address of ours there.
type home struct {
	addr   netip.Addr
	second netip.Addr // zero: none
	net    netip.Prefix
}

// isOurs says whether a is an address of ours.
func (h home) isOurs(a netip.Addr) bool { return a == h.addr || a == h.second }

// New makes a link for our tunnel addresses, each given with the length of its network (10.83.16.1/20): one of IPv4, one
// of IPv6, or both; a second one of a family lies in the network of the first. ICMP errors come from the first. The MTU is in bytes and lies between 1280 and 65535.
func New(mtu int, addrs ...netip.Prefix) (*Link, error) {
	if mtu < MTU || mtu > 65535 {
		return nil, fmt.Errorf("making the link: mtu %d is not between %d and 65535", mtu, MTU)
	}
	l := &Link{
		mtu:    mtu,
		out:    newQueue(queueLength),
		events: make(chan tun.Event, 1),
		errs:   newLimiter(errorRate, errorBurst),
		pieces: newLimiter(fragmentRate, fragmentBurst),
	}
	for _, p := range addrs {
		if !p.IsValid() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
			return nil, fmt.Errorf("making the link: %q is not a tunnel address with its network's length", p)
		}
		if err := l.settle(p); err != nil {
			return nil, err
		}
	}
	if len(l.homes) == 0 {
		return nil, errors.New("making the link: no tunnel address given")
	}
	l.events <- tun.EventUp
	return l, nil
}

// settle makes p an address of ours.
func (l *Link) settle(p netip.Prefix) error {
	for i := range l.homes {
		h := &l.homes[i]
		switch {
		case h.addr.Is4() != p.Addr().Is4():
			continue
		case h.second.IsValid(), h.addr == p.Addr():
			return fmt.Errorf("making the link: %q is one address too many of its family", p)
		case h.net != p.Masked():
			return fmt.Errorf("making the link: %q is not in the network of %q", p, h.addr)
		case h.manyAt(p.Addr()):
			return fmt.Errorf("making the link: %q is not the address of one host", p)
		}
		h.second = p.Addr()
		return nil
	}
	l.homes = append(l.homes, home{addr: p.Addr(), net: p.Masked()})
	return nil
}

// home gives our home in the family of addr.
func (l *Link) home(addr netip.Addr) (home, bool) {
	for _, h := range l.homes {
		if h.addr.Is4() == addr.Is4() {
			return h, true
		}
	}
	return home{}, false
}

// Name implements tun.Device: what UAPI and wireguard-go's log call the interface.
func (l *Link) Name() (string, error) { return "hearthgate", nil }

// File implements tun.Device: there is no file behind this one.
func (l *Link) File() *os.File { return nil }

// MTU implements tun.Device.
func (l *Link) MTU() (int, error) { return l.mtu, nil }

// BatchSize implements tun.Device.
func (l *Link) BatchSize() int { return batch }

// Events implements tun.Device: one tun.EventUp is waiting in it from the start, and Close closes it.
func (l *Link) Events() <-chan tun.Event { return l.events }

// Lost says how many packets found no room on their way to wireguard-go. It should stay at nothing but for resets and ICMP.
func (l *Link) Lost() uint64 { return l.out.lost.Load() }

// Close ends the link, may be called any number of times and from anywhere, and wakes a Read that waits. Packets that are
// still queued are dropped. The stack is its maker's to destroy; the link then swallows what the stack sends.
func (l *Link) Close() error {
	l.once.Do(func() {
		l.out.close()
		close(l.events)
	})
	return nil
}
