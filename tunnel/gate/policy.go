package gate

import "net/netip"

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

// grant is what stands behind one tunnel address of a phone.
type grant struct {
	peer  string
	doors map[door]Service
}

// table is a policy made ready to be asked.
type table map[netip.Addr]grant

// newTable turns a policy round. Where two services want the same door or two peers the same address, the first has it;
// who makes services and peers does not let it come so far.
func newTable(p Policy) table {
	doors := make(map[string]door, len(p.Services))
	behind := make(map[door]Service, len(p.Services))
	for _, s := range p.Services {
		d := door{s.Protocol, s.Port}
		if _, taken := behind[d]; !taken {
			behind[d] = s
			doors[s.Name] = d
		}
	}
	t := make(table, len(p.Peers))
	for _, peer := range p.Peers {
		g := grant{peer: peer.ID, doors: make(map[door]Service, len(peer.Services))}
		for _, name := range peer.Services {
			if d, ok := doors[name]; ok {
				g.doors[d] = behind[d]
			}
		}
		for _, a := range peer.Addresses {
			if _, taken := t[a.Unmap()]; !taken {
				t[a.Unmap()] = g
			}
		}
	}
	return t
}

// find says whose address k comes from (false: nobody's) and which service it asks for (false: none that this peer has).
func (t table) find(k key) (peer string, known bool, s Service, has bool) {
	g, known := t[k.phone.Addr()]
	if !known {
		return "", false, Service{}, false
	}
	s, has = g.doors[door{k.protocol, k.ours.Port()}]
	return g.peer, true, s, has
}

// admits says whether a flow may go on: for the same peer, the same service, unchanged.
func (t table) admits(f *flow) bool {
	peer, known, s, has := t.find(f.key)
	return known && has && peer == f.peer && s == f.service
}
