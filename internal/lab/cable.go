package lab

import "net/netip"

// An end is one end of a cable: a link of a host, and its addresses there, in a /24 and a /64.
type end struct {
	host         *Host
	link         string
	addr4, addr6 netip.Addr
}

// cable joins two hosts by a network of their own and waits until it carries packets. Who is the other's router is said
// by routes, afterwards.
func cable(a, b end) error {
	err := a.host.ip(`link add name %s type veth peer name %s netns %s`, a.link, b.link, b.host.id())
	if err != nil {
		return err
	}
	for _, e := range []end{a, b} {
		err := e.host.ip(`
			link set dev %[1]s up
			addr add %[2]s/24 brd + dev %[1]s
			addr add %[3]s/64 dev %[1]s nodad`, e.link, e.addr4, e.addr6)
		if err != nil {
			return err
		}
	}
	if err := a.host.await(a.link); err != nil {
		return err
	}
	return b.host.await(b.link)
}

// defaultRoute sends what the host has no route for to the other end.
func (h *Host) defaultRoute(via4, via6 netip.Addr) error {
	return h.ip(`
		route replace default via %s
		route replace default via %s`, via4, via6)
}
