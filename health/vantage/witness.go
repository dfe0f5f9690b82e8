package vantage

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/health/witness"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// WitnessConfig is what a Witness is made of.
type WitnessConfig struct {
	Setup  func() (health.Setup, error)
	Path   Path      // nil: there is none
	Canary *Canaries // nil: there is none; used where Facts.Canary says so
	Log    *slog.Logger
	Now    func() time.Time
	Client witness.Client // its zero value asks as usual

	// public and nearby are for tests on one machine. nil: publicaddr.IsPublic, and whether an address is in a network of this machine.
	public, nearby func(netip.Addr) bool
	// elsewhere tells whether packets from an address of ours come to the internet in another place. nil: overVPN.
	elsewhere func(netip.Addr) bool
}

// Witness asks all witnesses that are set up, over each family. See the package comment of witness for what one does.
//
// It can prove closed: the witness stands outside, sends our own tunnel a nonce before and after, says at which address it
// looked, and signs it. It can prove exposed: what it saw at an open port is compared with Home Assistant at home. It cannot
// prove what a network between it and us hides from it and not from others, nor anything about an address at which it did not
// look; and one that lies is believed, which is why there may be several.
type Witness struct {
	cfg  WitnessConfig
	mu   sync.Mutex
	last map[health.Family]sighting
}

// sighting is our own address, as somebody saw it.
type sighting struct {
	address netip.Addr
	at      time.Time
	from    string
}

var _ health.Vantage = (*Witness)(nil)

// witnessInterval is that of facts/exposure.md I4.
const witnessInterval = 6 * time.Hour

// NewWitness makes the vantage.
func NewWitness(c WitnessConfig) *Witness {
	if c.public == nil {
		c.public = publicaddr.IsPublic
	}
	if c.nearby == nil {
		c.nearby = isNearby
	}
	if c.elsewhere == nil {
		c.elsewhere = overVPN
	}
	return &Witness{cfg: c, last: make(map[health.Family]sighting)}
}

// Kind is health.Witness.
func (w *Witness) Kind() health.Kind { return health.Witness }

// Every is six hours.
func (w *Witness) Every() time.Duration { return witnessInterval }

// LastSeen is our public address as a witness signed it last, when, and which witness; the zero address: none has yet.
func (w *Witness) LastSeen(family health.Family) (address netip.Addr, at time.Time, from string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.last[family]
	return s.address, s.at, s.from
}

func (w *Witness) saw(family health.Family, address netip.Addr, from string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last[family] = sighting{address, w.cfg.Now(), from}
}

// seat is one witness that is set up.
type seat struct {
	name   string
	invite witness.Invite
	broken bool // the invite cannot be read
}

func (w *Witness) seats(ctx context.Context) (out []seat) {
	setup, err := w.cfg.Setup()
	if err != nil {
		w.cfg.Log.WarnContext(ctx, "no witness is asked", "err", err)
		return nil
	}
	for _, s := range setup.Witnesses {
		invite, err := witness.ParseInvite(s.Invite.Reveal())
		out = append(out, seat{s.Name, invite, err != nil})
	}
	return out
}

// Look asks each witness over each family that the home has, all at the same time.
func (w *Witness) Look(ctx context.Context, r health.Round) []health.Observation {
	var mu sync.Mutex
	var out []health.Observation
	var group sync.WaitGroup
	seats := w.seats(ctx)
	for _, family := range health.Families {
		plans := planWitness(r, family)
		if len(plans) == 0 || len(seats) == 0 {
			continue
		}
		group.Go(func() {
			canary := w.openCanary(ctx, r, family)
			if canary != nil {
				defer canary.Close()
			}
			var each sync.WaitGroup
			for _, s := range seats {
				each.Go(func() {
					l := &witnessLook{w: w, r: r, seat: s, family: family, canary: canary}
					l.all(ctx, plans)
					mu.Lock()
					defer mu.Unlock()
					out = append(out, l.seen...)
				})
			}
			each.Wait()
		})
	}
	group.Wait()
	slices.SortStableFunc(out, func(a, b health.Observation) int { return int(a.Port) - int(b.Port) })
	return out
}

// Addresses asks for our address over each family, one witness after the other until one tells. It costs none of the looks that a
// witness grants. What it learns, LastSeen tells, too.
func (w *Witness) Addresses(ctx context.Context) map[health.Family]netip.Addr {
	seats := w.seats(ctx)
	var mu sync.Mutex
	out := make(map[health.Family]netip.Addr)
	var group sync.WaitGroup
	for _, family := range health.Families {
		group.Go(func() {
			for _, s := range seats {
				if s.broken {
					continue
				}
				ex, err := w.cfg.Client.Address(ctx, s.invite, family)
				if err != nil || w.inside(ex) {
					continue
				}
				w.saw(family, ex.Address, s.name)
				mu.Lock()
				defer mu.Unlock()
				out[family] = ex.Address
				return
			}
		})
	}
	group.Wait()
	return out
}

// inside tells whether the witness that was asked stands in our own network, or on our own line.
func (w *Witness) inside(ex witness.Exchange) bool {
	return ex.Witness == ex.Address || !w.cfg.public(ex.Witness) || w.cfg.nearby(ex.Witness)
}

// isNearby tells whether an address is in a network to which this machine is connected.
func isNearby(a netip.Addr) bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(addrs, func(n net.Addr) bool {
		p, err := netip.ParsePrefix(n.String())
		return err == nil && p.Masked().Contains(a)
	})
}
