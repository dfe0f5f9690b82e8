package access

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

// admit says why a caller may not talk to the page; nil is a welcome. arrived is the link over which the handshake came,
// empty where the kernel does not say.
//
// The link on which an answer leaves is not always the one on which a packet came: with policy routing, a stranger on the
// uplink who takes an address of the home can be answered there. So where the arrival is known, it is what is judged, and
// the caller's address must be directly connected there.
func (d *Door) admit(remote netip.Addr, arrived string) error {
	remote = remote.Unmap()
	if !remote.IsValid() {
		return refusal("its address cannot be told")
	}
	if own, err := d.isUs(remote, arrived); own || err != nil {
		return err
	}
	link, err := d.linkOf(remote, arrived)
	if err != nil {
		return err
	}
	return d.admitLink(link)
}

// A refusal is a reason in words, apart from questions that failed.
type refusal string

func (r refusal) Error() string { return string(r) }

// isUs tells this machine from others: no handshake with an address of ours ends anywhere but here. There are two ways to
// look like us. A link-local address is ours only on the link that carries it; on another one it may be anybody's. And
// kernels before Linux 5.4 take "::ffff:127.0.0.1" off the wire as an IPv6 address, which reads as IPv4 here; so what we
// say to ourselves over IPv4 must have come over loopback, or over the link of that address, as the kernel puts it.
func (d *Door) isUs(addr netip.Addr, arrived string) (bool, error) {
	carriers, err := d.carriers(addr)
	if err != nil || arrived == "" || addr.Is6() {
		return len(carriers) > 0, err
	}
	return slices.Contains(carriers, arrived), nil
}

// carriers lists the links over which a connection of addr to this machine is one with itself.
func (d *Door) carriers(addr netip.Addr) ([]string, error) {
	links, err := d.links.get()
	if err != nil {
		return nil, err
	}
	own, err := d.own.get()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, a := range own {
		if a.Addr == addr.WithZone("") && (addr.Is4() || !addr.IsLinkLocalUnicast() || a.Link == addr.Zone()) {
			names = append(names, a.Link)
		}
	}
	for _, l := range links {
		if l.Loopback && (addr.IsLoopback() || len(names) > 0) {
			names = append(names, l.Name)
		}
	}
	return names, nil
}

// linkOf is the link on which the caller is a neighbour.
func (d *Door) linkOf(remote netip.Addr, arrived string) (string, error) {
	const far = refusal("it is not on a network that is directly connected")
	if arrived == "" {
		link, ok, err := d.kernel.OnLink(remote)
		if err == nil && !ok {
			err = far
		}
		return link, err
	}
	ok, err := d.kernel.OnLinkThrough(remote, arrived)
	if err == nil && !ok {
		err = far
	}
	return arrived, err
}

// admitLink is the policy: with a link named, that one; else every link with neighbours but a router's way out, unless
// it carries the address that is named.
func (d *Door) admitLink(link string) error {
	if d.place.link != "" {
		if link != d.place.link {
			return refusal(fmt.Sprintf("it is on %s, and --web names %s", link, d.place.link))
		}
		return nil
	}
	named, err := d.carriesPlace(link)
	if named || err != nil {
		return err
	}
	if err := d.hasNeighbours(link); err != nil {
		return err
	}
	ups, err := d.ups.get()
	if err != nil {
		return err
	}
	if slices.Contains(ups, link) {
		return refusal("it is on " + link + ", where this router's way to the internet begins; --web can name that link")
	}
	return nil
}

// carriesPlace tells whether --web names an address of this link.
func (d *Door) carriesPlace(link string) (bool, error) {
	if d.place.anywhere() {
		return false, nil
	}
	own, err := d.own.get()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(own, func(a netinfo.Address) bool {
		return a.Link == link && a.Addr == d.place.addr.WithZone("") &&
			(d.place.addr.Zone() == "" || d.place.addr.Zone() == link)
	}), nil
}

// hasNeighbours refuses links that lead to one other end: behind a VPN or a mobile modem nobody is at home.
func (d *Door) hasNeighbours(link string) error {
	links, err := d.links.get()
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.Name == link && !l.PointToPoint {
			return nil
		}
	}
	return refusal("it is on " + link + ", which has no neighbours in the home; --web can name that link")
}
