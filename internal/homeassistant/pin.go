package homeassistant

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// bucket holds the pin: one record for what was found on its own, and one for each .local name that was ever given.
const bucket = "home_assistant"

// A pin is the Home Assistant that we trust, as it stands in the store.
type pin struct {
	Scheme      string         `json:"scheme"`
	Address     netip.AddrPort `json:"address"`
	ThisMachine bool           `json:"this_machine,omitempty"`
	MACs        []string       `json:"macs,omitempty"` // of that machine; see confirmed
	UUID        string         `json:"uuid,omitempty"` // once it was announced from that very address
	Source      Source         `json:"source"`
	PinnedAt    time.Time      `json:"pinned_at"`
}

// mostMACs: a machine with a wired and a wireless interface in the same network answers for an address with either MAC,
// as it happens (arp_ignore in the kernel's ip-sysctl). So a MAC that the owner confirms at the same address comes in
// addition to what was known. Nobody's machine has more than this.
const mostMACs = 4

func (p pin) target() Target {
	return Target{p.Scheme, p.Address.Addr().String(), p.Address.Port()}
}

// pinned makes a pin of a target that passed.
func pinned(s spot, source Source, now time.Time) pin {
	p := pin{
		Scheme: s.target.Scheme, Address: netip.AddrPortFrom(s.target.IP(), s.target.Port),
		ThisMachine: s.machine.here, UUID: s.uuid, Source: source, PinnedAt: now.UTC(),
	}
	if s.machine.mac != "" {
		p.MACs = []string{s.machine.mac}
	}
	return p
}

// moved is the same Home Assistant at another address or port.
func (p pin) moved(s spot) pin {
	p.Scheme, p.Address = s.target.Scheme, netip.AddrPortFrom(s.target.IP(), s.target.Port)
	if p.UUID == "" {
		p.UUID = s.uuid
	}
	return p
}

// confirmed is a new pin by the owner's word, which keeps the known MACs of the old one at the same address.
func (p pin) confirmed(old pin) pin {
	if p.Address.Addr() != old.Address.Addr() || p.ThisMachine {
		return p
	}
	for _, mac := range old.MACs {
		if !slices.Contains(p.MACs, mac) && len(p.MACs) < mostMACs {
			p.MACs = append(p.MACs, mac)
		}
	}
	return p
}

// key is where the pin of a finder stands: a name that was given has a pin of its own.
func key(name string) string {
	if name == "" {
		return "pin"
	}
	return "pin " + name
}

func readPin(st *store.Store, name string) (p pin, ok bool, err error) {
	err = st.View(func(tx *store.Tx) error {
		p, ok, err = store.Get[pin](tx, bucket, key(name))
		return err
	})
	if err != nil {
		return pin{}, false, fmt.Errorf("reading where Home Assistant was: %w", err)
	}
	return p, ok, nil
}
