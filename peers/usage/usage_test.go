package usage

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"
)

func TestDaysOfAPhone(t *testing.T) {
	inHouse(t, "Europe/Berlin", func(h *house) {
		h.want("at first", "anna", map[string]int64{})
		h.carries("anna", 10, 20)
		h.carries("ben", 7, 14)
		h.want("within half a minute", "anna", map[string]int64{"2026-11-20": 10})
		h.carries("anna", 5, 10)
		h.want("later", "anna", map[string]int64{"2026-11-20": 15})
		h.wait(24 * time.Hour)
		h.carries("anna", 1, 2)
		want := map[string]int64{"2026-11-20": 15, "2026-11-21": 1}
		h.want("the next day", "anna", want)
		h.restart()
		h.want("after a restart", "anna", want)
		h.carries("anna", 3, 6)
		want["2026-11-21"] = 4
		h.want("after a restart and more", "anna", want)
		h.restart()
		h.want("after another", "anna", want)
		h.want("of another", "ben", map[string]int64{"2026-11-20": 7})
		h.want("of nobody", "nobody", map[string]int64{})
		h.wait(28 * 24 * time.Hour)
		h.want("four weeks later", "anna", want)
		h.wait(24 * time.Hour)
		h.want("a day more", "anna", map[string]int64{"2026-11-21": 4})
		h.wait(24 * time.Hour)
		h.want("and one more", "anna", map[string]int64{})
		h.carries("anna", 1, 2)
		h.wait(writeEvery)
		if r := h.records()["anna"]; len(r.Days) != 2 { // 31 days are kept
			t.Errorf("kept are %+v", r)
		}
		h.wait(24 * time.Hour)
		h.carries("anna", 1, 2)
		h.wait(writeEvery)
		if r := h.records()["anna"]; len(r.Days) != 2 || r.From != "2026-12-21" {
			t.Errorf("kept are %+v", r)
		}
		h.wait(31*24*time.Hour + writeEvery)
		if r := h.records()["anna"]; len(r.Days) != 0 {
			t.Errorf("of a phone that rests for a month are kept %+v", r)
		}
	})
}

// TestCountersThatBeginAgain are no reason to count anything twice, or below nothing.
func TestCountersThatBeginAgain(t *testing.T) {
	inHouse(t, "UTC", func(h *house) {
		const today = "2026-11-20"
		set := func(received, sent int64) {
			h.set(func() { h.counters["anna"] = Counters{received, sent} })
			h.wait(sampleEvery)
		}
		h.carries("anna", 1000, 2000)
		set(100, 200) // its key was replaced
		h.want("after a rekey", "anna", map[string]int64{today: 1100})
		set(150, 300)
		h.want("and more", "anna", map[string]int64{today: 1150})
		h.set(func() { delete(h.counters, "anna") }) // disabled
		h.wait(sampleEvery)
		set(150, 300) // and enabled again: it happens to show the same
		h.want("after a break", "anna", map[string]int64{today: 1300})
		set(-5, -10)
		set(0, 0)
		h.want("after nonsense", "anna", map[string]int64{today: 1300})
	})
}

// TestDaysAreLocal: in a zone whose midnight is not UTC's, across the days on which its clock changes, and where midnight does
// not exist.
func TestDaysAreLocal(t *testing.T) {
	for zone, from := range map[string]time.Time{
		"Europe/Berlin":      time.Date(2027, 3, 26, 0, 0, 0, 0, time.UTC),
		"America/Santiago":   time.Date(2027, 9, 2, 0, 0, 0, 0, time.UTC), // midnight of the 5th is skipped
		"Australia/Adelaide": time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC),
		"Pacific/Apia":       time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(zone, func(t *testing.T) {
			inHouseFrom(t, zone, from, func(h *house) {
				want := map[string]int64{}
				for i := range 5 * 24 {
					h.carries("anna", 1, 2)
					want[time.Now().In(h.where).Format(time.DateOnly)]++
					if i%24 == 0 {
						h.want(fmt.Sprint("hour ", i), "anna", want)
					}
					h.wait(time.Hour - sampleEvery)
				}
				h.want("at the end", "anna", want)
				days, err := h.Days("anna")
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range days {
					if before := d.Date.Add(-time.Second).In(h.where).Format(time.DateOnly); before == d.Date.Format(time.DateOnly) {
						t.Errorf("%v is not when its day begins", d.Date)
					}
				}
			})
		})
	}
}

// TestClockThatIsSet: what was counted goes along, what was there before stays.
func TestClockThatIsSet(t *testing.T) {
	for name, at := range map[string]time.Time{
		"1970": time.Unix(60, 0), "2099": time.Date(2099, 5, 5, 5, 0, 0, 0, time.UTC), "last week": time.Date(2026, 11, 14, 12, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, "Europe/Berlin", func(h *house) {
				want := map[string]int64{}
				for range 3 {
					h.carries("anna", 8, 16)
					want[time.Now().In(h.where).Format(time.DateOnly)] += 8
					h.wait(24 * time.Hour)
				}
				h.end()
				h.set(func() { h.wrong, h.unsure = time.Until(at), true })
				clear(h.counters)
				h.start() // a Pi wakes up
				for range 5 {
					h.carries("anna", 4, 8)
					h.wait(time.Hour) // it is written meanwhile
				}
				h.set(func() { h.wrong, h.unsure = 0, false }) // the network tells the time
				h.wait(sampleEvery)
				want[time.Now().In(h.where).Format(time.DateOnly)] += 20
				h.want("when the clock is right", "anna", want)
				h.restart()
				h.want("after a restart", "anna", want)
				h.carries("anna", 1, 2)
				want[time.Now().In(h.where).Format(time.DateOnly)]++
				h.want("the day after", "anna", want)
			})
		})
	}
}

// TestClockThatIsNeverSet keeps no more than a bounded number of days.
func TestClockThatIsNeverSet(t *testing.T) {
	inHouse(t, "UTC", func(h *house) {
		h.set(func() { h.unsure = true })
		for range 100 {
			h.carries("anna", 1, 2)
			h.wait(24 * time.Hour)
		}
		h.restart()
		if r := h.records()["anna"]; len(r.Days) > keepAtMost+3 {
			t.Errorf("%d days are kept", len(r.Days))
		}
		days, err := h.Days("anna")
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range days[1:29] {
			if d.Received != 1 {
				t.Errorf("%v", d)
			}
		}
	})
}

// TestTheCardIsSpared: nothing is written while nothing moves, and no more often than every quarter of an hour otherwise.
func TestTheCardIsSpared(t *testing.T) {
	inHouse(t, "UTC", func(h *house) {
		file := func() string {
			t.Helper()
			b, err := os.ReadFile(h.store.Path())
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		h.carries("anna", 1, 2)
		h.carries("ben", 1, 2)
		h.wait(writeEvery)
		quiet := file()
		h.wait(24 * time.Hour)
		if file() != quiet {
			t.Error("something was written though nothing moved")
		}
		writes, last := 0, quiet
		for range 120 { // an hour
			h.carries("anna", 1, 2)
			if now := file(); now != last {
				writes, last = writes+1, now
			}
		}
		if writes < 3 || writes > 4 {
			t.Errorf("there were %d writes in an hour", writes)
		}
		if ben := h.records()["ben"]; len(ben.Days) != 1 || ben.Days[0][1] != 1 {
			t.Errorf("what did not move is %+v", ben)
		}
	})
}

func TestRemovedPeersAreForgotten(t *testing.T) {
	inHouse(t, "UTC", func(h *house) {
		h.carries("anna", 1, 2)
		h.carries("ben", 1, 2)
		h.wait(writeEvery)
		if r := slices.Sorted(maps.Keys(h.records())); !slices.Equal(r, []string{"anna", "ben"}) {
			t.Fatalf("kept are %v", r)
		}
		h.set(func() { h.known = []string{"anna"}; delete(h.counters, "ben") })
		h.wait(writeEvery + sampleEvery)
		if r := slices.Sorted(maps.Keys(h.records())); !slices.Equal(r, []string{"anna"}) {
			t.Errorf("kept are %v", r)
		}
		h.want("afterwards", "ben", map[string]int64{})
		h.set(func() { h.known = nil; clear(h.counters) })
		h.restart()
		h.wait(writeEvery + sampleEvery)
		if r := h.records(); len(r) != 0 {
			t.Errorf("kept are %v", r)
		}
	})
}

// TestAWriteThatFails loses nothing as long as the process lives, and answers go on.
func TestAWriteThatFails(t *testing.T) {
	inHouse(t, "UTC", func(h *house) {
		h.carries("anna", 1, 2)
		if err := h.store.Close(); err != nil {
			t.Fatal(err)
		}
		h.wait(writeEvery)
		h.want("while nothing can be written", "anna", map[string]int64{"2026-11-20": 1})
		var err error
		if h.store, err = openAgain(h); err != nil {
			t.Fatal(err)
		}
		h.wait(writeEvery)
		if r := h.records()["anna"]; len(r.Days) != 1 || r.Days[0][1] != 1 {
			t.Errorf("kept is %+v", r)
		}
	})
}
