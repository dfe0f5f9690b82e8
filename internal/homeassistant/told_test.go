package homeassistant

import (
	"net/netip"
	"testing"
	"time"
)

func TestWhereItIsTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(onThisPi)
		w.put(greenBox)
		f := w.start("http://192.168.1.9:8123")
		w.pass(time.Minute)
		w.wantPhase(Searching, "not where --home-assistant says", "http://192.168.1.9:8123", "nothing listens there")
		if n := w.asked(); n != 0 {
			t.Errorf("the LAN was asked %d times although the owner said where it is", n)
		}
		// The owner's word is enough to dial, as long as nobody else is there.
		if addr, err := f.Address(); err != nil || addr != "192.168.1.9:8123" {
			t.Errorf("Address() = %q, %v", addr, err)
		}
		w.change(func() { w.answers["192.168.1.9:8123"] = stranger })
		w.pass(time.Minute)
		w.wantNowhere(Searching, "is not Home Assistant's")

		w.change(func() { w.answers["192.168.1.9:8123"] = itself })
		w.pass(time.Minute)
		w.wantFound("192.168.1.9:8123")
		if err := f.Use(w.t.Context(), "192.168.1.5"); err == nil {
			t.Error("Use overruled the flag")
		}
		w.change(func() { w.answers["192.168.1.9:8123"] = silent })
		w.pass(time.Minute)
		w.wantPhase(Lost)
		w.change(func() { w.answers["192.168.1.9:8123"] = banned })
		w.pass(time.Minute)
		w.wantFound("192.168.1.9:8123")
		w.wantEvents(found, lost, found, warning)
		if _, ok, err := readPin(w.store, ""); ok || err != nil {
			t.Errorf("the flag left a pin behind: %v, %v", ok, err)
		}
	})
}

func TestTheFlagLeavesThePinAlone(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		w.wantFound("192.168.1.5:8123")
		w.change(func() { w.put(otherBox) })
		w.restart("192.168.1.6")
		w.pass(15 * time.Second)
		w.wantFound("192.168.1.6:8123")
		w.restart("")
		w.pass(15 * time.Second)
		w.wantFound("192.168.1.5:8123")
	})
}

func TestAHostAloneMeansBothPorts(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(home{addr: "192.168.1.9", port: 80})
		w.start("192.168.1.9")
		w.pass(15 * time.Second)
		w.wantFound("192.168.1.9:80")
		w.change(func() { w.remove(home{addr: "192.168.1.9", port: 80}); w.put(home{addr: "192.168.1.9", port: 8123}) })
		w.pass(time.Minute)
		w.wantFound("192.168.1.9:8123")
		w.wantEvents(found, moved)
	})
}

// A .local name is whoever answers to it, so the machine behind it is pinned like a find of our own.
func TestALocalNameIsPinned(t *testing.T) {
	inWorld(t, func(w *world) {
		at := func(s string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(s)} }
		w.put(onThisPi)
		f := w.start("http://" + localName + ":8123")
		w.pass(time.Minute)
		w.wantNowhere(Searching, localName)

		w.change(func() { w.put(greenBox); w.names[localName] = at("192.168.1.5") })
		w.pass(time.Minute)
		w.wantFound("192.168.1.5:8123")

		w.change(func() {
			w.remove(greenBox)
			w.put(home{addr: "192.168.1.50", port: 8123, mac: greenBox.mac})
			w.names[localName] = at("192.168.1.50")
		})
		w.pass(time.Minute)
		w.wantFound("192.168.1.50:8123")
		w.wantEvents(found, moved)

		w.change(func() {
			w.remove(home{addr: "192.168.1.50", port: 8123})
			w.put(otherBox)
			w.names[localName] = at("192.168.1.6")
		})
		w.pass(time.Minute)
		w.wantNowhere(Changed, "http://192.168.1.6:8123")
		if err := f.Use(w.t.Context(), localName+":8123"); err != nil {
			t.Fatal(err)
		}
		w.wantFound("192.168.1.6:8123")
		w.restart("http://" + localName + ":8123")
		w.pass(15 * time.Second)
		w.wantFound("192.168.1.6:8123")
	})
}

func TestBadFlag(t *testing.T) {
	for _, url := range []string{"ftp://x", "http://h/path", "a b", "http://u:p@h"} {
		if _, err := New(Config{URL: url}); err == nil {
			t.Errorf("New with %q: no error", url)
		}
	}
}
