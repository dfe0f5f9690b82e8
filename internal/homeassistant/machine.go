package homeassistant

import (
	"net/netip"
	"slices"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

// A machine is what we know of the host behind an address, from the kernel and not from the host itself. A MAC can be
// forged by whoever is on the LAN and means to; it keeps away mix-ups, guests' devices and an address that the router gave
// to another machine, which is what happens in homes.
type machine struct {
	here bool   // it is this host
	mac  string // of a neighbour; empty when the kernel knows none
}

func (m machine) known() bool { return m.here || m.mac != "" }

// machineAt asks the kernel who has addr. Ask right after a connection to it, when the neighbour table is fresh. What
// cannot be learnt stays unknown, and the unknown is never recognised as anybody.
func machineAt(addr netip.Addr) machine {
	if addr.IsLoopback() {
		return machine{here: true}
	}
	own, err := netinfo.IsOwn(addr)
	switch {
	case err != nil:
		return machine{}
	case own:
		return machine{here: true}
	}
	mac, ok, err := netinfo.Neighbour(addr)
	if err != nil || !ok {
		return machine{}
	}
	return machine{mac: mac.String()}
}

// directlyConnected is netinfo.OnLink as a yes or no: where the kernel cannot be asked, the answer is no.
func directlyConnected(addr netip.Addr) bool {
	_, ok, err := netinfo.OnLink(addr)
	return err == nil && ok
}

// recognition is whether the machine at an address is the pinned one.
type recognition int

const (
	unsure recognition = iota // the kernel could not say who it is
	same
	other
)

// recognise compares what was pinned with who is there now.
func (p pin) recognise(m machine) recognition {
	switch {
	case !m.known() && !p.ThisMachine && len(p.MACs) == 0:
		return same // it was pinned where there are no MACs, behind a router say: its address is all it has
	case !m.known():
		return unsure
	case m.here || p.ThisMachine:
		if m.here && p.ThisMachine {
			return same
		}
		return other
	case len(p.MACs) == 0 || slices.Contains(p.MACs, m.mac):
		return same
	default:
		return other
	}
}
