package lab

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
)

// BaitPort is where the neighbour listens, one of the ports that every scan asks for, over TCP and UDP.
const BaitPort = 80

// A Lab is one household and its piece of internet.
type Lab struct {
	Internet      *Host // in the middle; also whoever looks at the home from outside
	Router        *Host // its Addr4 and Addr6 are those on the LAN
	Appliance     *Host
	HomeAssistant *Host
	Neighbour     *Host
	Bait          *Bait // on the neighbour

	LAN4, LAN6 netip.Prefix
	WAN4, WAN6 netip.Addr // the router's addresses outside; phones come to WAN4, and over IPv6 to the appliance itself
	Public4    netip.Addr // the home's address as the internet sees it: WAN4, or that of the carrier's NAT

	CarrierNAT *Host // with SharedAddress only: the provider's NAT, between the internet and the router
	NextDoor   *Host // with SharedAddress only: the other household behind it; port 8123 of Public4 leads to it

	hosts     []*Host
	providers map[*Host]*Host // of witnesses
	named     []string        // further lines of /etc/hosts
	carrier   *segment
	lan       *segment
	shared    bool
	phones    int
	devices   int
	uplinks   int
}

// An Option is about how the household is connected.
type Option func(*Lab)

// SharedAddress puts the home behind a provider's NAT, with another household behind the same public IPv4 address. Its
// IPv6 stays its own.
func SharedAddress(l *Lab) { l.shared = true }

// New builds a lab that lasts as long as the test. A test may build several, and tests may run in parallel.
func New(t testing.TB, options ...Option) *Lab {
	t.Helper()
	Need(t, Namespaces, "ip", "nft", "nsenter", "setpriv", "unshare")
	l := &Lab{
		LAN4: netip.MustParsePrefix("192.168.77.0/24"), LAN6: netip.MustParsePrefix("2a77:db8:77::/64"),
		WAN4: netip.MustParseAddr("11.0.0.2"), WAN6: netip.MustParseAddr("2a77:db8:b::2"),
		providers: map[*Host]*Host{},
	}
	for _, option := range options {
		option(l)
	}
	l.Public4 = l.WAN4
	if l.shared {
		l.WAN4, l.WAN6 = netip.MustParseAddr("100.64.7.2"), netip.MustParseAddr("2a77:db8:a7::2")
	}
	// Registered before anything is made: what a failure leaves half made goes too, and processes, whose cleanups come
	// later, end before their hosts.
	t.Cleanup(l.demolish)
	if err := l.build(); err != nil {
		t.Fatalf("building the lab: %v", err)
	}
	l.Bait = l.Neighbour.Bait(t, BaitPort)
	return l
}

// AddPhone adds a phone on the carrier's network, with a name of letters and digits.
func (l *Lab) AddPhone(t testing.TB, name string) *Host {
	t.Helper()
	l.phones++
	return l.add(t, l.carrier, name, 10+l.phones)
}

// AddDevice adds a machine to the LAN beside those that are always there.
func (l *Lab) AddDevice(t testing.TB, name string) *Host {
	t.Helper()
	l.devices++
	return l.add(t, l.lan, name, 100+l.devices)
}

func (l *Lab) add(t testing.TB, s *segment, name string, number int) *Host {
	t.Helper()
	h, err := l.plug(s, name, number)
	if err == nil {
		err = l.introduce()
	}
	if err != nil {
		t.Fatalf("adding %s: %v", name, err)
	}
	return h
}

// raise makes a host that goes with the lab.
func (l *Lab) raise(name string, addr4, addr6 netip.Addr) (*Host, error) {
	// The name becomes that of its port in a bridge: at most 15 bytes, IFNAMSIZ in linux/if.h.
	if len(name) == 0 || len(name) > 13 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return nil, fmt.Errorf("host %q: up to 13 lower-case letters, digits and hyphens were expected", name)
	}
	for _, other := range l.hosts {
		if other.Name == name {
			return nil, fmt.Errorf("host %q: there is one already", name)
		}
	}
	h, err := raise(name, addr4, addr6)
	if err != nil {
		return nil, err
	}
	l.hosts = append(l.hosts, h)
	return h, nil
}

// plug makes a host with the given number on a segment.
func (l *Lab) plug(s *segment, name string, number int) (*Host, error) {
	h, err := l.raise(name, numbered(s.gateway4, number), numbered(s.gateway6, number))
	if err != nil {
		return nil, err
	}
	b := h.Addr4.As4()
	h.MAC = net.HardwareAddr{0x02, 0x00, b[0], b[1], b[2], b[3]} // 0x02: locally administered
	return h, s.connect(h)
}

// Call gives a host another name, under which all others find it: that of a public service for which it stands in. Without
// addresses it is found at its own.
func (l *Lab) Call(t testing.TB, h *Host, name string, at ...netip.Addr) {
	t.Helper()
	if len(at) == 0 {
		at = []netip.Addr{h.Addr4, h.Addr6}
	}
	for _, a := range at {
		l.named = append(l.named, a.String()+" "+name)
	}
	if err := l.introduce(); err != nil {
		t.Fatalf("calling %s %s: %v", h.Name, name, err)
	}
}

// introduce writes every host's name into every host's /etc/hosts.
func (l *Lab) introduce() error {
	var names strings.Builder
	fmt.Fprint(&names, "127.0.0.1 localhost\n::1 localhost\n")
	fmt.Fprintf(&names, "%s home.example\n%s home6.example\n", l.Public4, l.Appliance.Addr6)
	for _, h := range l.hosts {
		fmt.Fprintf(&names, "%s %s\n%s %s\n", h.Addr4, h.Name, h.Addr6, h.Name)
	}
	for _, line := range l.named {
		fmt.Fprintln(&names, line)
	}
	for _, h := range l.hosts {
		if err := os.WriteFile(h.Path("/run/hosts"), []byte(names.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lab) demolish() {
	for _, h := range slices.Backward(l.hosts) {
		h.fell()
	}
}
