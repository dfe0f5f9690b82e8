package vantage

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/health/witness"
)

// witnessPlan is one question to a witness.
type witnessPlan struct {
	from    netip.Addr // of ours, from which it must be asked; zero: any
	targets []witness.Target
	barred  bool // nobody may ask for these: we have no address in their network
}

// planWitness is what has to be asked over one family; nothing, if the home has none of that family.
func planWitness(r health.Round, family health.Family) []witnessPlan {
	ports := slices.Clone(r.Ports)
	// What is looked at weekly comes last: a witness that has had enough by then has answered what matters.
	slices.SortStableFunc(ports, func(a, b health.Watched) int { return cmp.Compare(late(a), late(b)) })
	if family == health.IPv4 {
		if r.Facts.Public[health.IPv4].Standing == health.Absent {
			return nil
		}
		return chunks(netip.Addr{}, []netip.Addr{{}}, func(netip.Addr) []uint16 { return numbers(ports, nil) })
	}
	if r.Facts.Home.IPv6 == health.Absent {
		return nil
	}
	return planIPv6(r.Facts, ports)
}

func late(w health.Watched) int {
	if w.Role == health.RoleOther {
		return 1
	}
	return 0
}

// planIPv6 looks at Home Assistant's addresses for its ports and at our own for those of our page, network by network: a witness
// looks only at the /64 from which it is asked.
func planIPv6(f health.Facts, ports []health.Watched) (out []witnessPlan) {
	home := func(w health.Watched) bool { return w.Role != health.RolePage }
	page := func(w health.Watched) bool { return w.Role == health.RolePage || w.Port == f.Page } // perhaps a door as well
	portsOf := func(a netip.Addr) []uint16 {
		here, there := slices.Contains(f.Own6, a), slices.Contains(f.Home.Global6, a)
		return numbers(ports, func(w health.Watched) bool { return there && home(w) || here && page(w) })
	}
	networks := make(map[netip.Prefix][]netip.Addr)
	var order []netip.Prefix
	for _, a := range slices.Concat(f.Home.Global6, f.Own6) {
		n, err := a.Prefix(64)
		if err != nil || slices.Contains(networks[n], a) || len(portsOf(a)) == 0 {
			continue
		}
		if networks[n] == nil {
			order = append(order, n)
		}
		networks[n] = append(networks[n], a)
	}
	for _, n := range order {
		i := slices.IndexFunc(f.Own6, n.Contains)
		if i < 0 {
			out = append(out, witnessPlan{barred: true, targets: targetsOf(networks[n], portsOf)})
			continue
		}
		out = append(out, chunks(f.Own6[i], networks[n], portsOf)...)
	}
	return out
}

// chunks makes questions of as many addresses and different ports as a question may have.
func chunks(from netip.Addr, addresses []netip.Addr, portsOf func(netip.Addr) []uint16) (out []witnessPlan) {
	for some := range slices.Chunk(addresses, witness.MaxAddresses) {
		var all []uint16
		for _, a := range some {
			for _, port := range portsOf(a) {
				if !slices.Contains(all, port) {
					all = append(all, port)
				}
			}
		}
		for few := range slices.Chunk(all, witness.MaxPorts) {
			targets := targetsOf(some, func(a netip.Addr) []uint16 {
				return slices.DeleteFunc(slices.Clone(portsOf(a)), func(port uint16) bool { return !slices.Contains(few, port) })
			})
			out = append(out, witnessPlan{from: from, targets: targets})
		}
	}
	return out
}

func targetsOf(addresses []netip.Addr, portsOf func(netip.Addr) []uint16) (out []witness.Target) {
	for _, a := range addresses {
		if ports := portsOf(a); len(ports) > 0 {
			out = append(out, witness.Target{Address: a, Ports: ports})
		}
	}
	return out
}

func numbers(ports []health.Watched, which func(health.Watched) bool) (out []uint16) {
	for _, w := range ports {
		if (which == nil || which(w)) && !slices.Contains(out, w.Port) {
			out = append(out, w.Port)
		}
	}
	return out
}

// without is the plan less one port.
func (p witnessPlan) without(port uint16) witnessPlan {
	var rest []witness.Target
	for _, t := range p.targets {
		ports := slices.DeleteFunc(slices.Clone(t.Ports), func(n uint16) bool { return n == port })
		if len(ports) > 0 {
			rest = append(rest, witness.Target{Address: t.Address, Ports: ports})
		}
	}
	return witnessPlan{from: p.from, targets: rest}
}

func (p witnessPlan) has(port uint16) bool {
	return slices.ContainsFunc(p.targets, func(t witness.Target) bool { return slices.Contains(t.Ports, port) })
}
