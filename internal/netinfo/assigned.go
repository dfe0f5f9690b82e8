package netinfo

import "net/netip"

// An Assigned is an address of one of this host's links as it was assigned, with its network and how it stands with it.
type Assigned struct {
	Link       string
	Prefix     netip.Prefix // the address, not masked, and how much of it names the network; IPv4 point-to-point: /32
	Temporary  bool         // made for privacy, another one before long (RFC 8981)
	Deprecated bool         // not used for new connections from here, but still answering (RFC 4862, section 5.5.4)
	Tentative  bool         // not in use: not yet known, or known not, to be nobody else's
}

// NeighbourState is how well the kernel knows a neighbour.
type NeighbourState int

// The states. The zero value says that nothing is known.
const (
	NeighbourUnknown NeighbourState = iota
	NeighbourFailed                 // it was asked for, and nobody answered, or not yet
	NeighbourKnown                  // its link-layer address is known, from now or from before
)

// A NeighbourEntry is one row of the kernel's neighbour table.
type NeighbourEntry struct {
	Link  string
	Addr  netip.Addr // without a zone
	MAC   string     // as net.HardwareAddr writes it; empty unless known
	State NeighbourState
}

// A Listener is a TCP port of this host that takes connections.
type Listener struct {
	Addr  netip.Addr // unspecified: at every address
	Port  uint16
	Only6 bool // Addr is ::, and IPv4 is not meant
}

// Change says what sort of thing changed. Several may have.
type Change uint8

// The sorts.
const (
	LinkChange Change = 1 << iota
	AddressChange
	RouteChange
	NeighbourChange

	AnyChange = LinkChange | AddressChange | RouteChange | NeighbourChange
)
