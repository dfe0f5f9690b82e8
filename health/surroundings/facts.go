package surroundings

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/netinfo"
)

// picture is all that one look has found.
type picture struct {
	now     time.Time
	setup   health.Setup
	state   homeassistant.State
	place   place
	network network
	own6    []netip.Addr
	near6   []netip.Addr
	far6    []netip.Addr
	outside map[health.Family][]seen
	public  map[health.Family]health.Public
}

// Facts looks, compares with what was there before, and keeps it.
func (s *Surroundings) Facts(ctx context.Context) (health.Facts, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	before, err := s.recall()
	if err != nil {
		return health.Facts{}, err
	}
	var p picture
	for range 2 { // what changed makes everything be asked again, once
		if p, err = s.picture(ctx, before); err != nil {
			return health.Facts{}, err
		}
		stepped := s.stepped(p.now, before.Snapshot)
		next, what := before.note(s.snapshot(p), stepped, p.outside)
		if err := s.keep(next); err != nil {
			return health.Facts{}, err
		}
		before = next
		if len(what) == 0 {
			break
		}
		for family, code := range what {
			s.cfg.Log.Info("the surroundings changed", "family", family, "what", code)
		}
		s.forget()
	}
	return s.facts(p, before), nil
}

func (s *Surroundings) picture(ctx context.Context, before *record) (p picture, err error) {
	p.now = s.cfg.Now()
	if p.setup, err = s.cfg.Setup(); err != nil {
		return p, err
	}
	p.state = s.cfg.Finder()
	s.everybody(ctx, p.setup, p.now)
	if p.network, err = s.kernel.network(); err != nil {
		return p, fmt.Errorf("looking at the network: %w", err)
	}
	if p.place, err = s.placeOf(ctx, p.state, p.network); err != nil {
		return p, err
	}
	if s.meet(ctx, p, before.Snapshot.Home) {
		if p.network, err = s.kernel.network(); err != nil {
			return p, fmt.Errorf("looking at the network: %w", err)
		}
	}
	p.network.deaf = !p.network.listensOn(cmp.Or(p.place.link, p.network.route[0].Link))
	not := call0(s.cfg.TunnelPrefixes)
	p.own6 = p.network.own6(not)
	all := sayings(p.place, p.network, p.own6, s.asks.heard.value, p.state.UUID, s.asks.places.value)
	p.near6, p.far6 = sort6(all, p.own6, not)
	s.judgeAddresses(&p, before, not)
	s.watchOver(p)
	return p, nil
}

// recently is how long ago an address of Home Assistant was there if it is asked for at every look: a kernel with many neighbours
// forgets each within a minute, and an address that comes and goes would make the verdict come and go.
const recently = 3 * time.Hour // the record is written hourly

// lost are the IPv6 addresses that Home Assistant had a while ago and that the kernel knows nothing of now.
func (p picture) lost(was HomeMark, within time.Duration) (out []netip.Addr) {
	if p.place.link == "" || was.Address != p.place.address {
		return nil
	}
	for text, at := range was.Global6 {
		addr, err := netip.ParseAddr(text)
		if err != nil || p.now.Sub(at).Abs() > within {
			continue
		}
		if macs, _ := p.network.macsOf(addr); len(macs) == 0 {
			out = append(out, addr)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

// meet has the kernel find out who is at the gateways' addresses, and which IPv6 addresses Home Assistant has, when that was not
// done lately. It tells whether the neighbour table may say more now.
func (s *Surroundings) meet(ctx context.Context, p picture, was HomeMark) bool {
	var home netip.Addr
	if p.place.link != "" {
		home = p.place.address
	}
	if p.now.Sub(s.asks.stirred).Abs() <= stirredAge && s.asks.met == home {
		lost := p.lost(was, recently)
		s.kernel.knock(ctx, p.place.link, lost...)
		return len(lost) > 0
	}
	s.asks.stirred, s.asks.met = p.now, home
	for _, r := range p.network.route {
		if macs, _ := p.network.macsOf(r.Gateway.WithZone(r.Link)); r.Gateway.IsValid() && len(macs) == 0 {
			s.kernel.knock(ctx, r.Link, r.Gateway)
		}
	}
	if link := p.place.link; link != "" {
		to := append(eui64(p.place.macs, p.network.onLink6), p.lost(was, remembered)...)
		s.kernel.stir(ctx, link, p.network.ownOn(link), to)
	}
	return true
}

// judgeAddresses finds the home's public address in both families.
func (s *Surroundings) judgeAddresses(p *picture, before *record, not []netip.Prefix) {
	p.outside = make(map[health.Family][]seen)
	for i, family := range health.Families {
		p.outside[family] = current(s.outside(i, family, p.setup), family, p.now, before.Since[family])
	}
	four := claims{outside: p.outside[health.IPv4], own: p.network.own4(not)}
	four.noWay = p.network.route[0].Link == "" && p.network.route[1].Link != "" && !p.place.address.Is4()
	if !p.place.here {
		four.home = p.place.address
	}
	if a := s.asks.router; a.ok && len(a.value.External) > 0 {
		four.router, four.routerSaid = a.value.Address(), true
	}
	six := claims{outside: p.outside[health.IPv6], own: p.own6}
	six.noWay = p.network.route[1].Link == "" && len(p.network.onLink6) == 0
	p.public = map[health.Family]health.Public{health.IPv4: public4(four), health.IPv6: public6(six)}
	for i, family := range health.Families {
		s.asks.unsure[i] = p.public[family].Standing == health.Ambiguous
	}
}

// placeOf says where Home Assistant is on the network.
func (s *Surroundings) placeOf(ctx context.Context, state homeassistant.State, n network) (p place, err error) {
	p.found = state.Phase == homeassistant.Found
	at, err := netip.ParseAddrPort(state.Addr)
	if err != nil {
		if at, err = resolve(ctx, state.Addr); err != nil {
			return place{}, nil //nolint:nilerr // a name that nobody knows is a place that is not known
		}
	}
	p.address, p.port = at.Addr().Unmap(), at.Port()
	if p.here, err = netinfo.IsOwn(p.address); err != nil {
		return place{}, fmt.Errorf("looking where Home Assistant is: %w", err)
	}
	if !p.here {
		p.macs, p.link = n.macsOf(p.address)
	}
	return p, nil
}

// snapshot is what a verdict rests on now.
func (s *Surroundings) snapshot(p picture) Snapshot {
	is := Snapshot{At: p.now, Witnesses: marks(p.setup), Down: !p.network.up}
	if four := p.public[health.IPv4]; four.Standing == health.Known {
		is.Public = four.Address
	}
	for _, a := range p.own6 {
		if prefix := network64(a); !slices.Contains(is.Prefixes, prefix) {
			is.Prefixes = append(is.Prefixes, prefix)
		}
	}
	for i, r := range p.network.route {
		is.Gateways[i] = Way{Link: r.Link, Gateway: r.Gateway}
		if macs, _ := p.network.macsOf(r.Gateway.WithZone(r.Link)); r.Gateway.IsValid() && len(macs) > 0 {
			is.Gateways[i].MAC = macs[0]
		}
	}
	if a := s.asks.router; a.ok {
		is.UDN, is.BootID, is.Epoch = a.value.UDN, a.value.BootID, a.value.Epoch
	}
	if p.place.found {
		is.Home = HomeMark{Address: p.place.address, Port: p.place.port, MACs: p.place.macs, Global6: make(map[string]time.Time)}
		for _, a := range slices.Concat(p.near6, p.far6) {
			is.Home.Global6[a.String()] = p.now
		}
		if p.place.here {
			is.Own = p.network.lasting()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	is.Home.Shown, is.Home.TLS = s.shown.IsHome(), s.shown.TLS
	return is
}

// facts puts together what health wants to know.
func (s *Surroundings) facts(p picture, r *record) health.Facts {
	places := s.asks.places.value
	f := health.Facts{
		Home: health.Home{
			Found: p.place.found && p.place.address.IsValid(), Address: p.place.address, Port: p.place.port, Global6: p.near6,
			IPv6: standing6(p.place, p.network, p.near6, p.far6, places),
		},
		Public: p.public, Changed: make(map[health.Family]health.Change),
		Seats: s.seats(p.setup), Canary: p.setup.Canary, Page: call0(s.cfg.PagePort),
		Own6: p.own6, Not6: p.far6, Known: slices.Clone(p.setup.Known),
		Names: names(p.setup.Names, call0(s.cfg.Names), hostOf(places.External)),
		Cloud: places.Cloud != "",
	}
	maps.Copy(f.Changed, r.Changed)
	return f
}

// seats are the vantages that are set up.
func (s *Surroundings) seats(setup health.Setup) (out []health.Seat) {
	add := func(really bool, kind health.Kind, able bool) {
		if really {
			out = append(out, health.Seat{Kind: kind, Name: string(kind), Able: able})
		}
	}
	for _, w := range setup.Witnesses {
		out = append(out, health.Seat{Kind: health.Witness, Name: w.Name, Able: true})
	}
	add(setup.Globalping, health.Globalping, setup.Canary) // without the canary its silence shows nothing
	add(true, health.Phone, false)
	add(setup.PortCheck, health.PortCheck, false)
	add(s.cfg.Router != nil, health.Router, false)
	add(true, health.Hairpin, false)
	add(setup.InternetDB, health.InternetDB, false)
	add(!setup.HomeToken.IsZero(), health.Notices, false)
	return out
}

// mostNames are tried at a reverse proxy.
const mostNames = 8

// names are host names, each once, in lower case; an address is none, and nor is one that only the LAN knows.
func names(lists ...[]string) (out []string) {
	for _, name := range slices.Concat(lists...) {
		name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
		_, err := netip.ParseAddr(name)
		local := strings.HasSuffix(name, ".local") || !strings.Contains(name, ".")
		if err != nil && !local && len(out) < mostNames && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func hostOf(text string) []string {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	return []string{u.Hostname()}
}

// call0 calls what may be nil.
func call0[T any](f func() T) (v T) {
	if f == nil {
		return v
	}
	return f()
}
