package gate

import (
	"net/netip"
	"slices"
)

// Policy is what the gate admits: the services, and for each peer which of them.
type Policy struct {
	Services []Service
	Peers    []PeerPolicy
}

// PeerPolicy is one peer that may come in now. A peer that is disabled or expired has none.
type PeerPolicy struct {
	ID        string
	Addresses []netip.Addr // its tunnel addresses; a retiring pair's too, since both are one peer
	Services  []string     // by name; a name that is no service means nothing
}

// door is a port of ours in the tunnel.
type door struct {
	protocol Protocol
	port     uint16
}

// pageDoor is that of the portal, and on the admin addresses that of the admin page.
var pageDoor = door{TCP, PortalPort}

// grant is what stands behind one tunnel address of a phone.
type grant struct {
	peer  string
	doors map[door]Service // on our tunnel addresses
	admin bool             // the admin page too
}

// table is a policy made ready to be asked.
type table struct {
	grants map[netip.Addr]grant
	admin  []netip.Addr // the addresses of the admin page, where nothing else is
}

// newTable turns a policy round. Where two services want the same door or two peers the same address, the first has it;
// who makes services and peers does not let it come so far. The portal's door is nobody else's.
func newTable(p Policy, admin []netip.Addr) table {
	doors := make(map[string]door, len(p.Services))
	behind := map[door]Service{pageDoor: portalService()}
	page := false
	for _, s := range p.Services {
		if s == adminService() {
			page = true
			continue
		}
		d := door{s.Protocol, s.Port}
		if _, taken := behind[d]; !taken && s.Name != Admin {
			behind[d] = s
			doors[s.Name] = d
		}
	}
	t := table{grants: make(map[netip.Addr]grant, len(p.Peers)), admin: admin}
	for _, peer := range p.Peers {
		g := grant{peer: peer.ID, doors: make(map[door]Service, 1+len(peer.Services))}
		g.doors[pageDoor] = portalService()
		for _, name := range peer.Services {
			if d, ok := doors[name]; ok {
				g.doors[d] = behind[d]
			}
		}
		g.admin = page && slices.Contains(peer.Services, Admin)
		for _, a := range peer.Addresses {
			if _, taken := t.grants[a.Unmap()]; !taken {
				t.grants[a.Unmap()] = g
			}
		}
	}
	return t
}

// find says whose address k comes from (false: nobody's) and which service it asks for (false: none that this peer has).
func (t table) find(k key) (peer string, known bool, s Service, has bool) {
	g, known := t.grants[k.phone.Addr()]
	if !known {
		return "", false, Service{}, false
	}
	d := door{k.protocol, k.ours.Port()}
	if slices.Contains(t.admin, k.ours.Addr()) {
		return g.peer, true, adminService(), g.admin && d == pageDoor
	}
	s, has = g.doors[d]
	return g.peer, true, s, has
}

// admits says whether a flow may go on: for the same peer, the same service, unchanged.
func (t table) admits(f *flow) bool {
	peer, known, s, has := t.find(f.key)
	return known && has && peer == f.peer && s == f.service
}
