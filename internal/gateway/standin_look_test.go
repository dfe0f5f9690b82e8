package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

const home = "192.168.77.20"

func TestTables(t *testing.T) {
	t.Parallel()
	many := func(n int) (rows []Mapping) {
		for i := range n {
			rows = append(rows, tcp(uint16(1000+i), home, 80))
		}
		return rows
	}
	added := false
	for _, c := range []struct {
		name     string
		set      func(*router)
		rows     int
		complete bool
		table    bool
	}{
		{"empty", func(*router) {}, 0, true, true},
		{"forty", func(r *router) { r.rows = many(40) }, 40, true, true},
		{"of an old FRITZ!Box", func(r *router) { r.services, r.rows = []string{connections[4]}, many(2) }, 2, true, true},
		{"shown by two services", func(r *router) { r.services, r.rows = connections[1:3], many(3) }, 3, true, true},
		{"with a row that comes meanwhile, first", func(r *router) {
			r.rows = many(5)
			r.action = func(_ string, in map[string]string) (any, int) {
				if in["NewPortMappingIndex"] == "2" && !added {
					r.rows, added = append([]Mapping{tcp(443, home, 8123)}, r.rows...), true
				}
				return nil, 0
			}
		}, 6, true, true},
		{"with an index that is ignored", func(r *router) {
			r.action = func(name string, _ map[string]string) (any, int) {
				if name == "GetGenericPortMappingEntry" {
					return row(tcp(443, home, 8123)), 0
				}
				return nil, 0
			}
		}, 1, true, true},
		{"without end", func(r *router) {
			next := uint16(0)
			r.action = func(name string, _ map[string]string) (any, int) {
				if name == "GetGenericPortMappingEntry" {
					next++
					return row(tcp(next, home, 8123)), 0
				}
				return nil, 0
			}
		}, maxEntries, false, true},
		{"with an end that is another fault", func(r *router) {
			r.action = func(name string, in map[string]string) (any, int) {
				if in["NewPortMappingIndex"] == "1" {
					return nil, 402
				}
				return nil, 0
			}
			r.rows = many(3)
		}, 1, true, true},
		{"of answers without end", func(r *router) {
			r.rows = many(1)
			r.action = func(name string, _ map[string]string) (any, int) {
				if name == "GetGenericPortMappingEntry" {
					return strings.Repeat("<a>1</a>", maxBody/8+1), 0
				}
				return nil, 0
			}
		}, 0, false, true},
		{"of rows that make no sense", func(r *router) {
			rows := many(3)
			rows[0].Client, rows[1].Protocol = "", "SCTP"
			r.rows = rows
		}, 1, true, true},
		{"that leads a description elsewhere", func(r *router) {
			r.description = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Location", "http://127.0.0.2:1/")
				w.WriteHeader(http.StatusFound)
				return true
			}
		}, 0, false, false},
		{"a file and no HTTP", func(r *router) { r.location = "file:///etc/passwd" }, 0, false, false},
		{"by https", func(r *router) { r.location = "https://127.0.0.1/" }, 0, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, g := newRouter(t)
			r.set(c.set)
			p := look(t, g)
			if len(p.Mappings) != c.rows || p.Complete != c.complete || p.Table != c.table {
				t.Errorf("%d rows, complete %t, table %t: %+v", len(p.Mappings), p.Complete, p.Table, p)
			}
		})
	}
}

// TestAURLOfTheRouterLeadsToTheRouter has a description that names a third machine, by every way there is.
func TestAURLOfTheRouterLeadsToTheRouter(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	victim := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	var err error
	if victim.Listener, err = listenOn(t, "127.0.0.2:0"); err != nil {
		t.Skip(err)
	}
	victim.Start()
	defer victim.Close()
	r, g := newRouter(t)
	describe := func(w http.ResponseWriter, _ *http.Request) bool {
		service := fmt.Sprintf(serviceText, connections[1], victim.URL+"/ctl") + fmt.Sprintf(serviceText, connections[2], "//127.0.0.2/ctl")
		fmt.Fprint(w, strings.Replace(fmt.Sprintf(descriptionText, service), "<device>", "<URLBase>"+victim.URL+"</URLBase><device>", 1))
		return true
	}
	r.set(func(r *router) {
		r.location, r.description = strings.Replace(r.URL, "127.0.0.1", "router.example", 1)+"/desc.xml", describe
	})
	p := look(t, g)
	if visits.Load() != 0 || len(p.Mappings) != 0 {
		t.Errorf("a third machine was asked %d times", visits.Load())
	}
}

// TestARouterThatHangs must not hang us; it is asked one thing and left alone.
func TestARouterThatHangs(t *testing.T) {
	t.Parallel()
	r, g := newRouter(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	r.set(func(r *router) {
		r.services = connections[:3]
		r.action = func(string, map[string]string) (any, int) { <-release; return nil, 0 }
	})
	began := time.Now()
	p := look(t, g)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if p.Table || p.Complete {
		t.Errorf("%+v", p)
	}
}

func TestWhatItSaysOfItself(t *testing.T) {
	t.Parallel()
	r, g := newRouter(t)
	r.set(func(r *router) {
		r.services = []string{connections[1], firewallControl}
		r.datagram = func(b []byte) []byte {
			if b[0] != pmpVersion {
				return []byte{0, 0x80, 0, 1} // it knows no later version
			}
			return []byte{0, 0x80, 0, 0, 0, 0, 0, 99, 100, 64, 1, 2}
		}
	})
	p := look(t, g)
	if p.Firewall6 != FirewallOff || p.UDN != "uuid:stand-in" || p.BootID != "7" {
		t.Errorf("%+v", p)
	}
	if p.Epoch.By != NATPMP || p.Epoch.Seconds != 99 || fmt.Sprint(p.Speaks) != "[upnp nat-pmp]" {
		t.Errorf("%+v", p)
	}
	if p.Address() != netip.MustParseAddr("11.0.0.2") || len(p.External) != 2 {
		t.Errorf("the one that is on the internet of two addresses: %+v", p.External)
	}
}

// TestAGlanceNoticesARestart, also where neither the port of the services nor a count of seconds shows it.
func TestAGlanceNoticesARestart(t *testing.T) {
	t.Parallel()
	r, g := newRouter(t)
	before := look(t, g)
	glance := func() Picture {
		p, err := g.Glance(t.Context(), 8123)
		if err != nil || !p.Table {
			t.Errorf("%+v, %v", p, err)
		}
		return p
	}
	if p := glance(); p.Restarted(before) || p.BootID != "7" {
		t.Errorf("nothing happened: %+v", p)
	}
	r.set(func(r *router) { r.bootID = "8" })
	if p := glance(); !p.Restarted(before) || p.BootID != "8" {
		t.Errorf("it started anew: %+v", p)
	}
}

func TestNobodyToAsk(t *testing.T) {
	t.Parallel()
	for _, route := range []netinfo.Route{
		{}, {Gateway: netip.MustParseAddr("11.0.0.1")}, {Gateway: netip.MustParseAddr("100.64.0.1")}, {Gateway: netip.MustParseAddr("fe80::1")},
	} {
		g := New(Config{Route: func() (netinfo.Route, error) { return route, nil }})
		if _, err := g.Look(t.Context()); !errors.Is(err, ErrNoGateway) {
			t.Errorf("%v: %v", route, err)
		}
	}
	g := New(Config{Route: func() (netinfo.Route, error) { return netinfo.Route{}, netinfo.ErrNoDefaultRoute }})
	if _, err := g.Open(t.Context(), 1, time.Minute); !errors.Is(err, ErrNoGateway) {
		t.Error(err)
	}
}

func TestOpeningIsCareful(t *testing.T) {
	t.Parallel()
	none := func(*router) {}
	same := func(b []byte) []byte { return b }
	for _, c := range []struct {
		name     string
		set      func(*router)
		datagram func([]byte) []byte
		by       Protocol // empty: it does not open
		port     uint16   // outside
	}{
		{"by PCP", none, pcpServer(same), PCP, 50000},
		{"by PCP, at another port", none, pcpServer(func(b []byte) []byte {
			if len(b) >= 60 {
				binary.BigEndian.PutUint16(b[42:], 61000)
			}
			return b
		}), PCP, 61000},
		{"PCP with another's nonce is not believed", none, pcpServer(func(b []byte) []byte {
			if len(b) >= 60 {
				b[24] ^= 1
			}
			return b
		}), UPnP, 50000},
		{"PCP that refuses", none, pcpServer(func(b []byte) []byte { b[3] = 2; return b }), UPnP, 50000},
		{"by UPnP, whose port is taken", func(r *router) { r.rows = []Mapping{tcp(50000, home, 80)} }, nil, UPnP, 50001},
		{"by UPnP that has only leases without end", func(r *router) {
			r.action = func(name string, _ map[string]string) (any, int) {
				if name == "AddPortMapping" {
					return nil, faultOnlyForever
				}
				return nil, 0
			}
		}, nil, "", 0},
		{"by UPnP that keeps for ever what it is to keep for a time", func(r *router) { r.forever = true }, nil, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, g := newRouter(t)
			r.set(c.set)
			r.set(func(r *router) { r.datagram = c.datagram })
			before := len(r.rows)
			o, err := g.Open(t.Context(), 50000, 2*time.Minute)
			if c.by == "" {
				if !errors.Is(err, ErrRefused) {
					t.Errorf("opened by %s: %v", o.By, err)
				}
				r.mu.Lock()
				defer r.mu.Unlock()
				if len(r.rows) != before {
					t.Errorf("left: %+v", r.rows)
				}
				return
			}
			if err != nil || o.By != c.by || o.External != netip.AddrPortFrom(netip.MustParseAddr("11.0.0.2"), c.port) {
				t.Fatalf("by %s at %v, %v", o.By, o.External, err)
			}
			if err := o.Close(t.Context()); err != nil {
				t.Error(err)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.rows) != before {
				t.Errorf("left: %+v", r.rows)
			}
		})
	}
}
