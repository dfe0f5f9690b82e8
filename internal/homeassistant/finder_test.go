package homeassistant

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
)

const (
	found   = journal.HomeAssistantFound
	lost    = journal.HomeAssistantLost
	moved   = journal.HomeAssistantMoved
	choose  = journal.HomeAssistantChoose
	warning = journal.HomeAssistantWarning

	otherUUID = "ffffffffffffffffffffffffffffffff"
)

// The households of these tests.
var (
	onThisPi  = home{addr: "127.0.0.1", port: 8123, mac: "here"}
	greenBox  = home{addr: "192.168.1.5", port: 8123, mac: "02:00:00:00:00:05", uuid: testUUID}
	otherBox  = home{addr: "192.168.1.6", port: 8123, mac: "02:00:00:00:00:06", uuid: otherUUID}
	localName = "homeassistant.local"
)

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not say %q", text, word)
		}
	}
}

func TestThisMachineComesFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(onThisPi)
		w.put(greenBox)
		w.start("")
		w.pass(5 * time.Second)
		w.wantFound("127.0.0.1:8123")
		st := w.wantPhase(Found, "2026.9.1", "on this machine")
		if st.Source != FromLoopback || st.Target != "http://127.0.0.1:8123" || st.Version != "2026.9.1" {
			w.t.Errorf("state %+v", st)
		}
		w.wantEvents(found)
	})
}

func TestPort80OfThisMachine(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(home{addr: "127.0.0.1", port: 80, mac: "here"})
		w.start("")
		w.pass(5 * time.Second)
		w.wantFound("127.0.0.1:80")
	})
}

func TestOverTLS(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.secure["192.168.1.5:8123"] = true
		w.start("")
		w.pass(5 * time.Second)
		w.wantFound("192.168.1.5:8123")
		if st := w.finder.State(); st.Target != "https://192.168.1.5:8123" {
			w.t.Errorf("target %s, want https", st.Target)
		}
	})
}

func TestTheOnlyOneOnTheLANIsTaken(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start("")
		w.pass(time.Minute)
		w.wantNowhere(Searching, "has not been found yet; looking on this machine and by mDNS")
		w.wantEvents()

		w.change(func() { w.put(greenBox) })
		w.pass(time.Minute)
		w.wantFound("192.168.1.5:8123")
		if st := w.finder.State(); st.UUID != testUUID || st.Source != FromMDNS {
			w.t.Errorf("state %+v", st)
		}
		p, ok, err := readPin(w.store, "")
		if err != nil || !ok || p.Address.String() != "192.168.1.5:8123" || p.UUID != testUUID || len(p.MACs) != 1 || p.MACs[0] != greenBox.mac {
			w.t.Errorf("pin %+v, %v, %v", p, ok, err)
		}
		w.wantEvents(found)
	})
}

// mDNS only proposes: what is public, what is not on-link and what does not pass is not even a candidate.
func TestAnnouncementsThatDoNotCount(t *testing.T) {
	for what, spoil := range map[string]func(*world){
		"public":      func(w *world) { w.put(home{addr: "198.51.100.5", port: 8123, mac: greenBox.mac, uuid: testUUID}) },
		"not on-link": func(w *world) { w.put(greenBox); w.offLink["192.168.1.5"] = true },
		"a stranger":  func(w *world) { w.put(greenBox); w.answers["192.168.1.5:8123"] = stranger },
		"banned":      func(w *world) { w.put(greenBox); w.answers["192.168.1.5:8123"] = banned },
		"silent":      func(w *world) { w.put(greenBox); delete(w.answers, "192.168.1.5:8123") },
		"this loopback": func(w *world) {
			w.says = []Announcement{{Source: netip.MustParseAddr("192.168.1.5"), Port: 9, Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}}
			w.answers["127.0.0.1:9"] = itself
		},
	} {
		t.Run(what, func(t *testing.T) {
			inWorld(t, func(w *world) {
				spoil(w)
				w.start("")
				w.pass(time.Minute)
				w.wantNowhere(Searching)
				w.wantEvents()
			})
		})
	}
}

func TestStillInstalling(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.says[0].Installing = true
		w.start("")
		w.pass(time.Minute)
		w.wantNowhere(Searching, "192.168.1.5", "still installing itself")
		w.change(func() { w.says[0].Installing = false })
		w.pass(time.Minute)
		w.wantFound("192.168.1.5:8123")
	})
}

func TestIPv4ThenUniqueLocal(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.put(home{addr: "fd00::5", port: 8123, mac: greenBox.mac, uuid: testUUID})
		w.start("")
		w.pass(5 * time.Second)
		w.wantFound("192.168.1.5:8123") // one machine that announces itself in both families is one candidate
	})
	inWorld(t, func(w *world) {
		w.put(home{addr: "fd00::5", port: 8123, mac: greenBox.mac, uuid: testUUID})
		w.says[0].Addrs = append(w.says[0].Addrs, netip.MustParseAddr("192.168.1.5")) // does not answer
		w.start("")
		w.pass(5 * time.Second)
		w.wantFound("[fd00::5]:8123")
	})
}

func TestSeveralAreAQuestion(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.put(otherBox)
		f := w.start("")
		w.pass(time.Minute)
		st := w.wantNowhere(Choose, "more than one", "http://192.168.1.5:8123", "http://192.168.1.6:8123")
		if len(st.Candidates) != 2 || st.Candidates[0].MAC == "" || st.Candidates[0].UUID == "" || st.Candidates[0].Source != FromMDNS {
			w.t.Errorf("candidates %+v", st.Candidates)
		}
		w.wantEvents(choose)

		// The other one going quiet is no answer: perhaps somebody silenced it.
		w.change(func() { w.remove(greenBox) })
		w.pass(5 * time.Minute)
		w.wantNowhere(Choose)
		w.wantEvents(choose)

		w.change(func() { w.put(greenBox) })
		if err := f.Use(w.t.Context(), "192.168.1.5:8123"); err != nil {
			w.t.Fatal(err)
		}
		w.wantFound("192.168.1.5:8123")
		w.wantPhase(Found, "as its owner confirmed")
		w.wantEvents(choose, found)

		w.restart("")
		w.pass(time.Minute)
		w.wantFound("192.168.1.5:8123")
	})
}

// A second Home Assistant that appears later is nobody's business.
func TestAPinIsAPin(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(time.Minute)
		w.change(func() { w.put(otherBox); w.put(onThisPi) })
		w.pass(time.Hour)
		w.wantFound("192.168.1.5:8123")
		w.wantEvents(found)
		w.restart("")
		w.pass(time.Minute)
		w.wantFound("192.168.1.5:8123")
	})
}

func TestABlipIsNotAnEvent(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		for range 3 {
			w.change(func() { w.blips = 1 })
			w.pass(time.Minute)
			w.wantFound("192.168.1.5:8123")
		}
		if w.lookCount() < 10 {
			w.t.Error("nobody looked")
		}
		w.wantEvents(found)
	})
}

func TestLostAndFoundAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		since := w.finder.State().Since
		w.change(func() { w.remove(greenBox) })
		w.pass(30 * time.Second)
		st := w.wantNowhere(Lost, "http://192.168.1.5:8123", "nothing listens there")
		if st.Addr != "192.168.1.5:8123" || !st.Since.After(since) {
			w.t.Errorf("state %+v, want where it was, and since when it is lost", st)
		}
		w.wantEvents(found, lost)
		w.pass(time.Hour)
		w.wantEvents(found, lost)

		w.change(func() { w.put(greenBox) })
		w.pass(45 * time.Second)
		w.wantFound("192.168.1.5:8123")
		w.wantEvents(found, lost, found)
	})
}

// On this machine there is no other machine to mistake for it, so the gate need not wait for our next look.
func TestLostOnThisMachineMayBeDialled(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(onThisPi)
		w.start("")
		w.pass(15 * time.Second)
		w.change(func() { w.remove(onThisPi) })
		w.pass(30 * time.Second)
		w.wantPhase(Lost)
		if addr, err := w.finder.Address(); err != nil || addr != "127.0.0.1:8123" {
			w.t.Errorf("Address() = %q, %v", addr, err)
		}
		w.change(func() { w.answers["127.0.0.1:8123"] = stranger })
		w.pass(time.Minute)
		w.wantNowhere(Lost, "not Home Assistant's")
	})
}

// Somebody who wants in while it is lost makes us look at once.
func TestAskingForTheAddressLooks(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		w.change(func() { w.remove(greenBox) })
		w.pass(10 * time.Minute)
		w.wantPhase(Lost)

		// Asking all the time does not make it look all the time.
		w.asked()
		for range 600 {
			_, _ = w.finder.Address()
			w.pass(100 * time.Millisecond)
		}
		if n := w.asked(); n > 10 {
			w.t.Errorf("the LAN was asked %d times in a minute", n)
		}
		for w.asked() == 0 {
			w.pass(time.Second) // until a look of its own has just ended
		}
		w.change(func() { w.put(greenBox) })
		w.pass(6 * time.Second)
		w.wantPhase(Lost)
		_, _ = w.finder.Address()
		w.pass(100 * time.Millisecond)
		w.wantFound("192.168.1.5:8123")
	})
}

func TestHowOftenItLooks(t *testing.T) {
	inWorld(t, func(w *world) {
		w.start("")
		w.pass(10 * time.Minute)
		if n := w.asked(); n < 15 || n > 25 {
			w.t.Errorf("in ten minutes without a find the LAN was asked %d times, want about 20", n)
		}
		w.change(func() { w.put(onThisPi) })
		w.pass(time.Minute)
		w.asked()
		w.lookCount()
		w.pass(time.Hour)
		if n := w.lookCount(); n < 300 || n > 400 {
			w.t.Errorf("in an hour with a find it looked %d times, want about 360", n)
		}
		if n := w.asked(); n > 7 {
			w.t.Errorf("in an hour with a find the LAN was asked %d times, want at most 7", n)
		}
		if n := w.greetings(); n != 1 {
			w.t.Errorf("the version was asked for %d times, want once: it may leave a line in Home Assistant's log", n)
		}
		// After a loss it looks often again, however long the first search took.
		w.change(func() { w.remove(onThisPi) })
		w.pass(20 * time.Second)
		w.wantPhase(Lost)
		w.change(func() { w.put(onThisPi) })
		w.pass(12 * time.Second)
		w.wantFound("127.0.0.1:8123")
	})
}

func TestRestartWhileItIsDown(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		w.change(func() { w.remove(greenBox) })
		w.restart("")
		w.pass(100 * time.Millisecond)
		w.wantNowhere(Searching, "was at http://192.168.1.5:8123")
		w.pass(5 * time.Minute)
		w.wantNowhere(Lost)
		w.wantEvents(found) // that both start at the same time after a power cut is no loss
		w.change(func() { w.put(greenBox) })
		w.pass(time.Minute)
		w.wantFound("192.168.1.5:8123")
		w.wantEvents(found, found)
	})
}

func TestStoppingIsNotLosing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		w.change(func() { w.remove(greenBox) })
		w.pass(11 * time.Second)
		w.stop() // in the middle of the second look at the latest
		w.stop = nil
		w.wantEvents(found)
	})
}

// Without a pin that will be there after the next start, there is no find.
func TestAPinThatCannotBeWritten(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.onBrowse = func() { _ = w.store.Close() }
		w.start("")
		w.pass(2100 * time.Millisecond)
		w.wantNowhere(Searching, "192.168.1.5:8123", "could not be written")
		w.pass(time.Minute)
		w.wantNowhere(Searching, "cannot be read")
	})
	inWorld(t, func(w *world) {
		w.put(greenBox)
		f := w.start("")
		w.pass(15 * time.Second)
		w.change(func() { w.put(otherBox) })
		_ = w.store.Close()
		if err := f.Use(w.t.Context(), "192.168.1.6"); err == nil {
			w.t.Error("Use said yes to what could not be written")
		}
		w.wantPhase(Found)
		if st := f.State(); st.Addr != "192.168.1.5:8123" {
			w.t.Errorf("state %+v, want the old one", st)
		}
	})
}

func TestUseRefuses(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.answers["192.168.1.9:8123"] = stranger
		w.start("")
		w.pass(15 * time.Second)
		for address, want := range map[string]string{
			"192.168.1.9:8123":     "does not look like Home Assistant",
			"192.168.1.77":         "nothing was changed",
			"nobody.example":       "nobody on this network has that name; nothing was changed",
			"http://192.168.1.5/x": "a path",
			"":                     "expected http://",
		} {
			err := w.finder.Use(w.t.Context(), address)
			if err == nil || !strings.Contains(err.Error(), want) {
				w.t.Errorf("Use(%q) = %v, want %q", address, err, want)
			}
		}
		w.wantFound("192.168.1.5:8123")
		w.wantEvents(found)
	})
}

// Use may come from another goroutine at any time, also before Run.
func TestUseWithoutRun(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(otherBox)
		f := w.start("")
		w.stop()
		w.stop = nil
		if err := f.Use(w.t.Context(), "http://192.168.1.6:8123"); err != nil {
			w.t.Fatal(err)
		}
		synctest.Wait()
		w.wantFound("192.168.1.6:8123")
	})
}
