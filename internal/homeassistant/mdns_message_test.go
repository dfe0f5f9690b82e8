package homeassistant

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

const testUUID = "0123456789abcdef0123456789abcdef"

func name(t testing.TB, s string) dnsmessage.Name {
	t.Helper()
	n, err := dnsmessage.NewName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// announcement is what python-zeroconf sends for Home Assistant: everything at once, with the cache-flush bit.
func announcementRecords(t testing.TB, label string, port uint16, txt []string, addrs ...string) (answers, additionals []dnsmessage.Resource) {
	t.Helper()
	instance, host := name(t, label+"."+service), name(t, testUUID+".local.")
	const flush = dnsmessage.ClassINET | wantUnicast
	answers = []dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: name(t, service), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET, TTL: 10},
		Body:   &dnsmessage.PTRResource{PTR: instance},
	}}
	additionals = []dnsmessage.Resource{
		{
			Header: dnsmessage.ResourceHeader{Name: instance, Type: dnsmessage.TypeSRV, Class: flush, TTL: 10},
			Body:   &dnsmessage.SRVResource{Port: port, Target: host},
		},
		{
			Header: dnsmessage.ResourceHeader{Name: instance, Type: dnsmessage.TypeTXT, Class: flush, TTL: 10},
			Body:   &dnsmessage.TXTResource{TXT: txt},
		},
	}
	for _, s := range addrs {
		additionals = append(additionals, addressRecord(t, testUUID+".local.", s))
	}
	return answers, additionals
}

func addressRecord(t testing.TB, host, s string) dnsmessage.Resource {
	t.Helper()
	header := dnsmessage.ResourceHeader{Name: name(t, host), Class: dnsmessage.ClassINET | wantUnicast, TTL: 10}
	if addr := netip.MustParseAddr(s); addr.Is4() {
		header.Type = dnsmessage.TypeA
		return dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}}
	}
	header.Type = dnsmessage.TypeAAAA
	return dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(s).As16()}}
}

func pack(t testing.TB, m dnsmessage.Message) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func announce(t testing.TB, label string, port uint16, txt []string, addrs ...string) dnsmessage.Message {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true, Authoritative: true}}
	m.Answers, m.Additionals = announcementRecords(t, label, port, txt, addrs...)
	return m
}

var goodTXT = []string{"location_name=Villa Rosa", "UUID=" + testUUID, "version=2026.9.1", "internal_url=", "requires_api_password=True"}

func listenTo(packets ...[]byte) []Announcement {
	h := newHeard()
	for _, p := range packets {
		h.add(p, 7)
	}
	return h.announcements(netip.MustParseAddr("192.168.1.5"))
}

func TestAnnouncementIsRead(t *testing.T) {
	got := listenTo(pack(t, announce(t, "Villa Rosa", 80, goodTXT, "192.168.1.5", "fd00::5")))
	if len(got) != 1 {
		t.Fatalf("announcements = %v, want one", got)
	}
	a := got[0]
	if a.Name != "Villa Rosa" || a.Port != 80 || a.UUID != testUUID || a.Version != "2026.9.1" || a.Installing {
		t.Errorf("announcement = %+v", a)
	}
	want := []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("fd00::5")}
	if !slices.Equal(a.Addrs, want) || a.Source != want[0] {
		t.Errorf("addresses %v from %v, want %v from %v", a.Addrs, a.Source, want, want[0])
	}
}

func TestLandingPageIsStillInstalling(t *testing.T) {
	for _, txt := range [][]string{{"landingpage=True"}, {"LandingPage=true"}, {"version=0000.0.0"}} {
		got := listenTo(pack(t, announce(t, "Home", 80, txt, "192.168.1.5")))
		if len(got) != 1 || !got[0].Installing {
			t.Errorf("%q: %+v, want installing", txt, got)
		}
	}
	if got := listenTo(pack(t, announce(t, "Home", 80, []string{"landingpage="}, "192.168.1.5"))); got[0].Installing {
		t.Error("an empty landingpage counts as installing")
	}
}

// What is missing is asked for, and what comes later completes what came first.
func TestPiecesAreAskedFor(t *testing.T) {
	whole := announce(t, "Home", 8123, goodTXT, "192.168.1.5")
	h := newHeard()
	step := func(records ...dnsmessage.Resource) []string {
		t.Helper()
		h.add(pack(t, dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true}, Answers: records}), 7)
		var asked []string
		for _, q := range h.missing() {
			asked = append(asked, fmt.Sprintf("%s %s", strings.TrimPrefix(q.Type.String(), "Type"), q.Name))
		}
		return asked
	}
	if got, want := step(whole.Answers...), []string{"SRV home." + service, "TXT home." + service}; !slices.Equal(got, want) {
		t.Errorf("after the PTR record asked %q, want %q", got, want)
	}
	if got, want := step(whole.Additionals[:2]...), []string{"A " + testUUID + ".local.", "AAAA " + testUUID + ".local."}; !slices.Equal(got, want) {
		t.Errorf("after SRV and TXT asked %q, want %q", got, want)
	}
	if got := step(whole.Additionals[2:]...); len(got) != 0 {
		t.Errorf("after the address asked %q, want nothing", got)
	}
	if got := h.announcements(netip.Addr{}); len(got) != 1 || got[0].UUID != testUUID {
		t.Errorf("put together: %+v", got)
	}
}

func TestStrangersMessagesAreDropped(t *testing.T) {
	for what, spoil := range map[string]func(*dnsmessage.Message){
		"the answer to another question": func(m *dnsmessage.Message) { m.ID = 8 },
		"a question":                     func(m *dnsmessage.Message) { m.Response = false },
		"an error":                       func(m *dnsmessage.Message) { m.RCode = dnsmessage.RCodeServerFailure },
		"another operation":              func(m *dnsmessage.Message) { m.OpCode = 4 },
		"a goodbye":                      func(m *dnsmessage.Message) { m.Answers[0].Header.TTL = 0 },
		"another class":                  func(m *dnsmessage.Message) { m.Answers[0].Header.Class = dnsmessage.ClassCHAOS },
		"port 0": func(m *dnsmessage.Message) {
			m.Additionals[0].Body = &dnsmessage.SRVResource{Target: name(t, testUUID+".local.")}
		},
		"another service": func(m *dnsmessage.Message) {
			m.Answers[0].Body = &dnsmessage.PTRResource{PTR: name(t, "Home._http._tcp.local.")}
		},
		"no instance": func(m *dnsmessage.Message) {
			m.Answers[0].Body = &dnsmessage.PTRResource{PTR: name(t, service)}
		},
	} {
		m := announce(t, "Home", 8123, goodTXT, "192.168.1.5")
		spoil(&m)
		if got := listenTo(pack(t, m)); len(got) != 0 {
			t.Errorf("%s made announcements %+v", what, got)
		}
	}
}

func TestHostileNamesAreCleaned(t *testing.T) {
	evil := "Home\x1b[2J\r\n\u202eIP"
	got := listenTo(pack(t, announce(t, evil, 8123, []string{
		"uuid=../../etc/passwd", "version=1\x1b[0m", "landingpage=" + strings.Repeat("x", 200),
	}, "192.168.1.5")))
	if len(got) != 1 {
		t.Fatalf("announcements = %v", got)
	}
	if strings.ContainsAny(got[0].Name, "\x1b\r\n\u202e") || !strings.Contains(got[0].Name, "Home") {
		t.Errorf("name %q is not clean", got[0].Name)
	}
	if got[0].UUID != "" || got[0].Version != "" {
		t.Errorf("UUID %q and version %q, want none: they have not the form of such", got[0].UUID, got[0].Version)
	}
}

// TestLiesAreSurvived sends what DNS parsers have fallen over.
func TestLiesAreSurvived(t *testing.T) {
	good := pack(t, announce(t, "Home", 8123, goodTXT, "192.168.1.5"))

	loop := make([]byte, 12, 64) // a name that points to itself
	copy(loop, good[:4])
	binary.BigEndian.PutUint16(loop[6:], 1)
	loop = append(loop, 0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12)

	counts := slices.Clone(good) // 65,535 records of each kind, as the header says
	for i := 4; i < 12; i++ {
		counts[i] = 0xff
	}
	many := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true}}
	for i := range 10_000 {
		many.Answers = append(many.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: name(t, service), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET, TTL: 9},
			Body:   &dnsmessage.PTRResource{PTR: name(t, fmt.Sprintf("h%d.%s", i, service))},
		})
	}
	h := newHeard()
	for cut := range len(good) {
		h.add(good[:cut], 7)
	}
	h.add(loop, 7)
	h = newHeard()
	h.add(counts, 7)
	h.add(pack(t, many), 7)
	if len(h.labels) > mostKept || len(h.missing()) > 4*mostKept {
		t.Errorf("10,000 records left %d instances and %d questions, want at most %d", len(h.labels), len(h.missing()), mostKept)
	}

	// A record that does not hold does not cost the others: here a name with a dot inside a label.
	bad := announce(t, "Home", 8123, goodTXT, "192.168.1.5")
	bad.Answers = append([]dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: name(t, "x-y.local."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 9},
		Body:   &dnsmessage.AResource{A: [4]byte{192, 168, 1, 9}},
	}}, bad.Answers...)
	b := pack(t, bad)
	b[slices.Index(b, 'x')+1] = '.'
	if got := listenTo(b); len(got) != 1 {
		t.Errorf("after a bad record: %v, want the good announcement", got)
	}

	// One sender may talk only so long.
	h = newHeard()
	for range mostMessages {
		h.add(loop, 7)
	}
	h.add(good, 7)
	if len(h.labels) != 0 {
		t.Errorf("a sender was read after %d messages", mostMessages)
	}
}

func TestUsableAddresses(t *testing.T) {
	onLink := func(addr netip.Addr) bool { return addr != netip.MustParseAddr("192.168.9.9") }
	var addrs []netip.Addr
	for _, s := range []string{
		"fd00::5", "2001:db8::5", "8.8.8.8", "fe80::5", "127.0.0.1", "::1", "192.168.9.9", "0.0.0.0", "224.0.0.1",
		"100.64.0.1", "192.168.1.5", "fd00::5",
	} {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	want := []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("fd00::5")}
	if got := usable(addrs, onLink); !slices.Equal(got, want) {
		t.Errorf("usable = %v, want %v: private, on-link, IPv4 first", got, want)
	}
}

// FuzzHeard: no message makes us fall over, keep more than a little, or print what steers a terminal.
func FuzzHeard(f *testing.F) {
	f.Add(pack(f, announce(f, "Home", 8123, goodTXT, "192.168.1.5", "fd00::5")))
	f.Add(pack(f, announce(f, "H\x1b[31m", 80, []string{"uuid", "=", ""}, "8.8.8.8")))
	latin := announce(f, strings.Repeat("\xfd", 60), 80, nil) // no UTF-8: it must be asked for byte by byte
	latin.Additionals = nil
	f.Add(pack(f, latin))
	f.Add([]byte{0, 7, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 12})
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) > 1 {
			packet[0], packet[1] = 0, 7
		}
		h := newHeard()
		h.add(packet, 7)
		h.add(packet, 7)
		if len(h.labels) > mostKept || len(h.srv) > mostKept || len(h.txt) > mostKept || len(h.addrs) > mostKept {
			t.Error("too much was kept")
		}
		if _, err := query(7, h.missing()); err != nil {
			t.Errorf("what is missing cannot be asked: %v", err)
		}
		for _, a := range h.announcements(netip.Addr{}) {
			if a.Name != clean(a.Name) || a.Host != clean(a.Host) || a.UUID != "" && !isUUID(a.UUID) || a.Port == 0 || len(a.Addrs) > mostKept {
				t.Errorf("announcement %+v is not clean", a)
			}
		}
	})
}
