package witness

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// hands is a clock that is set.
type hands struct{ at time.Time }

func (h *hands) now() time.Time { return h.at }

func someBudget(l Limits) (*budget, *hands) {
	h := &hands{time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	return newBudget(l.whole(), h.now), h
}

func TestSixLooksAnHour(t *testing.T) {
	t.Parallel()
	b, clock := someBudget(Limits{})
	home := netip.MustParseAddr("11.0.0.2")
	for i := range 6 {
		end, no := b.begin(home)
		if no != nil {
			t.Fatalf("look %d: %v", i, no)
		}
		end()
		clock.at = clock.at.Add(time.Minute)
	}
	_, no := b.begin(home)
	if no == nil || no.Code != TooOften || no.Again.Sub(clock.at) != 54*time.Minute {
		t.Fatalf("the seventh: %+v", no)
	}
	// Whoever waits as told is let in.
	clock.at = no.Again
	if _, no := b.begin(home); no != nil {
		t.Errorf("after the wait: %v", no)
	}
}

func TestWhoKeepsAskingWaitsLonger(t *testing.T) {
	t.Parallel()
	b, clock := someBudget(Limits{PerAddress: 1})
	home := netip.MustParseAddr("2a77:db8::2")
	if _, no := b.begin(home); no != nil {
		t.Fatal(no)
	}
	clock.at = clock.at.Add(59 * time.Minute)
	var waits []time.Duration
	for range 9 {
		_, no := b.begin(home)
		if no == nil {
			t.Fatal("it was let in")
		}
		waits = append(waits, no.Again.Sub(clock.at))
	}
	want := []time.Duration{1, 1, 2, 4, 8, 16, 32, 60, 60} // minutes: the rest of the hour, then doubled, then the most
	for i := range want {
		if waits[i] != want[i]*time.Minute {
			t.Errorf("refusal %d waits %v, want %v minutes", i, waits[i], want[i])
		}
	}
	clock.at = clock.at.Add(time.Hour)
	if _, no := b.begin(home); no != nil {
		t.Errorf("after all that: %v", no)
	}
}

func TestANetworkAndEverybodyHaveBudgetsToo(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"11.0.0.0", "2a77:db8::"} {
		b, clock := someBudget(Limits{})
		a := netip.MustParseAddr(first)
		for i := range 12 {
			a = a.Next()
			if _, no := b.begin(a); no != nil {
				t.Fatalf("look %d from %s: %v", i, a, no)
			}
			clock.at = clock.at.Add(time.Second)
		}
		if _, no := b.begin(a.Next()); no == nil || no.Code != TooOften {
			t.Errorf("the thirteenth from %s: %v", first, no)
		}
	}
	b, clock := someBudget(Limits{})
	for i := range 60 {
		if _, no := b.begin(nth(i)); no != nil {
			t.Fatalf("look %d: %v", i, no)
		}
	}
	_, no := b.begin(nth(61))
	if no == nil || no.Again.Sub(clock.at) != time.Minute {
		t.Errorf("the sixty-first within a minute: %+v", no)
	}
	clock.at = clock.at.Add(time.Minute + time.Second)
	if _, no := b.begin(nth(61)); no != nil {
		t.Errorf("a minute later: %v", no)
	}
}

func TestTwoLooksOfOneSourceAtOnce(t *testing.T) {
	t.Parallel()
	b, _ := someBudget(Limits{})
	home := nth(1)
	end, _ := b.begin(home)
	if _, no := b.begin(home); no != nil {
		t.Fatal(no)
	}
	if _, no := b.begin(home); no == nil || no.Code != TooBusy {
		t.Errorf("the third: %v", no)
	}
	end()
	if _, no := b.begin(home); no != nil {
		t.Errorf("after one ended: %v", no)
	}
}

func TestGreetingsAreCountedApart(t *testing.T) {
	t.Parallel()
	b, clock := someBudget(Limits{Greetings: 3})
	for range 3 {
		if !b.greet(nth(1)) {
			t.Fatal("it is too early")
		}
	}
	if b.greet(nth(1)) || !b.greet(nth(2)) {
		t.Error("the fourth of one is greeted, or the first of another is not")
	}
	if _, no := b.begin(nth(1)); no != nil {
		t.Errorf("looks are counted with greetings: %v", no)
	}
	clock.at = clock.at.Add(time.Hour)
	if !b.greet(nth(1)) {
		t.Error("an hour later it is not greeted")
	}
}

func TestTenThousandCallers(t *testing.T) {
	t.Parallel()
	b, clock := someBudget(Limits{PerMinute: 1 << 20, Remembered: 4096})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for round := range 7 {
		for i := range 10_000 {
			b.greet(nth(i))
			end, no := b.begin(nth(i))
			if no == nil {
				end()
			}
		}
		clock.at = clock.at.Add(time.Minute)
		if len(b.known) > 4096 || b.order.Len() != len(b.known) {
			t.Fatalf("round %d: %d are remembered", round, len(b.known))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d KiB", int64(after.HeapAlloc-before.HeapAlloc)/1024)
	runtime.KeepAlive(b)
}

// nth is an address in a network of its own.
func nth(i int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 0x0b000001+uint32(i)<<8)
	return netip.AddrFrom4(b)
}
