package witness

import (
	"cmp"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// Config is what a Server is made of. Book and Log are required; the zero value of every other field is what a witness on the internet
// uses, and the fields after Limits are for tests: no flag sets them.
type Config struct {
	Book    *Book
	Log     *slog.Logger
	Listen  string   // where it is asked; empty: ":8124"
	Control string   // where browsers are answered; empty: ":8123"; "off": nowhere
	Also    []uint16 // ports that may be looked at besides the list
	// Ready is called once everything listens, if it is set.
	Ready func(ask, control netip.AddrPort)

	Limits Limits
	Pace   Pace
	Now    func() time.Time
	// Public tells which callers are on the internet; nil: publicaddr.IsPublic.
	Public func(netip.Addr) bool
	// Own are this machine's own addresses with their networks; nil: the interfaces are asked.
	Own func() []netip.Prefix
	// Decoy chooses the port that nobody has opened; nil: a random one.
	Decoy func() uint16
}

// Limits bound what callers may cost. A zero field is as in DefaultLimits.
type Limits struct {
	PerAddress   int           // looks within Window
	PerNetwork   int           // looks within Window, of a /24 or a /64
	Window       time.Duration //
	PerMinute    int           // looks of everybody
	AtOnce       int           // looks of one source that run at the same time
	Connections  int           // of everybody
	PerSource    int           // connections of one source
	PerGuest     int           // looks within Window, of one invite, from wherever
	PerGuestOpen int           // connections of one invite
	Greetings    int           // challenges for one source within Window
	Remembered   int           // sources whose looks are counted
	Penalty      time.Duration // for asking again while refused; doubled each time
	MaxPenalty   time.Duration
	Greet        time.Duration // for a hello to be complete
	Ask          time.Duration // for a question to be complete
}

// DefaultLimits are those of facts/exposure.md F 4, and others for each invite: a home that asks over both families needs twelve.
var DefaultLimits = Limits{
	PerAddress: 6, PerNetwork: 12, Window: time.Hour, PerMinute: 60, AtOnce: 2, Connections: 256, PerSource: 4,
	Greetings: 90, Remembered: 16384, Penalty: time.Minute, MaxPenalty: time.Hour, Greet: 10 * time.Second, Ask: time.Minute,
	PerGuest: 24, PerGuestOpen: 8,
}

// Pace is how long things take. A zero field is as in DefaultPace.
type Pace struct {
	Jitter  time.Duration // at most, before the first probe
	Attempt time.Duration // for one connection
	Gap     time.Duration // between attempts at one port
	Tries   int           // at one port
	Copies  time.Duration // between the copies of one datagram
	Hop     time.Duration // for one packet that is to die on the way
	HopGap  time.Duration // between packets that die at the same router
	Show    time.Duration // for all fingerprints
	Whole   time.Duration // for one look
}

// DefaultPace is that of facts/exposure.md A4: a SYN that is lost twice is sent again after 3 s, so 8 s see a third one
// answered. A router sends about one ICMP error a second to one address (icmp(7), icmp_ratelimit).
var DefaultPace = Pace{
	Jitter: 3 * time.Second, Attempt: 8 * time.Second, Gap: 2 * time.Second, Tries: 3, Copies: 300 * time.Millisecond,
	Hop: 1500 * time.Millisecond, HopGap: 1100 * time.Millisecond, Show: 25 * time.Second, Whole: 150 * time.Second,
}

func (l Limits) whole() Limits {
	d := DefaultLimits
	return Limits{
		cmp.Or(l.PerAddress, d.PerAddress), cmp.Or(l.PerNetwork, d.PerNetwork), cmp.Or(l.Window, d.Window),
		cmp.Or(l.PerMinute, d.PerMinute), cmp.Or(l.AtOnce, d.AtOnce), cmp.Or(l.Connections, d.Connections),
		cmp.Or(l.PerSource, d.PerSource), cmp.Or(l.PerGuest, d.PerGuest), cmp.Or(l.PerGuestOpen, d.PerGuestOpen), cmp.Or(l.Greetings, d.Greetings), cmp.Or(l.Remembered, d.Remembered),
		cmp.Or(l.Penalty, d.Penalty), cmp.Or(l.MaxPenalty, d.MaxPenalty), cmp.Or(l.Greet, d.Greet), cmp.Or(l.Ask, d.Ask),
	}
}

func (p Pace) whole() Pace {
	d := DefaultPace
	return Pace{
		cmp.Or(p.Jitter, d.Jitter), cmp.Or(p.Attempt, d.Attempt), cmp.Or(p.Gap, d.Gap), cmp.Or(p.Tries, d.Tries),
		cmp.Or(p.Copies, d.Copies), cmp.Or(p.Hop, d.Hop), cmp.Or(p.HopGap, d.HopGap), cmp.Or(p.Show, d.Show),
		cmp.Or(p.Whole, d.Whole),
	}
}

// whole fills in what was left out.
func (c Config) whole() Config {
	c.Listen = cmp.Or(c.Listen, ":8124")
	c.Control = cmp.Or(c.Control, ":8123")
	c.Limits, c.Pace = c.Limits.whole(), c.Pace.whole()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Public == nil {
		c.Public = publicaddr.IsPublic
	}
	if c.Own == nil {
		c.Own = interfaces
	}
	if c.Decoy == nil {
		c.Decoy = randomHigh
	}
	if c.Ready == nil {
		c.Ready = func(netip.AddrPort, netip.AddrPort) {}
	}
	return c
}

// interfaces are this machine's addresses with their networks.
func interfaces() (out []netip.Prefix) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, netip.PrefixFrom(p.Addr().Unmap(), p.Bits()))
		}
	}
	return out
}

// Global are this machine's addresses of the public internet, for an invite.
func Global() (out []netip.Addr) {
	for _, p := range interfaces() {
		if publicaddr.IsPublic(p.Addr()) {
			out = append(out, p.Addr())
		}
	}
	return out
}

// GlobalAt are the same with a port, as many as an invite holds and of each family, if there is one.
func GlobalAt(port uint16) (out []string) {
	count := make(map[bool]int)
	for _, a := range Global() {
		if count[a.Is4()] < maxInviteAddress/2 {
			count[a.Is4()]++
			out = append(out, netip.AddrPortFrom(a, port).String())
		}
	}
	return out
}
