package surroundings

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

// appliance looks around on the lab's appliance. Kernel and LAN are real.
type appliance struct {
	*household
	lab *lab.Lab
	s   *Surroundings
}

func newAppliance(t *testing.T) *appliance {
	t.Helper()
	a := &appliance{household: newHousehold(t), lab: lab.New(t)}
	a.state.Addr = netip.AddrPortFrom(a.lab.HomeAssistant.Addr4, 8123).String()
	a.picture.External[0].Addr = a.lab.WAN4
	a.s = a.surroundings()
	a.s.kernel = theKernel()
	return a
}

func (a *appliance) look(t *testing.T) (f health.Facts) {
	t.Helper()
	err := a.lab.Appliance.Do(func() (err error) {
		// A finder has been there, so that the neighbour table knows the machine.
		if c, err := net.DialTimeout("tcp", a.state.Addr, time.Second); err == nil {
			c.Close()
		}
		f, err = a.s.Facts(t.Context())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// again has everybody asked anew, as ten minutes later.
func (a *appliance) again(t *testing.T) health.Facts {
	a.pass(11 * time.Minute)
	return a.look(t)
}

func TestHomeAssistantsIPv6AddressesAreFoundByItsMAC(t *testing.T) {
	t.Parallel()
	a := newAppliance(t)
	ha, own := a.lab.HomeAssistant, a.lab.Appliance
	ha.Run(t, "ip", "address", "add", "fd00:77::20/64", "dev", "eth0", "nodad")
	ha.Run(t, "ip", "address", "add", "2a77:db8:99::20/64", "dev", "eth0", "nodad") // in a network that this machine is not in
	f := a.look(t)
	if f.Home.IPv6 != health.Known || !slices.Equal(f.Home.Global6, []netip.Addr{ha.Addr6}) || len(f.Not6) != 0 {
		t.Errorf("Home Assistant's addresses: %s, %v and %v, want %v", f.Home.IPv6, f.Home.Global6, f.Not6, ha.Addr6)
	}
	if !slices.Equal(f.Own6, []netip.Addr{own.Addr6}) || f.Public[health.IPv6].Address != own.Addr6 {
		t.Errorf("this machine's: %v, %+v", f.Own6, f.Public[health.IPv6])
	}
	if four := f.Public[health.IPv4]; four.Standing != health.Known || four.Address != a.lab.WAN4 {
		t.Errorf("the home's: %+v", four)
	}
	ways := a.s.kept.Snapshot.Gateways
	if ways[0].Gateway != netip.MustParseAddr("192.168.77.1") || ways[0].Link != "eth0" {
		t.Errorf("ways out: %+v", ways)
	}
	wantChanged(t, "at first", f, "", "")
	wantChanged(t, "and again", a.again(t), "", "")

	// A machine answers all from one of its addresses in a network only. The other one is guessed from its MAC.
	byMAC := eui64([]string{ha.MAC.String()}, []netip.Prefix{a.lab.LAN6})[0]
	ha.Run(t, "ip", "address", "add", byMAC.String()+"/64", "dev", "eth0", "nodad")
	f = a.again(t)
	if !slices.Equal(f.Home.Global6, []netip.Addr{ha.Addr6, byMAC}) {
		t.Errorf("Home Assistant's addresses: %v, want %v and %v", f.Home.Global6, ha.Addr6, byMAC)
	}
	wantChanged(t, "another address", f, "", health.WhatHome6)

	// mDNS tells of the other network.
	a.s.cfg.Heard = func(context.Context) (homeassistant.Hearsay, error) {
		return homeassistant.Hearsay{Announcements: []homeassistant.Announcement{{Source: ha.Addr4, Addrs: ips("2a77:db8:99::20")}}}, nil
	}
	if f := a.again(t); fmt.Sprint(f.Not6) != "[2a77:db8:99::20]" {
		t.Errorf("in another network: %v", f.Not6)
	}
}

func TestAnotherRouterInTheLab(t *testing.T) {
	t.Parallel()
	a := newAppliance(t)
	wantChanged(t, "at first", a.look(t), "", "")
	wantChanged(t, "nothing", a.again(t), "", "")
	// Somebody has swapped the router for another one at the same address.
	link := strings.TrimSpace(a.lab.Router.Run(t, "sh", "-c", "ip -o -4 addr show to 192.168.77.1 | cut -d' ' -f2"))
	a.lab.Router.Run(t, "ip", "link", "set", link, "address", "02:00:00:00:77:77")
	a.lab.Appliance.Run(t, "ip", "neigh", "flush", "all")
	a.lab.Appliance.Run(t, "ping", "-c1", "-W5", "192.168.77.1")
	wantChanged(t, "another router", a.again(t), health.WhatGateway, health.WhatGateway)
}

func TestWithoutIPv6InTheHouse(t *testing.T) {
	t.Parallel()
	a := newAppliance(t)
	a.lab.Appliance.Run(t, "ip", "-6", "address", "flush", "dev", "eth0", "scope", "global")
	a.lab.Appliance.Run(t, "ip", "-6", "route", "flush", "default")
	f := a.look(t)
	if f.Home.IPv6 == health.Known || len(f.Home.Global6)+len(f.Not6) != 0 || f.Public[health.IPv6].Standing != health.Absent {
		t.Errorf("Home Assistant's addresses: %s, %v, %v; the home's: %+v", f.Home.IPv6, f.Home.Global6, f.Not6, f.Public[health.IPv6])
	}
}
