package access

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// URLs lists what a person at home can type to see the page, best first: IPv4 addresses on links that are served, the
// configured names, IPv6 addresses. Where no address is served it is localhost. Before Listen, port 0 is still that.
func (d *Door) URLs() []string {
	port := uint16(d.port.Load())
	var urls []string
	own := d.served()
	for _, addr := range own {
		if addr.Is4() {
			urls = append(urls, urlOf(addr, port))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.names.names)) {
		urls = append(urls, urlFor(name, port))
	}
	for _, addr := range own {
		if addr.Is6() {
			urls = append(urls, urlOf(addr, port))
		}
	}
	if len(urls) == 0 {
		urls = append(urls, urlFor("localhost", port))
	}
	return urls
}

// served lists the addresses that a neighbour can come to: private ones first, and of those the ones on the link to the
// internet, which in a home that this machine does not route is where everybody is.
func (d *Door) served() []netip.Addr {
	own, err := d.own.get()
	if err != nil {
		return nil
	}
	home4, home6, _ := d.kernel.DefaultLinks() // only an order; what is not known is as good as another
	type candidate struct {
		addr netip.Addr
		rank int
	}
	var found []candidate
	for _, a := range own {
		if !d.typable(a.Addr) || d.admitLink(a.Link) != nil {
			continue
		}
		c := candidate{addr: a.Addr}
		if !a.Addr.IsPrivate() {
			c.rank += 2
		}
		if !slices.Contains(home4, a.Link) && !slices.Contains(home6, a.Link) {
			c.rank++
		}
		found = append(found, c)
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.rank, b.rank) })
	var addrs []netip.Addr
	for _, c := range found {
		addrs = append(addrs, c.addr)
	}
	return addrs
}

// typable leaves out what is not listened at, and link-local addresses: nobody can type a zone into a browser.
func (d *Door) typable(addr netip.Addr) bool {
	at := d.place.addr
	switch {
	case addr.IsLoopback() || addr.IsLinkLocalUnicast():
		return false
	case !at.IsValid() || at == netip.IPv6Unspecified():
		return true
	case at.IsUnspecified():
		return addr.Is4()
	default:
		return addr == at
	}
}

// Warning is a sentence for the owner when this machine is a router and --web does not say which side is the home, so
// that the link to the internet is not served. It is empty when all is well.
func (d *Door) Warning() string {
	if !d.place.anywhere() {
		return ""
	}
	ups, err := d.ups.get()
	if err != nil || len(ups) == 0 {
		return ""
	}
	all := strings.Join(ups, ", ")
	return fmt.Sprintf("this machine passes packets on between its links, as a router does, so the page is not served on %s,"+
		" where its way to the internet begins; name the link of the home with --web; if that is %s itself, which it is where"+
		" containers are all that this machine passes packets on for, write --web %s:%d", all, ups[0], ups[0], d.place.port)
}
