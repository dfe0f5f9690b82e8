package lab

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// numbered is the address with its last byte replaced by number; the IPv6 addresses here are written so that the number
// reads the same in both families: 192.168.77.20 and 2a77:db8:77::20.
func numbered(gateway netip.Addr, number int) netip.Addr {
	if gateway.Is4() {
		b := gateway.As4()
		b[3] = byte(number)
		return netip.AddrFrom4(b)
	}
	b := gateway.As16()
	b[14], b[15] = byte(number/100), byte(number/10%10<<4|number%10)
	return netip.AddrFrom16(b)
}

// A segment is an Ethernet: a bridge on the host that is its gateway, and the hosts that are plugged in.
type segment struct {
	host               *Host
	bridge             string
	gateway4, gateway6 netip.Addr
}

// up makes the bridge. It floods multicast as an unmanaged switch does, so that mDNS needs no querier (RFC 4541). Its
// hardware address is given: a bridge of its own choosing takes the lowest of its ports', so that a host that is plugged in
// later could change it, and every other host would send to the old one until its neighbour entry has run out.
func (s *segment) up() error {
	b := s.gateway4.As4()
	mac := net.HardwareAddr{0x02, 0x00, b[0], b[1], b[2], b[3]} // 0x02: locally administered
	return s.host.ip(`
		link add name %[1]s address %[4]s type bridge mcast_snooping 0 forward_delay 0
		link set dev %[1]s up
		addr add %[2]s/24 brd + dev %[1]s
		addr add %[3]s/64 dev %[1]s nodad`, s.bridge, s.gateway4, s.gateway6, mac)
}

// connect gives the host its link eth0, plugged into the segment, its addresses and its default routes.
func (s *segment) connect(h *Host) error {
	err := s.host.ip(`
		link add name p-%[1]s type veth peer name eth0 address %[2]s netns %[3]s
		link set dev p-%[1]s master %[4]s up`, h.Name, h.MAC, h.id(), s.bridge)
	if err != nil {
		return err
	}
	err = h.ip(`
		link set dev eth0 up
		addr add %[1]s/24 brd + dev eth0
		addr add %[2]s/64 dev eth0 nodad
		route add default via %[3]s
		route add default via %[4]s`, h.Addr4, h.Addr6, s.gateway4, s.gateway6)
	if err != nil {
		return err
	}
	if err := h.await("eth0"); err != nil {
		return err
	}
	return s.host.await("p-"+h.Name, s.bridge)
}

// await waits until the links carry packets. The kernel starts a link's queue some time after it has been set up, on a
// busy machine a long time, and until then drops what it is given; nobody sends multicast twice.
func (h *Host) await(links ...string) error {
	return h.Do(func() error {
		for began := time.Now(); ; time.Sleep(time.Millisecond) {
			running := 0
			for _, name := range links {
				link, err := net.InterfaceByName(name)
				if err != nil {
					return fmt.Errorf("on %s: %w", h.Name, err)
				}
				if link.Flags&net.FlagRunning != 0 {
					running++
				}
			}
			if running == len(links) {
				return nil
			}
			if time.Since(began) > settleTime {
				return fmt.Errorf("on %s: links %v do not come up", h.Name, links)
			}
		}
	})
}

// build raises the hosts that are always there and wires them as the package comment draws it.
func (l *Lab) build() error {
	carrier4, carrier6 := netip.MustParseAddr("11.0.1.1"), netip.MustParseAddr("2a77:db8:c::1")
	lan4, lan6 := numbered(l.LAN4.Addr(), 1), numbered(l.LAN6.Addr(), 1)
	var err error
	if l.Internet, err = l.raise("internet", carrier4, carrier6); err != nil {
		return err
	}
	if l.Router, err = l.raise("router", lan4, lan6); err != nil {
		return err
	}
	l.carrier = &segment{l.Internet, "carrier", carrier4, carrier6}
	l.lan = &segment{l.Router, "lan", lan4, lan6}
	for _, step := range []func() error{l.carrier.up, l.lan.up, l.uplink, l.Internet.forward, l.Router.forward} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, device := range []struct {
		host   **Host
		name   string
		number int
	}{{&l.Appliance, "appliance", 10}, {&l.HomeAssistant, "homeassistant", 20}, {&l.Neighbour, "neighbour", 30}} {
		if *device.host, err = l.plug(l.lan, device.name, device.number); err != nil {
			return err
		}
	}
	if err := l.protect(); err != nil {
		return err
	}
	return l.introduce()
}

// uplink is the cable between the internet and the home. The provider routes the home's IPv6 network to the router;
// of the home's IPv4 network it knows nothing.
func (l *Lab) uplink() error {
	if l.shared {
		return l.carrierNAT()
	}
	return l.join(end{l.Internet, "home", numbered(l.WAN4, 1), numbered(l.WAN6, 1)}, end{l.Router, "wan", l.WAN4, l.WAN6})
}

// join puts a router of the home, or on the way to it, on the internet.
func (l *Lab) join(far, near end) error {
	if err := cable(far, near); err != nil {
		return err
	}
	if err := far.host.ip("route add %s via %s", l.LAN6, near.addr6); err != nil {
		return err
	}
	return near.host.defaultRoute(far.addr4, far.addr6)
}

// forward makes a router of a host.
func (h *Host) forward() error {
	return h.Do(func() error {
		for _, key := range []string{"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"} {
			if err := os.WriteFile("/proc/sys/"+key, []byte("1"), 0); err != nil {
				return err
			}
		}
		return nil
	})
}

// ip runs ip(8) on the host, once for all lines of the script.
func (h *Host) ip(script string, args ...any) error {
	return h.feed(fmt.Sprintf(script, args...)+"\n", "ip", "-batch", "-")
}
