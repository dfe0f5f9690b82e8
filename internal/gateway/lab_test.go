package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/netinfo"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// These tests ask Debian's own miniupnpd, on the router of a household.

// on gives a Gateway that stands on a host of the lab.
func on(l *lab.Lab, h *lab.Host) *Gateway {
	return New(Config{
		Route: func() (netinfo.Route, error) { return netinfo.Route{Gateway: l.Router.Addr4, Source: h.Addr4}, nil },
		Route6: func() (netinfo.Route, error) {
			return netinfo.Route{Link: "eth0", Gateway: l.Router.Addr6, Source: h.Addr6}, nil
		},
		Dial:         h.Dial,
		ListenPacket: h.ListenPacket,
	})
}

func look(t *testing.T, g *Gateway) Picture {
	t.Helper()
	p, err := g.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mapTo makes a mapping as a device on the LAN would, with all that UPnP allows.
func mapTo(t *testing.T, g *Gateway, external uint16, client netip.Addr, port uint16) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, d := range g.devices {
		for _, s := range d.services {
			if s.connection() {
				m := Mapping{Protocol: "TCP", External: external, Client: client.String(), Port: port, Lease: time.Hour}
				if err := g.add(t.Context(), s, m); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
	}
	t.Fatal("no service to map with")
}

func TestARealRouter(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	l.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true, Anybody: true})
	g := on(l, l.Appliance)

	p := look(t, g)
	if !slices.Equal(p.Speaks, []Protocol{UPnP, NATPMP, PCP}) || !p.Table || !p.Complete || len(p.Mappings) != 0 {
		t.Errorf("an empty table, and all three protocols were expected: %+v", p)
	}
	if p.Address() != l.WAN4 || len(p.External) != 2 {
		t.Errorf("the address outside is %v by everybody's word: %+v", l.WAN4, p.External)
	}
	if p.UDN == "" || p.BootID == "" || p.Epoch.By != NATPMP || p.Firewall6 != FirewallOn {
		t.Errorf("what it is, since when, and its firewall: %+v", p)
	}

	mapTo(t, g, 443, l.HomeAssistant.Addr4, 8123)
	mapTo(t, g, 2222, l.Neighbour.Addr4, 22)
	p = look(t, g)
	i := slices.IndexFunc(p.Mappings, func(m Mapping) bool { return m.External == 443 })
	if len(p.Mappings) != 2 || i < 0 {
		t.Fatalf("two mappings were expected: %+v", p.Mappings)
	}
	m := p.Mappings[i]
	if external, ok := m.Leads(l.HomeAssistant.Addr4, 8123); !ok || external != 443 || !m.Enabled || m.Protocol != "TCP" {
		t.Errorf("443 leads to Home Assistant: %+v", m)
	}
	if quick, err := g.Glance(t.Context(), 8123, 443); err != nil || len(quick.Mappings) != 1 || quick.Mappings[0].ID() != m.ID() {
		t.Errorf("a glance finds the same: %+v, %v", quick.Mappings, err)
	}

	if err := g.Delete(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := g.Delete(t.Context(), m); !errors.Is(err, ErrGone) {
		t.Errorf("deleting it again: %v", err)
	}
	if p = look(t, g); len(p.Mappings) != 1 || p.Mappings[0].External != 2222 {
		t.Errorf("the other one stays: %+v", p.Mappings)
	}
}

func TestAMappingOfTheSamePortToAnotherIsNotDeleted(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	l.StartRouterService(t, lab.RouterService{UPnP: true, Anybody: true})
	g := on(l, l.Appliance)
	look(t, g)
	mapTo(t, g, 443, l.HomeAssistant.Addr4, 8123)
	m := look(t, g).Mappings[0]
	if err := g.Delete(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	mapTo(t, g, 443, l.Neighbour.Addr4, 443)
	if err := g.Delete(t.Context(), m); !errors.Is(err, ErrGone) {
		t.Errorf("what leads elsewhere by now is not what was to be deleted: %v", err)
	}
	if got := look(t, g).Mappings; len(got) != 1 {
		t.Errorf("it stays: %+v", got)
	}
}

// TestOpening has a port opened by each protocol and asks from the internet whether it is open, and closed afterwards.
func TestOpening(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		by      Protocol
		service lab.RouterService
	}{
		{PCP, lab.RouterService{PCP: true}},
		{UPnP, lab.RouterService{UPnP: true}},
		{PCP, lab.RouterService{UPnP: true, PCP: true}},
	} {
		t.Run(fmt.Sprintf("%s of %+v", c.by, c.service), func(t *testing.T) {
			t.Parallel()
			l := lab.New(t)
			l.StartRouterService(t, c.service)
			listener, err := l.Appliance.Listen(t.Context(), "tcp4", ":50123")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			g := on(l, l.Appliance)
			o, err := g.Open(t.Context(), 50123, 2*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if o.By != c.by || o.External != netip.AddrPortFrom(l.WAN4, 50123) {
				t.Errorf("opened by %s at %v", o.By, o.External)
			}
			if err := reach(t, l.Internet, o.External); err != nil {
				t.Errorf("from the internet: %v", err)
			}
			if err := o.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if err := reach(t, l.Internet, o.External); err == nil {
				t.Error("it is still open")
			}
			if p := look(t, g); len(p.Mappings) != 0 {
				t.Errorf("something is left: %+v", p.Mappings)
			}
		})
	}
}

func TestPinhole(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	l.StartRouterService(t, lab.RouterService{PCP: true})
	listener, err := l.Appliance.Listen(t.Context(), "tcp6", ":50123")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	at := netip.AddrPortFrom(l.Appliance.Addr6, 50123)
	if err := reach(t, l.Internet, at); err == nil {
		t.Error("it is open before it is opened")
	}
	o, err := on(l, l.Appliance).OpenPinhole(t.Context(), 50123, 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := reach(t, l.Internet, o.External); err != nil || o.External != at {
		t.Errorf("%v from the internet: %v", o.External, err)
	}
	if err := o.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := reach(t, l.Internet, at); err == nil {
		t.Error("it is still open")
	}
}

func TestNATPMPAlone(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	l.StartRouterService(t, lab.RouterService{PCP: true})
	g := on(l, l.Appliance)
	if _, err := g.locate(); err != nil {
		t.Fatal(err)
	}
	o, err := g.openPMP(t.Context(), 50123, 2*time.Minute)
	if err != nil || o.External != netip.AddrPortFrom(l.WAN4, 50123) {
		t.Fatalf("%v, %v", o.External, err)
	}
	if err := o.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func reach(t *testing.T, from *lab.Host, to netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	conn, err := from.Dial(ctx, "tcp", to.String())
	if err == nil {
		conn.Close()
	}
	return err
}

// TestASecureRouter refuses what is asked for somebody else, and says so.
func TestASecureRouter(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	l.StartRouterService(t, lab.RouterService{UPnP: true})
	owner, stranger := on(l, l.HomeAssistant), on(l, l.Appliance)
	look(t, owner)
	mapTo(t, owner, 8123, l.HomeAssistant.Addr4, 8123)
	p := look(t, stranger)
	if len(p.Mappings) != 1 {
		t.Fatalf("%+v", p.Mappings)
	}
	err := stranger.Delete(t.Context(), p.Mappings[0])
	after := look(t, stranger)
	if len(after.Mappings) == 0 && err == nil {
		t.Skip("this miniupnpd lets a stranger delete")
	}
	if !errors.Is(err, ErrRefused) || len(after.Mappings) != 1 {
		t.Errorf("deleting another's mapping: %v, left: %+v", err, after.Mappings)
	}
}

func TestTheRouterStartsAnew(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	service := lab.RouterService{UPnP: true, PCP: true, Anybody: true}
	first := l.StartRouterService(t, service)
	g := on(l, l.Appliance)
	before := look(t, g)
	if again := look(t, g); again.Restarted(before) {
		t.Errorf("nothing happened between %+v and %+v", before, again)
	}
	first.Kill()
	time.Sleep(time.Second) // of which BOOTID is a count
	service.Port = 5001
	l.StartRouterService(t, service)

	quick, err := g.Glance(t.Context(), 8123)
	if err != nil || !quick.Table {
		t.Errorf("the services are found at their new port: %+v, %v", quick, err)
	}
	if after := look(t, g); !after.Restarted(before) {
		t.Errorf("a restart between %+v and %+v", before, after)
	}
}

func TestBehindACarrier(t *testing.T) {
	t.Parallel()
	l := lab.New(t, lab.SharedAddress)
	l.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true, Anybody: true})
	p := look(t, on(l, l.Appliance))
	if publicaddr.IsPublic(p.Address()) {
		t.Errorf("%v is not on the internet: %+v", p.Address(), p.External)
	}
}

// TestARouterThatSaysNothing is one without any of this, and a device on its LAN that says that it is one.
func TestARouterThatSaysNothing(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	liar := l.AddDevice(t, "liar")
	group, err := liar.ListenPacket(t.Context(), "udp4", ":1900")
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	joinSSDP(t, liar, group)
	web, err := liar.Listen(t.Context(), "tcp4", ":5000")
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	visited := make(chan struct{}, 16)
	go func() {
		for {
			conn, err := web.Accept()
			if err != nil {
				return
			}
			conn.Close()
			visited <- struct{}{}
		}
	}()
	asked := make(chan struct{}, 16)
	go func() {
		buffer := make([]byte, 2048)
		for {
			_, from, err := group.ReadFrom(buffer)
			if err != nil {
				return
			}
			asked <- struct{}{}
			for _, host := range []netip.Addr{liar.Addr4, l.Router.Addr4} {
				answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nST: %s\r\nLOCATION: http://%s:5000/rootDesc.xml\r\n\r\n", anyIGD, host)
				_, _ = group.WriteTo([]byte(answer), from)
			}
		}
	}()
	p := look(t, on(l, l.Appliance))
	if len(asked) == 0 {
		t.Error("the liar was not asked, so that this test shows nothing")
	}
	if p.Table || len(p.Speaks) != 0 || len(visited) != 0 {
		t.Errorf("a device on the LAN was believed: %+v, visited %d times", p, len(visited))
	}
	if _, err := on(l, l.Appliance).Open(t.Context(), 50123, time.Minute); !errors.Is(err, ErrNotSpoken) {
		t.Errorf("nothing opens: %v", err)
	}
}

func joinSSDP(t *testing.T, h *lab.Host, conn net.PacketConn) {
	t.Helper()
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		t.Fatal("not a UDP socket")
	}
	err := h.Do(func() error { return joinGroup(udp, h.Addr4) })
	if err != nil {
		t.Fatal(err)
	}
}
