package vantage

import (
	"context"
	"net/netip"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// Globalping looks through public probes. What it proves, what it costs and what it tells strangers:
//
// It proves open: a probe somewhere on the internet made a TCP connection to the port. It proves closed only together with a canary,
// a port that we opened for the moment and that the very same probes saw open before and after: nothing else shows that their
// packets reach this home at all. Without one its closed is "path inferred".
//
// It cannot prove that no network on the internet gets in: three probes stand for it, in two networks at least, two of them on
// ordinary lines in the home's country where that is known. It does not try UDP.
//
// Who learns what: jsDelivr, which runs the service, learns the home's public address, the ports that are asked about and this
// machine's address; so do the hosts of the three probes, who are volunteers. The result is kept for at least 7 days and can be read
// by whoever has its id, which nobody is told. If the port is open, up to 10,000 characters of Home Assistant's manifest, which
// anybody could read there, are part of it. Never a name, a password or a token.
//
// It is rationed: at most 12 tests in a run (a test is one probe asked once), of 250 that an hour allows, besides those of the canary
// and those that find out who it is that answers. Only Home Assistant's port and 8123 are looked at, and in IPv6 only the first of its
// addresses.
type Globalping struct {
	// Doors has it look at 80, 443 and 8443 as well, which costs nine tests more in each family: without it a household that has
	// no witness is never told that these are closed. It is set before the first look.
	Doors bool

	service service
	public  Public
	open    GlobalpingOpener
	pace    pace
	pause   time.Duration // between two questions for a result
}

// A GlobalpingOpener opens a port at home for at most two minutes, at which something of ours listens; see FromCanaries.
type GlobalpingOpener func(ctx context.Context, family health.Family) (OpenPort, error)

// OpenPort is a port that is open for the moment.
type OpenPort struct {
	At    netip.AddrPort // as seen from outside. In IPv4 the public address is meant, whatever the address is here
	Sure  bool           // it must be seen open; otherwise a firewall on the way may hide it, so that its not being seen says nothing
	Seen  func() int     // how many came from outside since it was opened
	Close func()
}

// The service asks for at least half a second between two questions for a result (docs: 2 a second).
const globalpingPause = 500 * time.Millisecond

// NewGlobalping makes the vantage. open is nil where no port can be opened for it; it is only called when the household wants a
// canary.
func NewGlobalping(p Public, open GlobalpingOpener) *Globalping {
	return &Globalping{
		service: p.service("Globalping", "https://api.globalping.io", newClient(nil)), public: p, open: open,
		pace: pace{most: 5, per: time.Hour}, pause: globalpingPause,
	}
}

// Kind is Globalping.
func (g *Globalping) Kind() health.Kind { return health.Globalping }

// Every is a day.
func (g *Globalping) Every() time.Duration { return day }

// Look asks the probes, one family after the other, Home Assistant's own port first.
func (g *Globalping) Look(ctx context.Context, r health.Round) (seen []health.Observation) {
	setup, err := g.public.Setup()
	if err != nil || !setup.Globalping {
		return nil
	}
	defer g.service.client.CloseIdleConnections()
	var looks []*gpLook
	for _, family := range health.Families {
		target, why, ok := reachedAt(r.Facts, family)
		switch {
		case !ok:
		case why != "":
			seen = append(seen, g.untested(r, family, target, why, whyArgs(r.Facts, family, why))...)
		default:
			looks = append(looks, &gpLook{g: g, r: r, family: family, target: target})
		}
	}
	if len(looks) == 0 {
		return seen
	}
	if at, ok := g.pace.take(r.Now()); !ok {
		args := health.Args{"from": g.service.name, "at": at.UTC().Format(time.RFC3339)}
		for _, l := range looks {
			seen = append(seen, g.untested(r, l.family, l.target, health.VantageBusy, args)...)
		}
		return seen
	}
	ration(looks, homePorts(r), g.doors(r))
	for _, l := range looks {
		seen = append(seen, l.run(ctx, setup.Canary)...)
	}
	return seen
}

// untested says of all ports of a family why nobody looked.
func (g *Globalping) untested(r health.Round, family health.Family, target netip.Addr, why health.Code, args health.Args) (seen []health.Observation) {
	for _, port := range append(homePorts(r), g.doors(r)...) {
		o := r.Observe(health.Globalping, string(health.Globalping), g.service.name, family, target, port)
		o.Why, o.Args = why, args
		seen = append(seen, o)
	}
	return seen
}

func (g *Globalping) doors(r health.Round) (ports []uint16) {
	for _, w := range r.Ports {
		if g.Doors && w.Role == health.RoleDoor {
			ports = append(ports, w.Port)
		}
	}
	return ports[:min(len(ports), 3)]
}
