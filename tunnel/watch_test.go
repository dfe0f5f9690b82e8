package tunnel

import (
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/hearthgate/hearthgate/peers"
)

// reading is a device with one peer as it would be read.
func reading(a peers.Access, handshake time.Time, received int64) *wgtypes.Device {
	return &wgtypes.Device{Peers: []wgtypes.Peer{{
		PublicKey: wgtypes.Key(a.Pair.PublicKey), LastHandshakeTime: handshake, ReceiveBytes: received,
	}}}
}

func TestWatchTellsWhoComesAndGoes(t *testing.T) {
	anna := newAccess(t, 0)
	access := []peers.Access{anna}
	w := newWatch()
	start := time.Now()
	steps := []struct {
		after                             time.Duration
		handshake                         time.Time
		received                          int64
		handshakes, connects, disconnects int
		active                            bool
		what                              string
	}{
		{0, time.Time{}, 0, 0, 0, 0, false, "nothing yet"},
		{time.Second, start, 148, 1, 1, 0, true, "the first handshake"},
		{60 * time.Second, start, 5000, 0, 0, 0, true, "traffic"},
		{121 * time.Second, start.Add(120 * time.Second), 6000, 1, 0, 0, true, "a new handshake is no new connection"},
		{300 * time.Second, start.Add(120 * time.Second), 6000, 0, 0, 0, true, "179 s after the handshake"},
		{302 * time.Second, start.Add(120 * time.Second), 6000, 0, 0, 1, false, "quiet for longer than 180 s"},
		{400 * time.Second, start.Add(120 * time.Second), 6000, 0, 0, 0, false, "told once"},
		{500 * time.Second, start.Add(499 * time.Second), 6200, 1, 1, 0, true, "back again"},
	}
	for _, s := range steps {
		got := w.update(reading(anna, s.handshake, s.received), access, start.Add(s.after))
		handshakes, connects, disconnects := count(got)
		if handshakes != s.handshakes || connects != s.connects || disconnects != s.disconnects {
			t.Errorf("%s: %d handshakes, %d connected, %d disconnected", s.what, handshakes, connects, disconnects)
		}
		if w.live[anna.PeerID].Active != s.active {
			t.Errorf("%s: active is %v", s.what, !s.active)
		}
	}
}

func count(list []news) (handshakes, connects, disconnects int) {
	for _, n := range list {
		if !n.handshake.IsZero() {
			handshakes++
		}
		if n.connected {
			connects++
		}
		if n.disconnected {
			disconnects++
		}
	}
	return handshakes, connects, disconnects
}

func TestWatchTrustsItsOwnClockNotTheWall(t *testing.T) {
	anna := newAccess(t, 0)
	w := newWatch()
	now := time.Now()
	// The handshake was stamped before the network time arrived: by the wall clock it is decades old.
	got := w.update(reading(anna, time.Unix(100, 0), 148), []peers.Access{anna}, now)
	if _, connects, _ := count(got); connects != 1 || !w.live[anna.PeerID].Active {
		t.Error("a handshake that was just seen counts as old because the wall clock has jumped")
	}
}

func TestWatchForgetsWhoIsNoLongerAllowed(t *testing.T) {
	anna := newAccess(t, 0)
	w := newWatch()
	now := time.Now()
	w.update(reading(anna, now, 148), []peers.Access{anna}, now)
	got := w.update(&wgtypes.Device{}, nil, now.Add(time.Second))
	if len(got) != 0 || len(w.live) != 0 || len(w.pairs) != 0 || len(w.connected) != 0 {
		t.Errorf("a removed peer leaves traces: %v %v", got, w)
	}
}

func TestWatchTakesBothKeysOfARekeyedPeerTogether(t *testing.T) {
	before, after := newAccess(t, 0), newAccess(t, 1)
	after.PeerID, after.Name, before.Retiring = before.PeerID, before.Name, true
	w := newWatch()
	now := time.Now()
	d := reading(before, now, 100)
	d.Peers = append(d.Peers, reading(after, time.Time{}, 0).Peers...)
	w.update(d, []peers.Access{before, after}, now)
	live := w.live[before.PeerID]
	if !live.Active || live.ReceivedBytes != 100 || len(w.connected) != 1 {
		t.Errorf("live: %+v", live)
	}
}
