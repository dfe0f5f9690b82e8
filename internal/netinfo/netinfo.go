// Package netinfo answers what the kernel knows about this host's network: which addresses are ours, which networks
// we are connected or routed to, where the internet lies, who sits next to us.
//
// It keeps one thing true: an answer is the kernel's own, read at the moment of the question. Nothing is cached, so an
// answer is never older than the call, and nothing is guessed from names or from what is usual in a home.
//
// Its nouns: a link is an OS network interface, named as the kernel names it. A network is a prefix that this host is
// connected to or has a route for; default routes are not networks. A neighbour is the link-layer address behind an IP
// address on one of our links. An address is on-link when the kernel would send to it without a gateway in between.
//
// Addresses go in and come out as netip.Addr, IPv4 never in its IPv6-mapped form. On Linux the questions go over
// netlink (rtnetlink(7)); only whether packets are passed on is read from /proc/sys/net, and over which link a connection
// came from its socket. None needs root or a capability. Elsewhere, which is where people develop, the standard
// library answers what it can, and what it cannot answer is [ErrUnsupported] instead of a guess.
//
// It never changes anything: every message it sends asks the kernel, none tells it.
package netinfo

import (
	"errors"
	"net/netip"
)

var (
	// ErrNoDefaultRoute says that this host has no way to the internet at present: a state, not a fault.
	ErrNoDefaultRoute = errors.New("no default route")

	// ErrUnsupported says that this operating system is not asked that question.
	ErrUnsupported = errors.New("not supported on this operating system")
)

// A Route says where packets to the rest of the world leave this host.
type Route struct {
	Link    string     // the link they leave through
	Gateway netip.Addr // the next hop; zero where the link itself is the way out, as with PPP
	Source  netip.Addr // the address they carry; zero when the kernel names none
}
