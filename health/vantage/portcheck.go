package vantage

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// PortCheck looks through ifconfig.co, which dials back the address that asks it. What it proves, and what it tells:
//
// It proves that something answers at the port, and not what. It never proves closed: its "no" is two seconds of silence, from one
// place, which may have been a lost packet.
//
// It only looks at the caller's own address. Over IPv6 that is this machine's, so that it is asked only where Home Assistant runs on
// this machine, and from that very address.
//
// ifconfig.co learns the home's address and the port. It wants at most one question a minute from a program, which is kept: a look
// that somebody waits for asks once, and says of the rest that it is too early.
type PortCheck struct {
	public Public
	pace   pace
}

// NewPortCheck makes the vantage.
func NewPortCheck(p Public) *PortCheck {
	return &PortCheck{public: p, pace: pace{most: 1, per: time.Minute + time.Second}}
}

// Kind is PortCheck.
func (p *PortCheck) Kind() health.Kind { return health.PortCheck }

// Every is a day.
func (p *PortCheck) Every() time.Duration { return day }

const portCheckName = "ifconfig.co"

// Look asks about Home Assistant's port and 8123, in each family that leads to Home Assistant.
func (p *PortCheck) Look(ctx context.Context, r health.Round) (seen []health.Observation) {
	if !p.public.on(func(s health.Setup) bool { return s.PortCheck }) {
		return nil
	}
	for _, family := range health.Families {
		from, ok := callers(r.Facts, family)
		if !ok {
			continue
		}
		for _, port := range homePorts(r) {
			seen = append(seen, p.one(ctx, r, family, from, port))
		}
	}
	return seen
}

// callers tells from which address to ask, so that what is dialled back is Home Assistant; invalid: whichever the kernel takes.
func callers(f health.Facts, family health.Family) (from netip.Addr, ok bool) {
	if family == health.IPv4 {
		return netip.Addr{}, f.Public[family].Standing != health.Absent
	}
	for _, a := range f.Home.Global6 {
		if slices.Contains(f.Own6, a) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

func (p *PortCheck) one(ctx context.Context, r health.Round, family health.Family, from netip.Addr, port uint16) health.Observation {
	kind := health.PortCheck
	target := from
	if known := r.Facts.Public[family]; family == health.IPv4 && known.Standing == health.Known {
		target = known.Address
	}
	o := r.Observe(kind, string(kind), portCheckName, family, target, port)
	if at, ok := p.turn(ctx, r); !ok {
		o.Why, o.Args = health.VantageBusy, health.Args{"from": portCheckName, "at": at.UTC().Format(time.RFC3339)}
		return o
	}
	r.Tell(kind, "asks "+portCheckName+" about port "+strconv.Itoa(int(port)))
	o.Began = r.Now()
	answer, err := p.ask(ctx, r, family, from, port)
	o.At = r.Now()
	if err == nil {
		answer.judge(&o, target)
		return o
	}
	service := p.public.service(portCheckName, "", nil)
	o.Why, o.Args = service.why(err)
	return o
}

// turn waits for our turn, unless somebody waits for us.
func (p *PortCheck) turn(ctx context.Context, r health.Round) (at time.Time, ok bool) {
	for {
		at, ok = p.pace.take(r.Now())
		wait := at.Sub(r.Now())
		if ok || r.Asked || wait > 2*time.Minute {
			return at, ok
		}
		select {
		case <-ctx.Done():
			return at, false
		case <-time.After(max(wait, time.Second)):
		}
	}
}

// A portAnswer is what ifconfig.co says.
type portAnswer struct {
	IP        netip.Addr `json:"ip"`
	Port      uint16     `json:"port"`
	Reachable *bool      `json:"reachable"`
}

func (p *PortCheck) ask(ctx context.Context, r health.Round, family health.Family, from netip.Addr, port uint16) (portAnswer, error) {
	s := p.public.service(portCheckName, "https://ifconfig.co", newClient(dialIn(family, from)))
	defer s.client.CloseIdleConnections()
	h, err := s.ask(ctx, http.MethodGet, "/port/"+strconv.Itoa(int(port)), nil, nil)
	if err != nil {
		return portAnswer{}, err
	}
	if h.status != http.StatusOK {
		if h.status == http.StatusTooManyRequests {
			p.pace.leave(r.Now().Add(h.again()))
		}
		return portAnswer{}, s.refused(h, r.Now())
	}
	var a portAnswer
	if json.Unmarshal(h.body, &a) != nil || a.Reachable == nil || a.Port != port || !a.IP.IsValid() {
		return portAnswer{}, s.trouble(health.VantageBroken)
	}
	a.IP = a.IP.Unmap()
	return a, nil
}

// dialIn dials in one family only, because the answer is about the address that asked; from an address, if it is valid.
func dialIn(family health.Family, from netip.Addr) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	network := "tcp4"
	if family == health.IPv6 {
		network = "tcp6"
	}
	if from.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, address)
	}
}

// judge writes into o what the answer means, where target is the address that should have been tried, if it is known.
func (a portAnswer) judge(o *health.Observation, target netip.Addr) {
	o.Args = health.Args{"from": portCheckName, "port": strconv.Itoa(int(o.Port))}
	if !publicaddr.IsPublic(a.IP) || target.IsValid() && a.IP != target {
		o.Why, o.Args["address"] = health.WrongTarget, a.IP.String()
		return
	}
	o.Address = a.IP
	if !*a.Reachable {
		o.Why = health.NothingThere
		return
	}
	o.State, o.Why, o.Controls.Address = health.PortOpen, health.OpenReported, health.HeldIf(target.IsValid())
	if !target.IsValid() {
		o.Controls.Address = health.NotTried
	}
}
