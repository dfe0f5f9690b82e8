package tunnel

import (
	"fmt"
	"maps"
	"net/netip"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/peers"
)

// activeFor is how long after a handshake a session's keys can still be used: REJECT_AFTER_TIME of the WireGuard paper,
// section 6.1. While traffic flows a new handshake comes every 120 s, so an older one means that the phone is away.
const activeFor = 180 * time.Second

// Live is what the tunnel sees of one peer, both its pairs taken together. Zero: nothing since this process started.
type Live struct {
	Active        bool           // the last handshake is younger than 180 s
	LastHandshake time.Time      // zero: none since this process started
	Endpoint      netip.AddrPort // where its last packet came from
	ReceivedBytes int64          // from the phone, since this process started
	SentBytes     int64          // to the phone, since this process started
}

// watch remembers, for each public key, when its handshake and its traffic were last seen to change. Ages are counted
// from there by the monotonic clock: the wall clock of a Pi jumps by years when the network time arrives.
type watch struct {
	pairs     map[key.Public]sighting
	connected map[string]bool // by peer id
	live      map[string]Live // by peer id
}

type sighting struct {
	handshake   time.Time // as the device told it
	received    int64     // bytes
	handshakeAt time.Time // when we saw the value above change
	receivedAt  time.Time
}

func newWatch() watch {
	return watch{pairs: map[key.Public]sighting{}, connected: map[string]bool{}, live: map[string]Live{}}
}

// look reads the device once and tells what changed.
func (s *Server) look() {
	d, err := s.Device()
	if err != nil {
		return
	}
	s.port.Store(uint32(d.ListenPort)) // root may have changed it with wg(8)
	s.mu.Lock()
	access := s.access
	news := s.watch.update(d, access, time.Now())
	s.mu.Unlock()
	for _, n := range news {
		s.tell(n)
	}
}

// news is one thing that happened to a peer.
type news struct {
	access       peers.Access
	handshake    time.Time // a new handshake of this pair; zero: none
	connected    bool
	disconnected bool
}

func (s *Server) tell(n news) {
	if !n.handshake.IsZero() {
		if err := s.cfg.Registry.Seen(n.access.PeerID, n.access.Pair.PublicKey, n.handshake); err != nil {
			s.cfg.Log.Warn("handshake not recorded", "peer", n.access.Name, "error", err)
		}
	}
	event := journal.Event{PeerID: n.access.PeerID, PeerName: n.access.Name}
	switch {
	case n.connected:
		event.Type, event.Message = journal.PeerConnected, fmt.Sprintf("%q connected", n.access.Name)
	case n.disconnected:
		event.Type, event.Message = journal.PeerDisconnected, fmt.Sprintf("%q disconnected", n.access.Name)
	default:
		return
	}
	if err := s.cfg.Journal.Record(event); err != nil {
		s.cfg.Log.Warn("event not recorded", "type", event.Type, "error", err)
	}
}

// update takes in one reading of the device at a moment and returns what is new, in the order of access.
func (w *watch) update(d *wgtypes.Device, access []peers.Access, now time.Time) []news {
	read := make(map[key.Public]*wgtypes.Peer, len(d.Peers))
	for i := range d.Peers {
		read[key.Public(d.Peers[i].PublicKey)] = &d.Peers[i]
	}
	var out []news
	pairs := make(map[key.Public]sighting, len(access))
	live := make(map[string]Live, len(access))
	last := make(map[string]peers.Access, len(access))
	for _, a := range access {
		p := read[a.Pair.PublicKey]
		if p == nil {
			continue
		}
		last[a.PeerID] = a
		before := w.pairs[a.Pair.PublicKey]
		seen := before
		if !p.LastHandshakeTime.IsZero() && !p.LastHandshakeTime.Equal(before.handshake) {
			seen.handshake, seen.handshakeAt = p.LastHandshakeTime, now
			out = append(out, news{access: a, handshake: p.LastHandshakeTime})
		}
		if p.ReceiveBytes != before.received {
			seen.received, seen.receivedAt = p.ReceiveBytes, now
		}
		pairs[a.Pair.PublicKey] = seen
		live[a.PeerID] = live[a.PeerID].with(p, seen, now)
	}
	w.pairs, w.live = pairs, live
	return append(out, w.transitions(last, now)...)
}

// transitions compares who is connected with who was. A peer stays connected while it is active or has sent anything
// within the same time. A peer that is no longer allowed in is forgotten without a word: its removal was told already.
func (w *watch) transitions(last map[string]peers.Access, now time.Time) []news {
	var out []news
	recent := func(a peers.Access) bool {
		seen := w.pairs[a.Pair.PublicKey]
		return !seen.handshake.IsZero() && now.Sub(seen.receivedAt) < activeFor
	}
	connected := make(map[string]bool, len(last))
	for id, a := range last {
		switch is := w.live[id].Active || (w.connected[id] && recent(a)); {
		case is && !w.connected[id]:
			out = append(out, news{access: a, connected: true})
			connected[id] = true
		case is:
			connected[id] = true
		case w.connected[id]:
			out = append(out, news{access: a, disconnected: true})
		}
	}
	w.connected = connected
	return out
}

func (l Live) with(p *wgtypes.Peer, seen sighting, now time.Time) Live {
	if !seen.handshake.IsZero() && now.Sub(seen.handshakeAt) < activeFor {
		l.Active = true
	}
	if seen.handshake.After(l.LastHandshake) {
		l.LastHandshake = seen.handshake
		if p.Endpoint != nil {
			l.Endpoint = p.Endpoint.AddrPort()
		}
	}
	l.ReceivedBytes += p.ReceiveBytes
	l.SentBytes += p.TransmitBytes
	return l
}

// Live is what the tunnel sees of each peer now, by peer id.
func (s *Server) Live() map[string]Live {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.watch.live)
}
