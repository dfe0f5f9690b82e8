// Package endpoint says how phones find the tunnel: the host and UDP port that a new phone's config names.
//
// What the owner configured is used as it stands. Without it the answer is this machine's address on the LAN, and it is
// said plainly that such a phone connects at home only. The package never guesses a public address: an address that
// nobody has tried from outside strands the phone where its owner cannot mend it.
package endpoint

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// Scope says from where an endpoint can be reached.
type Scope string

// The scopes of an endpoint.
const (
	Configured Scope = "configured" // the owner named it
	LAN        Scope = "lan"        // the LAN address of the default route: works at home only
)

// Endpoint is where phones send their packets.
type Endpoint struct {
	Address string // host:port; an IPv6 literal stands in brackets
	Scope   Scope
}

// Note is the sentence that a person who adds a phone must read; empty when there is nothing to say.
func (e Endpoint) Note() string {
	if e.Scope == LAN {
		return "Works at home only until an endpoint is set: forward UDP port " + port(e.Address) +
			" on your router to this machine, start Hearthgate with --endpoint and your public name or address, and" +
			" give the phone a new code (hearthgate peer rekey)."
	}
	return ""
}

func port(address string) string {
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		return "51820"
	}
	return p
}

// ErrNoAddress is returned when this machine has no address that a phone could use.
var ErrNoAddress = errors.New("this machine has no network address that a phone could use")

// Current is the endpoint for a new config. configured is host:port as checked before, or empty; listenPort is the port
// that the tunnel really uses; lan finds the machine's own address on the link of its default route.
func Current(configured string, listenPort uint16, lan func() (netip.Addr, error)) (Endpoint, error) {
	if configured != "" {
		return Endpoint{Address: configured, Scope: Configured}, nil
	}
	addr, err := lan()
	if err != nil || !addr.IsValid() {
		return Endpoint{}, fmt.Errorf("%w; connect it to the network, or set --endpoint", ErrNoAddress)
	}
	host := addr.Unmap().WithZone("").String()
	return Endpoint{Address: net.JoinHostPort(host, strconv.Itoa(int(listenPort))), Scope: LAN}, nil
}
