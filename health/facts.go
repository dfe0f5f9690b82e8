package health

import (
	"net/netip"
	"slices"
	"time"
)

// Facts are what is known of the household while one looks, and when one judges.
type Facts struct {
	Home    Home
	Public  map[Family]Public
	Changed map[Family]Change // what last changed such that nothing seen before it counts

	Seats  []Seat       // the vantages that are set up
	Canary bool         // closed also needs that a port which we opened was seen open
	Page   uint16       // TCP port of our own page; 0: there is none
	Own6   []netip.Addr // this machine's global IPv6 addresses
	Not6   []netip.Addr // Home Assistant's global addresses that no witness of ours may look at: another /64
	Known  []uint16     // ports of which the owner said that what answers there is not Home Assistant
	Names  []string     // by which a reverse proxy may know Home Assistant
	Cloud  bool         // Home Assistant can be reached through Nabu Casa
}

// Home is the household's Home Assistant.
type Home struct {
	Found   bool         // it is known where it is, and it answers
	Address netip.Addr   // on the LAN, or loopback
	Port    uint16       // that it really uses; 0: unknown
	Global6 []netip.Addr // its global IPv6 addresses that can be looked at
	IPv6    Standing     // Absent: it has no IPv6 address and there is no network that could give it one
}

// Standing says how well an address is known.
type Standing string

// The standings. The zero value is as good as Unknown.
const (
	Unknown   Standing = "unknown"
	Ambiguous Standing = "ambiguous" // sources disagree
	Known     Standing = "known"
	Absent    Standing = "absent" // the household has none of this family
)

// Public is the household's public address in one family. For IPv6 it is this machine's own.
type Public struct {
	Standing Standing
	Address  netip.Addr // of Known
	Shared   bool       // several households stand behind it: carrier-grade NAT, or another router on the way
	Said     []string   // who says what, for people
}

// Change is when something changed such that what was seen before says nothing any more.
type Change struct {
	At   time.Time `json:"at"`
	What Code      `json:"what"`
}

// Seat is a vantage that is set up.
type Seat struct {
	Kind Kind
	Name string // as in Observation.Seat
	Able bool   // it can prove closed: a witness, or Globalping with the canary
}

// Watched is a port and why it is looked at.
type Watched struct {
	Port uint16 `json:"port"`
	Role Role   `json:"role"`
}

// HomePort is Home Assistant's usual port. It is watched whatever port it uses.
const HomePort = 8123

// Doors80 are the ports behind which Home Assistant often stands.
var doors = []uint16{80, 443, 8443}

// Ports are those that every round looks at: Home Assistant's, 8123, 80, 443, 8443 and our own page's.
func (f Facts) Ports() []Watched {
	var out []Watched
	add := func(port uint16, role Role) {
		if port != 0 && !slices.ContainsFunc(out, func(w Watched) bool { return w.Port == port }) {
			out = append(out, Watched{port, role})
		}
	}
	add(f.Home.Port, RoleHome)
	add(HomePort, RoleHome)
	for _, port := range doors {
		add(port, RoleDoor)
	}
	add(f.Page, RolePage) // last: a page on port 80 of this machine says nothing of who is behind 80 elsewhere
	return out
}

// targets are the addresses at which a port of a role would be reached.
func (f Facts) targets(family Family, role Role) []netip.Addr {
	switch {
	case family == IPv6 && role == RolePage:
		return f.Own6
	case family == IPv6:
		return f.Home.Global6
	case f.Public[IPv4].Standing == Known:
		return []netip.Addr{f.Public[IPv4].Address}
	default:
		return nil
	}
}

// applies tells whether a family has to be looked at at all.
func (f Facts) applies(family Family) bool {
	if family == IPv6 {
		return f.Home.IPv6 != Absent
	}
	return f.Public[IPv4].Standing != Absent
}

// able are the seats whose word a closed needs: all witnesses, or Globalping where there is none.
func (f Facts) able() []Seat {
	var witnesses, others []Seat
	for _, s := range f.Seats {
		switch {
		case !s.Able:
		case s.Kind == Witness:
			witnesses = append(witnesses, s)
		default:
			others = append(others, s)
		}
	}
	if len(witnesses) > 0 {
		return witnesses
	}
	return others
}
