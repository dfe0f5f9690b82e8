package homeassistant

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
)

// A responder answers multicast DNS questions from this process, really over UDP.
type responder struct {
	conn  *net.UDPConn
	zone  []dnsmessage.Resource // what it knows
	all   bool                  // whether it sends everything along with the first answer
	deaf  int32                 // how many questions it loses first
	junk  int                   // how many empty messages it sends before an answer
	asked atomic.Int32
	qu    atomic.Bool // whether every question asked for a unicast answer
}

func (r *responder) serve() {
	r.qu.Store(true)
	buffer := make([]byte, 9000)
	for {
		n, from, err := r.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var q dnsmessage.Message
		if q.Unpack(buffer[:n]) != nil || q.Response {
			continue
		}
		if r.asked.Add(1) <= r.deaf {
			continue
		}
		if reply := r.reply(q); len(reply.Answers) > 0 {
			b, err := reply.Pack()
			if err == nil {
				for range r.junk {
					_, _ = r.conn.WriteTo([]byte{0}, from)
				}
				_, _ = r.conn.WriteTo(b, from)
			}
		}
	}
}

func (r *responder) reply(q dnsmessage.Message) dnsmessage.Message {
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, Authoritative: true}}
	for _, question := range q.Questions {
		if question.Class&wantUnicast == 0 {
			r.qu.Store(false)
		}
		for _, record := range r.zone {
			if record.Header.Type == question.Type && strings.EqualFold(record.Header.Name.String(), question.Name.String()) {
				reply.Answers = append(reply.Answers, record)
			} else if r.all {
				reply.Additionals = append(reply.Additionals, record)
			}
		}
	}
	return reply
}

// start runs a responder on loopback and returns it with an mdns that asks it, by unicast or through the multicast
// group on the loopback link.
func start(t *testing.T, r *responder, multicast bool) mdns {
	t.Helper()
	lo := netip.MustParseAddr("127.0.0.1")
	var err error
	group := &net.UDPAddr{IP: lo.AsSlice()}
	if multicast {
		link, err := net.InterfaceByName(loopbackName(t))
		if err != nil {
			t.Fatal(err)
		}
		r.conn, err = net.ListenMulticastUDP("udp4", link, &net.UDPAddr{IP: group4.IP})
		if err != nil {
			t.Fatal(err)
		}
		group.IP = group4.IP
	} else if r.conn, err = net.ListenUDP("udp4", group); err != nil {
		t.Fatal(err)
	}
	at, _ := r.conn.LocalAddr().(*net.UDPAddr)
	group.Port = at.Port
	t.Cleanup(func() { _ = r.conn.Close() })
	go r.serve()

	return mdns{
		onLink: func(addr netip.Addr) bool { return addr == lo || addr.IsPrivate() },
		open: func() ([]*voice, error) {
			conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: lo.AsSlice()})
			if err != nil {
				return nil, err
			}
			link, err := net.InterfaceByName(loopbackName(t))
			if err != nil {
				return nil, err
			}
			if err := ipv4.NewPacketConn(conn).SetMulticastInterface(link); err != nil {
				return nil, err
			}
			return []*voice{{conn, group}}, nil
		},
	}
}

func loopbackName(t *testing.T) string {
	t.Helper()
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if link.Flags&net.FlagLoopback != 0 && link.Flags&net.FlagUp != 0 {
			return link.Name
		}
	}
	t.Fatal("this machine has no loopback interface")
	return ""
}

func zoneOf(t *testing.T) []dnsmessage.Resource {
	t.Helper()
	answers, additionals := announcementRecords(t, "Villa Rosa", 8123, goodTXT, "192.168.1.5")
	return append(answers, additionals...)
}

func TestBrowse(t *testing.T) {
	for what, c := range map[string]struct {
		responder *responder
		multicast bool
		questions int32
	}{
		"everything at once":              {&responder{all: true}, false, 2}, // one, and again after a second
		"piece by piece":                  {&responder{}, false, 4},          // PTR, SRV+TXT, A+AAAA, and again
		"the first question is lost":      {&responder{all: true, deaf: 1}, false, 2},
		"through the multicast group":     {&responder{all: true}, true, 2},
		"piece by piece, through a group": {&responder{}, true, 4},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := c.responder
			r.zone = zoneOf(t)
			m := start(t, r, c.multicast)
			began := time.Now()
			got, err := m.browse(t.Context())
			if err != nil || len(got.Announcements) != 1 || got.Crowded {
				t.Fatalf("browse = %+v, %v, want one announcement", got, err)
			}
			a := got.Announcements[0]
			if a.Name != "Villa Rosa" || a.Port != 8123 || a.UUID != testUUID || !slices.Equal(a.Addrs, []netip.Addr{netip.MustParseAddr("192.168.1.5")}) {
				t.Errorf("browse = %+v", a)
			}
			if took := time.Since(began); took > 3*listenFor {
				t.Errorf("browsing took %v, want about %v", took, listenFor)
			}
			if n := r.asked.Load(); n > c.questions {
				t.Errorf("%d questions were asked, want at most %d", n, c.questions)
			}
			if !r.qu.Load() {
				t.Error("a question did not ask for a unicast answer")
			}
		})
	}
}

func TestBrowseDropsAnswersFromElsewhere(t *testing.T) {
	t.Parallel()
	r := &responder{zone: zoneOf(t), all: true}
	m := start(t, r, false)
	m.onLink = func(netip.Addr) bool { return false }
	if got, err := m.browse(t.Context()); err != nil || len(got.Announcements) != 0 {
		t.Errorf("browse = %+v, %v, want nothing from a sender that is not on-link", got, err)
	}
	if r.asked.Load() == 0 {
		t.Error("nothing was asked")
	}
}

func TestBrowseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	m := start(t, &responder{}, false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	if _, err := m.browse(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > listenFor/2 {
		t.Errorf("browsing went on for %v after its context ended", took)
	}
}

func TestResolveLocalName(t *testing.T) {
	t.Parallel()
	host := "homeassistant.local."
	r := &responder{zone: []dnsmessage.Resource{
		addressRecord(t, "HomeAssistant.local.", "192.168.1.5"), addressRecord(t, host, "8.8.8.8"), addressRecord(t, "other.local.", "192.168.1.6"),
	}}
	m := start(t, r, false)
	began := time.Now()
	got, err := m.lookUp(t.Context(), "homeassistant.local")
	if err != nil || !slices.Equal(got, []netip.Addr{netip.MustParseAddr("192.168.1.5")}) {
		t.Errorf("lookUp = %v, %v, want 192.168.1.5 and nothing public", got, err)
	}
	if took := time.Since(began); took > listenFor {
		t.Errorf("it took %v, although the answer was there at once", took)
	}
	if got, err := m.lookUp(t.Context(), "nobody.local"); err == nil || len(got) != 0 {
		t.Errorf("lookUp of a name that nobody has = %v, %v", got, err)
	}
}

func TestLookUpAddress(t *testing.T) {
	t.Parallel()
	var m mdns
	got, err := m.lookUp(t.Context(), "::ffff:192.168.1.5")
	if err != nil || !slices.Equal(got, []netip.Addr{netip.MustParseAddr("192.168.1.5")}) {
		t.Errorf("lookUp = %v, %v", got, err)
	}
	if got, err := m.lookUp(t.Context(), "no-such-host.invalid"); err == nil {
		t.Errorf("lookUp of a name that does not exist = %v", got)
	}
}

// TestRealLinks opens what this machine has; a machine without any network says so.
func TestRealLinks(t *testing.T) {
	voices, err := openVoices()
	if err != nil && err != errNoLink { //nolint:errorlint // returned bare
		t.Fatal(err)
	}
	for _, v := range voices {
		if err := v.conn.Close(); err != nil {
			t.Error(err)
		}
	}
}
