package homeassistant

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// The household's own Home Assistant, and a neighbour on its network, who has as many addresses as it likes.
var household = netip.MustParseAddr("192.168.1.5")

func neighbour(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("fe80::%x%%eth0", i+1)) }

// question7 is an open question with the id that announce answers; 10.0.0.0/8 is not on-link.
func question7() *senders {
	return newSenders(7, (*heard).announces, func(addr netip.Addr) bool {
		return !netip.MustParsePrefix("10.0.0.0/8").Contains(addr)
	})
}

func knows(said Hearsay, source netip.Addr) bool {
	return slices.ContainsFunc(said.Announcements, func(a Announcement) bool { return a.Source == source })
}

// Whatever a neighbour sends first, the household's Home Assistant is heard, or the answer says that there was a crowd.
func TestAShoutingNeighbour(t *testing.T) {
	ours := announce(t, "Home", 8123, goodTXT, household.String())
	another := func(spoil func(*dnsmessage.Message)) []byte {
		m := announce(t, "Home", 8123, goodTXT, household.String())
		spoil(&m)
		return pack(t, m)
	}
	from := func(n int, bytes []byte) (all []message) {
		for i := range n {
			all = append(all, message{neighbour(i), bytes})
		}
		return all
	}
	var remote []message
	for i := range 40 {
		remote = append(remote, message{netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), pack(t, ours)})
	}
	inOurName := func(n int, bytes []byte) []message { return slices.Repeat([]message{{household, bytes}}, n) }
	instances := func(m *dnsmessage.Message) {
		m.Additionals = nil
		for i := range mostKept {
			records, _ := announcementRecords(t, fmt.Sprintf("x%d", i), 9, nil)
			m.Answers = append(records, m.Answers...)
		}
	}
	addresses := func(m *dnsmessage.Message) {
		for i := range mostKept {
			m.Additionals = append(m.Additionals, addressRecord(t, testUUID+".local.", fmt.Sprintf("192.168.1.%d", 100+i)))
		}
	}

	for what, c := range map[string]struct {
		shouts  []message
		heard   bool
		crowded bool
	}{
		"nothing":                     {nil, true, false},
		"one byte from 300 addresses": {from(300, []byte{0}), true, true}, // the kernel may have dropped more
		"one byte from 60 addresses":  {from(60, []byte{0}), true, false},
		"answers to others":           {from(60, another(func(m *dnsmessage.Message) { m.ID = 8 })), true, false},
		"another service":             {from(60, another(func(m *dnsmessage.Message) { m.Answers = nil })), true, false},
		"from networks far away":      {remote, true, false},
		"a few long messages":         {from(10, make([]byte, 9000*2)), true, true},
		"40 Home Assistants":          {from(40, pack(t, ours)), false, true},
		"64 messages in its name":     {inOurName(mostMessages, another(func(m *dnsmessage.Message) { m.Additionals = nil })), false, true},
		"64 empty ones in its name":   {inOurName(mostMessages, another(func(m *dnsmessage.Message) { m.Answers = nil })), true, false},
		"64 strangers in its name":    {inOurName(mostMessages, another(func(m *dnsmessage.Message) { m.ID = 8 })), true, false},
		"16 instances in its name":    {inOurName(1, another(instances)), false, true},
		"16 addresses in its name":    {inOurName(1, another(addresses)), true, true},
		"its host with another port": {inOurName(1, another(func(m *dnsmessage.Message) {
			m.Additionals[0].Body = &dnsmessage.SRVResource{Target: name(t, testUUID+".local."), Port: 9}
		})), true, true},
		"that it is still installing": {inOurName(1, another(func(m *dnsmessage.Message) {
			m.Additionals[1].Body = &dnsmessage.TXTResource{TXT: []string{"landingpage=true"}}
		})), true, true},
	} {
		t.Run(what, func(t *testing.T) {
			s := question7()
			s.hear(message{neighbour(999), pack(t, ours)}) // the one that would be left
			for _, m := range c.shouts {
				s.hear(m)
			}
			s.hear(message{household, pack(t, ours)})
			said := s.hearsay()
			if said.Crowded != c.crowded {
				t.Errorf("crowded = %v, want %v", said.Crowded, c.crowded)
			}
			if c.heard && !knows(said, household) {
				t.Errorf("the household's own is not among %d announcements", len(said.Announcements))
			}
			if !knows(said, household) && !said.Crowded {
				t.Error("the household's own was drowned out, and nothing says so")
			}
			if len(s.said) > mostSenders || s.lookUps > mostLookUps {
				t.Errorf("%d senders were kept and %d looked up", len(s.said), s.lookUps)
			}
		})
	}
}

// Each sender is asked for what it left open, whatever others leave open.
func TestFollowUpsAreEachSendersOwn(t *testing.T) {
	half := announce(t, "Home", 8123, goodTXT, household.String())
	half.Additionals = nil
	s := question7()
	follow := func(source netip.Addr) bool {
		t.Helper()
		h := s.hear(message{source, pack(t, half)})
		return h != nil && len(s.open(h)) > 0
	}
	for i := range mostFollowUps {
		if !follow(neighbour(0)) {
			t.Fatalf("the neighbour's answer %d was not followed up", i+1)
		}
	}
	if s.crowded {
		t.Error("one incomplete sender is a crowd")
	}
	if follow(neighbour(0)) || !s.crowded {
		t.Error("the same neighbour is asked without end, or nothing says that it was left")
	}
	if !follow(household) {
		t.Error("the household's own is not asked for the rest, because a neighbour used the questions up")
	}
	asked := mostFollowUps + 1
	for i := range 10 * mostAsked {
		if follow(neighbour(i)) {
			asked++
		}
	}
	if asked > mostAsked {
		t.Errorf("%d questions were asked because of a crowd, want at most %d", asked, mostAsked)
	}
}

// Over real sockets: junk in front of an answer changes nothing but the verdict.
func TestBrowseInACrowd(t *testing.T) {
	t.Parallel()
	r := &responder{zone: zoneOf(t), all: true, junk: loud}
	m := start(t, r, false)
	got, err := m.browse(t.Context())
	if err != nil || len(got.Announcements) != 1 || !got.Crowded {
		t.Errorf("browse = %+v, %v, want the announcement, and that there was a crowd", got, err)
	}
}

func TestAnnouncementsTakeTurns(t *testing.T) {
	var all []Announcement
	for i := range 3 {
		for _, source := range []string{"192.168.1.66", "192.168.1.67"} {
			all = append(all, Announcement{Source: netip.MustParseAddr(source), Name: fmt.Sprintf("! %d", i)})
		}
	}
	all = append(all, Announcement{Source: household, Name: "Home"})
	var got []string
	for _, a := range inTurn(all) {
		got = append(got, a.Name)
	}
	if want := []string{"! 0", "! 0", "Home", "! 1", "! 1", "! 2", "! 2"}; !slices.Equal(got, want) {
		t.Errorf("in turn: %q, want %q", got, want)
	}
}
