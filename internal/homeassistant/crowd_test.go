package homeassistant

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

var evilBox = home{addr: "192.168.1.66", port: 8123, mac: "02:00:00:00:00:66", uuid: otherUUID}

func (w *world) wantNoPin() {
	w.t.Helper()
	if p, ok, err := readPin(w.store, ""); ok || err != nil {
		w.t.Errorf("pin %+v, %v, want none: nobody chose it", p, err)
	}
}

// In a crowd the one that was heard need not be the only one. So it is offered, and not taken.
func TestACrowdsFindIsAQuestion(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(evilBox)
		w.crowded = true
		f := w.start("")
		w.pass(time.Minute)
		st := w.wantNowhere(Choose, "too many devices on this network claim to be Home Assistant", "say which one is yours")
		if len(st.Candidates) != 1 || st.Candidates[0].Addr != "192.168.1.66:8123" {
			t.Errorf("candidates %+v", st.Candidates)
		}
		w.wantNoPin()

		// That the crowd goes quiet is no answer.
		w.change(func() { w.crowded = false })
		w.pass(10 * time.Minute)
		w.wantNowhere(Choose, "too many devices")
		w.wantNoPin()
		w.wantEvents(choose)

		w.change(func() { w.put(greenBox) })
		if err := f.Use(w.t.Context(), "192.168.1.5:8123"); err != nil {
			t.Fatal(err)
		}
		w.wantFound("192.168.1.5:8123")
		w.change(func() { w.crowded = true })
		w.pass(time.Hour)
		w.wantFound("192.168.1.5:8123")
		w.wantEvents(choose, found)
	})
}

func TestACrowdWithoutAFind(t *testing.T) {
	inWorld(t, func(w *world) {
		w.crowded = true
		w.start("")
		w.pass(time.Minute)
		w.wantNowhere(Choose, "too many devices", "or its address")
		w.change(func() { w.crowded = false; w.put(evilBox) })
		w.pass(time.Minute)
		w.wantNowhere(Choose)
		w.wantNoPin()
	})
}

// On this machine nobody can shout louder.
func TestACrowdOutsideThisMachine(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(evilBox)
		w.put(onThisPi)
		w.crowded = true
		w.start("")
		w.pass(15 * time.Second)
		w.wantFound("127.0.0.1:8123")
	})
}

// A neighbour's many announcements, under names that sort before every other, do not keep the household's own from
// being tried.
func TestManyNamesOfOneNeighbour(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 2 * mostKept {
			h := evilBox
			h.addr, h.port = fmt.Sprintf("192.168.1.%d", 66+i%2), uint16(9000+i)
			w.put(h)
			w.says[i].Name = fmt.Sprintf("! %02d", i)
		}
		w.put(greenBox)
		w.start("")
		w.pass(time.Minute)
		st := w.wantNowhere(Choose, "too many devices")
		if !slices.ContainsFunc(st.Candidates, func(c Candidate) bool { return c.Addr == "192.168.1.5:8123" }) {
			t.Errorf("the household's own is not among the %d candidates", len(st.Candidates))
		}
		if len(st.Candidates) > mostAnnounced {
			t.Errorf("%d candidates, want at most %d", len(st.Candidates), mostAnnounced)
		}
		w.wantNoPin()
	})
}

// Addresses that are added to an announcement in its sender's name do not keep the sender's own from being tried.
func TestManyAddressesInOneAnnouncement(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		for i := range mostAddrs {
			w.says[0].Addrs = slices.Insert(w.says[0].Addrs, 0, netip.AddrFrom4([4]byte{192, 168, 1, byte(100 + i)}))
		}
		w.put(evilBox)
		w.start("")
		w.pass(time.Minute)
		st := w.wantNowhere(Choose, "http://192.168.1.5:8123", "http://192.168.1.66:8123")
		if len(st.Candidates) != 2 {
			t.Errorf("candidates %+v", st.Candidates)
		}
	})
}

// While the pinned Home Assistant answers, what a crowd says changes nothing, not even what it says in its name.
func TestAPinInACrowd(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		w.change(func() {
			w.crowded = true
			w.says[0].UUID = otherUUID
			w.put(evilBox)
		})
		w.pass(time.Hour)
		w.wantFound("192.168.1.5:8123")
		w.restart("")
		w.pass(time.Hour)
		w.wantFound("192.168.1.5:8123")
		if st := w.finder.State(); st.UUID != testUUID {
			t.Errorf("UUID %q, want the pinned one", st.UUID)
		}
		w.wantEvents(found, found)

		// Lost, it says that it may just not be heard; and on its own machine it is followed all the same.
		w.change(func() { w.remove(greenBox); w.remove(evilBox) })
		w.pass(time.Minute)
		w.wantNowhere(Lost, "too many devices")
		w.change(func() { w.put(home{addr: "192.168.1.50", port: 8123, mac: greenBox.mac, uuid: testUUID}) })
		w.pass(time.Minute)
		w.wantFound("192.168.1.50:8123")
		w.wantEvents(found, found, lost, moved)
	})
}

// Nothing is learnt from a crowd.
func TestAPinLearnsNoUUIDInACrowd(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(onThisPi)
		w.put(home{addr: "192.168.1.2", port: 8123, mac: "here", uuid: otherUUID})
		w.crowded = true
		w.start("")
		w.pass(time.Hour)
		w.wantFound("127.0.0.1:8123")
		if st := w.finder.State(); st.UUID != "" {
			t.Errorf("UUID %q, want none", st.UUID)
		}
	})
}
