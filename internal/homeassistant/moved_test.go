package homeassistant

import (
	"net/netip"
	"testing"
	"time"
)

func TestTheSameMachineIsFollowed(t *testing.T) {
	for what, c := range map[string]struct {
		before, after home
		want          string
	}{
		"to another address": {
			greenBox, home{addr: "192.168.1.50", port: 8123, mac: greenBox.mac, uuid: testUUID}, "192.168.1.50:8123",
		},
		"to another port": {
			greenBox, home{addr: "192.168.1.5", port: 9123, mac: greenBox.mac, uuid: testUUID}, "192.168.1.5:9123",
		},
		"to port 80, without an announcement": {
			greenBox, home{addr: "192.168.1.5", port: 80, mac: greenBox.mac}, "192.168.1.5:80",
		},
		"on this machine, to port 80":   {onThisPi, home{addr: "127.0.0.1", port: 80, mac: "here"}, "127.0.0.1:80"},
		"on this machine, to port 8123": {home{addr: "127.0.0.1", port: 80, mac: "here"}, onThisPi, "127.0.0.1:8123"},
		"on this machine, to its own address": {
			onThisPi, home{addr: "192.168.1.2", port: 8123, mac: "here", uuid: testUUID}, "192.168.1.2:8123",
		},
	} {
		t.Run(what, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.put(c.before)
				w.start("")
				w.pass(15 * time.Second)
				w.change(func() { w.remove(c.before); w.put(c.after) })
				w.pass(time.Minute)
				w.wantFound(c.want)
				events := w.wantEvents(found, moved)
				wantWords(t, events[1].Message, "moved from", " to "+w.finder.State().Target)
				if events[1].Data["address"] != c.want || events[1].Data["from"] != (Target{"http", c.before.addr, c.before.port}).Addr() {
					t.Errorf("event data %v", events[1].Data)
				}
				w.restart("")
				w.pass(time.Second)
				w.wantFound(c.want)
			})
		})
	}
}

func TestAnotherMachineIsNotFollowed(t *testing.T) {
	for what, c := range map[string]struct{ before, after home }{
		"at another address":               {greenBox, otherBox},
		"with a copied UUID":               {greenBox, home{addr: "192.168.1.66", port: 8123, mac: "02:00:00:00:00:66", uuid: testUUID}},
		"of which the kernel knows no MAC": {greenBox, home{addr: "192.168.1.66", port: 8123, uuid: testUUID}},
		"on this machine":                  {greenBox, onThisPi},
		"on the LAN, from this machine":    {onThisPi, greenBox},
		"with another UUID, same machine":  {greenBox, home{addr: "192.168.1.7", port: 8123, mac: greenBox.mac, uuid: otherUUID}},
	} {
		t.Run(what, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.put(c.before)
				w.start("")
				w.pass(15 * time.Second)
				w.change(func() { w.remove(c.before); w.put(c.after) })
				w.pass(time.Minute)
				at := Target{"http", c.after.addr, c.after.port}
				st := w.wantNowhere(Changed, "confirm it, if this is yours", at.URL())
				if len(st.Candidates) != 1 || st.Candidates[0].Addr != at.Addr() {
					t.Errorf("candidates %+v", st.Candidates)
				}
				w.pass(time.Hour)
				w.wantEvents(found, choose)

				// The old one comes back: nothing to confirm.
				w.change(func() { w.put(c.before) })
				w.pass(time.Minute)
				w.wantFound(Target{"http", c.before.addr, c.before.port}.Addr())

				// Or the owner confirms.
				w.change(func() { w.remove(c.before) })
				w.pass(time.Minute)
				w.wantNowhere(Changed)
				if err := w.finder.Use(w.t.Context(), at.URL()); err != nil {
					t.Fatal(err)
				}
				w.wantFound(at.Addr())
				w.wantEvents(found, choose, found, choose, moved)
				w.restart("")
				w.pass(time.Minute)
				w.wantFound(at.Addr())
			})
		})
	}
}

// Another machine at the pinned address is refused at once, however well it answers.
func TestAnotherMachineAtTheSameAddress(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		w.change(func() {
			w.machines["192.168.1.5"] = machine{mac: otherBox.mac}
			w.onBrowse = func() {
				if addr, err := w.finder.Address(); err == nil {
					t.Errorf("Address() = %q while it is already known that somebody else is there", addr)
				}
			}
		})
		w.pass(13 * time.Second)
		w.wantNowhere(Changed, "another machine answers at http://192.168.1.5:8123")
		w.change(func() { w.onBrowse = nil })
		w.wantEvents(found, choose)

		// The real one turns up elsewhere: then there is nothing to ask.
		w.change(func() { w.put(home{addr: "192.168.1.51", port: 8123, mac: greenBox.mac, uuid: testUUID}) })
		w.pass(time.Minute)
		w.wantFound("192.168.1.51:8123")
		w.wantEvents(found, choose, moved)
	})
}

// A machine with two interfaces in one network answers for its address with either MAC. The owner is asked once.
func TestASecondMACIsConfirmedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		wifi := func() { w.machines["192.168.1.5"] = machine{mac: "02:00:00:00:00:55"} }
		wire := func() { w.machines["192.168.1.5"] = machine{mac: greenBox.mac} }
		w.change(wifi)
		w.pass(15 * time.Second)
		w.wantNowhere(Changed)
		if err := w.finder.Use(w.t.Context(), "192.168.1.5:8123"); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.change(wire)
			w.pass(time.Minute)
			w.wantFound("192.168.1.5:8123")
			w.change(wifi)
			w.pass(time.Minute)
			w.wantFound("192.168.1.5:8123")
		}
		w.wantEvents(found, choose, found)
	})
}

// When the kernel cannot say who is there, it is not recognised: the address may now be behind a router.
func TestAMachineThatCannotBeTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		w.change(func() { w.machines["192.168.1.5"] = machine{} })
		w.pass(time.Minute)
		w.wantNowhere(Lost, "does not say which machine it is")
	})
}

func TestAnotherInstallationOnTheSameMachine(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		w.change(func() { w.says[0].UUID = otherUUID })
		w.pass(11 * time.Minute)
		st := w.wantNowhere(Changed, "another installation")
		if len(st.Candidates) != 1 || st.Candidates[0].UUID != otherUUID {
			t.Errorf("candidates %+v", st.Candidates)
		}
		w.pass(time.Hour)
		w.wantEvents(found, choose)

		w.change(func() { w.says[0].UUID = testUUID })
		w.pass(time.Minute)
		w.wantFound("192.168.1.5:8123")

		w.change(func() { w.says[0].UUID = otherUUID })
		w.pass(11 * time.Minute)
		w.wantNowhere(Changed)
		if err := w.finder.Use(w.t.Context(), "192.168.1.5:8123"); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour)
		w.wantFound("192.168.1.5:8123")
		if got := w.finder.State().UUID; got != otherUUID {
			t.Errorf("UUID %q, want the confirmed installation's", got)
		}
	})
}

// What others say about the pinned one's UUID does not count, and neither does a liar while the truth is told as well.
func TestOthersCannotRenameIt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		w.change(func() {
			lie := w.says[0]
			lie.UUID = otherUUID
			w.says = []Announcement{lie, w.says[0]}
		})
		w.pass(time.Hour)
		w.wantFound("192.168.1.5:8123")
		w.change(func() {
			w.says[0].Source = netip.MustParseAddr("192.168.1.66")
			w.says = w.says[:1]
		})
		w.pass(time.Hour)
		w.wantFound("192.168.1.5:8123")
		w.wantEvents(found)
	})
}

// Of what is said about a machine, its own word counts, whichever was heard first.
func TestTheMachinesOwnWordCounts(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		lie := w.says[0]
		lie.Source, lie.UUID = netip.MustParseAddr("192.168.1.66"), otherUUID
		w.says = []Announcement{lie, w.says[0]}
		w.start("")
		w.pass(15 * time.Second)
		w.wantFound("192.168.1.5:8123")
		if got := w.finder.State().UUID; got != testUUID {
			t.Errorf("UUID %q, want the one that the machine itself announced", got)
		}
	})
}

// A pin on this machine learns its UUID too, so that two Home Assistants on one machine can be told apart.
func TestThisMachineLearnsItsUUID(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(onThisPi)
		w.put(home{addr: "192.168.1.2", port: 8123, mac: "here", uuid: testUUID})
		w.start("")
		w.pass(15 * time.Second)
		if st := w.finder.State(); st.UUID != testUUID || st.Addr != "127.0.0.1:8123" {
			t.Errorf("state %+v", st)
		}
		w.change(func() {
			w.remove(onThisPi)
			w.remove(home{addr: "192.168.1.2", port: 8123})
			w.put(home{addr: "127.0.0.1", port: 80, mac: "here"})
			w.put(home{addr: "192.168.1.2", port: 80, mac: "here", uuid: otherUUID})
		})
		w.pass(time.Minute)
		w.wantNowhere(Changed)
	})
}

func TestDuringFirstStepsThePortThatStaysIsPinned(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(onThisPi)
		w.put(home{addr: "127.0.0.1", port: 80, mac: "here"})
		w.closer["127.0.0.1:8123"] = inspection{moved: Target{"http", "127.0.0.1", 80}}
		w.closer["127.0.0.1:80"] = inspection{known: true, warnings: []Warning{notOnboardedWarning(Target{"http", "127.0.0.1", 80})}}
		w.start("")
		w.pass(15 * time.Second)
		w.wantFound("127.0.0.1:80")
		events := w.wantEvents(found, warning)
		wantWords(t, events[1].Message, "no owner yet", "http://127.0.0.1")
	})
}
