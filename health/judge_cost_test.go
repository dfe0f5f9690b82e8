package health

import (
	"net/netip"
	"testing"
	"time"
)

// aLoudWeek is a week with a router whose table has many rows, notices that stay, and two witnesses.
func aLoudWeek(f Facts) (seen []Observation) {
	for ago := 7 * 24 * time.Hour; ago > 0; ago -= 5 * time.Minute {
		n := noticesSayNothing(ago)
		seen = append(seen, n)
		if ago%(15*time.Minute) == 0 {
			for port := range uint16(16) {
				o := mapping(ago, 1000+port, pub4)
				o.State, o.Why, o.Identity, o.Round = Untested, MappingOther, Nobody, n.Round
				seen = append(seen, o)
			}
			seen = append(seen, routerSaysNothing(ago))
		}
		if ago%(6*time.Hour) == 0 {
			seen = append(append(seen, allClosed(f, ago)...), allClosed(f, ago, by("lake"))...)
		}
	}
	return seen
}

// TestALoudRouterDrownsNobodyOut: what is seen often takes room from nothing that is seen rarely.
func TestALoudRouterDrownsNobodyOut(t *testing.T) {
	f := household()
	f.Seats = append(f.Seats, Seat{Witness, "lake", true})
	f.Page = 0
	seen := prune(aLoudWeek(f), noon)
	witness := 0
	for _, o := range seen {
		if o.Kind == Witness {
			witness++
		}
	}
	if want := 28 * 2 * len(f.Ports()); witness != want {
		t.Errorf("of %d observations by witnesses %d are left, of %d in all", want, witness, len(seen))
	}
	if len(seen) > 1000 {
		t.Errorf("%d observations are kept", len(seen))
	}
	began := time.Now()
	Judge(noon, f, seen, nil)
	if took := time.Since(began); took > 250*time.Millisecond {
		t.Errorf("a verdict takes %v", took)
	}
}

func BenchmarkJudge(b *testing.B) {
	f := household()
	seen := prune(aLoudWeek(f), noon)
	b.ReportMetric(float64(len(seen)), "observations")
	for b.Loop() {
		Judge(noon, f, seen, nil)
	}
}

// BenchmarkJudgeCrowd is with four witnesses and all addresses that Home Assistant may have.
func BenchmarkJudgeCrowd(b *testing.B) {
	f := dualStack()
	for _, name := range []string{"lake", "hill", "wood"} {
		f.Seats = append(f.Seats, Seat{Witness, name, true})
	}
	for i := range byte(7) {
		a := home6.As16()
		a[15] = 0x80 + i
		f.Home.Global6 = append(f.Home.Global6, netip.AddrFrom16(a))
	}
	var seen []Observation
	for ago := 7 * 24 * time.Hour; ago > 0; ago -= 6 * time.Hour {
		for _, s := range f.able() {
			seen = append(seen, allClosed(f, ago, by(s.Name))...)
		}
	}
	seen = prune(seen, noon)
	b.ReportMetric(float64(len(seen)), "observations")
	for b.Loop() {
		Judge(noon, f, seen, nil)
	}
}
