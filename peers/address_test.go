package peers

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestAddressesOfAnIndex(t *testing.T) {
	s := Server{Network4: netip.MustParsePrefix("10.123.176.0/20"), Network6: netip.MustParsePrefix("fd00:1:2::/64")}
	for index, want := range map[int]string{
		1:    "10.123.176.1 fd00:1:2::1",
		2:    "10.123.176.2 fd00:1:2::2",
		256:  "10.123.177.0 fd00:1:2::100",
		4094: "10.123.191.254 fd00:1:2::ffe",
	} {
		v4, v6 := s.addresses(index)
		if got := v4.String() + " " + v6.String(); got != want {
			t.Errorf("index %d has %s, want %s", index, got, want)
		}
	}
	if s.lastUsable() != 4094 {
		t.Errorf("the last index of a /20 is %d", s.lastUsable())
	}
}

func TestAddressesRestAndRunOut(t *testing.T) {
	inHouse(t, func(h *house) {
		h.smallNetwork(29) // .1 is the server, .6 the admin page, .2 to .5 are for phones
		given := map[string]string{}
		for i := range 4 {
			p := h.add(fmt.Sprint("phone ", i)).Peer
			given[p.Pair.IPv4.String()] = p.ID
		}
		for _, want := range []string{"10.200.16.2", "10.200.16.3", "10.200.16.4", "10.200.16.5"} {
			if given[want] == "" {
				t.Errorf("nobody has %s: %v", want, given)
			}
		}
		_, err := h.Add(AddRequest{Name: "one more"})
		if !errors.Is(err, ErrNoAddress) || !strings.Contains(err.Error(), "all 4") {
			t.Errorf("adding to a full network: %v", err)
		}
		if _, err := h.Rekey(given["10.200.16.2"], nil, true); !errors.Is(err, ErrNoAddress) {
			t.Errorf("rekeying in a full network: %v", err)
		}
		if err := h.Remove(given["10.200.16.4"]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24*time.Hour - time.Second)
		h.sweep()
		h.restart()
		if _, err := h.Add(AddRequest{Name: "one more"}); !errors.Is(err, ErrNoAddress) {
			t.Errorf("a removed peer's address does not rest for a day: %v", err)
		}
		time.Sleep(time.Second)
		if p := h.add("one more").Peer; p.Pair.IPv4.String() != "10.200.16.4" {
			t.Errorf("after a day the free address is not given: %v", p.Pair.IPv4)
		}
	})
}

// TestFreshAddressesFirst: an address that had been used comes back only when the
// network has been gone through.
func TestFreshAddressesFirst(t *testing.T) {
	inHouse(t, func(h *house) {
		h.smallNetwork(28) // indexes 2 to 13
		for i := range 12 {
			e := h.add("Anna")
			if want := netip.MustParseAddr(fmt.Sprintf("10.200.16.%d", i+2)); e.Peer.Pair.IPv4 != want {
				t.Fatalf("phone %d has %v, want %v", i, e.Peer.Pair.IPv4, want)
			}
			if err := h.Remove(e.Peer.ID); err != nil {
				t.Fatal(err)
			}
			time.Sleep(25 * time.Hour)
			h.sweep()
		}
		if e := h.add("Anna"); e.Peer.Pair.IPv4.String() != "10.200.16.2" {
			t.Errorf("the network begins again at %v", e.Peer.Pair.IPv4)
		}
	})
}

// TestRestSurvivesAWrongClock: a rest that began while the clock was a century
// ahead ends a day after the clock is right.
func TestRestSurvivesAWrongClock(t *testing.T) {
	inHouse(t, func(h *house) {
		h.smallNetwork(29) // four phones
		id := h.add("Anna").Peer.ID
		for i := range 3 {
			h.add(fmt.Sprint("phone ", i))
		}
		h.clock.wrong, h.clock.unsure = 99*365*24*time.Hour, true
		if err := h.Remove(id); err != nil {
			t.Fatal(err)
		}
		h.clock.wrong, h.clock.unsure = 0, false
		h.sweep()
		time.Sleep(24 * time.Hour)
		h.add("Ben")
	})
}
