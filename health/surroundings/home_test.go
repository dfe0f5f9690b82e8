package surroundings

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/netinfo"
)

func TestSortingIPv6Addresses(t *testing.T) {
	t.Parallel()
	own := ips("2a77::5")
	tunnel := []netip.Prefix{netip.MustParsePrefix("2a77::8000:0:0:0/66")}
	hearsay := func(all ...string) (out []said) {
		for _, a := range all {
			out = append(out, said{ip(a), fromHearsay})
		}
		return out
	}
	many := append(hearsay("2a77::aa", "2a77::bb"), said{ip("2a77::1"), fromKernel})
	for i := range 7 {
		many = append(many, said{ip(fmt.Sprintf("2a77::2:%x", i)), fromNeighbour})
	}
	for what, c := range map[string]struct {
		all       []said
		near, far string
	}{
		"in our network":             {hearsay("2a77::7"), "[2a77::7]", "[]"},
		"in another":                 {hearsay("2a77:0:0:1::7"), "[]", "[2a77:0:0:1::7]"},
		"not on the internet":        {hearsay("fe80::7", "fd00::7", "::1", "2001:db8::7", "2002:b00:2::7", "2001:0:1::7", "ff02::1", "64:ff9b::1", "3fff::7"), "[]", "[]"},
		"IPv4":                       {hearsay("11.0.0.2", "::ffff:11.0.0.2"), "[]", "[]"},
		"twice":                      {hearsay("2a77::7", "2a77::7"), "[2a77::7]", "[]"},
		"the tunnel's":               {hearsay("2a77::8000:0:0:7"), "[]", "[]"},
		"sorted":                     {hearsay("2a77::9", "2a77::7"), "[2a77::7 2a77::9]", "[]"},
		"too many: the surest first": {many, "[2a77::1 2a77::2:0 2a77::2:1 2a77::2:2 2a77::2:3 2a77::2:4 2a77::2:5 2a77::2:6]", "[2a77::aa 2a77::bb]"},
	} {
		near, far := sort6(c.all, own, tunnel)
		if fmt.Sprint(near) != c.near || fmt.Sprint(far) != c.far {
			t.Errorf("%s: %v, %v, want %s, %s", what, near, far, c.near, c.far)
		}
	}
}

func TestWhoSaysWhat(t *testing.T) {
	t.Parallel()
	const mac = "02:00:00:00:00:05"
	entry := func(addr, mac string) netinfo.NeighbourEntry {
		return netinfo.NeighbourEntry{Link: "lan", Addr: ip(addr), MAC: mac, State: netinfo.NeighbourKnown}
	}
	n := network{neighbours: []netinfo.NeighbourEntry{
		entry("192.168.1.5", mac), entry("2a77::5:5", mac), entry("fe80::5", mac), entry("2a77::9", "02:00:00:00:00:09"),
		{Link: "other", Addr: ip("2a77::77"), MAC: mac, State: netinfo.NeighbourKnown},
		{Link: "lan", Addr: ip("2a77::99"), State: netinfo.NeighbourFailed},
	}}
	p := place{found: true, address: ip("192.168.1.5"), port: 8123, link: "lan", macs: []string{mac}}
	heard := homeassistant.Hearsay{Announcements: []homeassistant.Announcement{
		{Source: ip("192.168.1.5"), Addrs: ips("192.168.1.5", "2a77::a"), UUID: "aa"},
		{Source: ip("fe80::5%lan"), Addrs: ips("2a77::b")},
		{Source: ip("192.168.1.5"), Addrs: ips("2a77::c"), UUID: "bb"}, // another installation
		{Source: ip("192.168.1.9"), Addrs: ips("2a77::d"), UUID: "aa"}, // somebody else in its name
		{Source: ip("fe80::9%lan"), Addrs: ips("2a77::e")},
	}}
	near, _ := sort6(sayings(p, n, ips("2a77::1"), heard, "aa", homeassistant.Places{Addresses: ips("2a77::f")}), ips("2a77::1"), nil)
	if got, want := fmt.Sprint(near), "[2a77::a 2a77::b 2a77::f 2a77::5:5]"; got != want {
		t.Errorf("Home Assistant's addresses: %s, want %s", got, want)
	}
	here := place{found: true, here: true, address: ip("127.0.0.1")}
	near, _ = sort6(sayings(here, n, ips("2a77::1"), homeassistant.Hearsay{}, "", homeassistant.Places{}), ips("2a77::1"), nil)
	if fmt.Sprint(near) != "[2a77::1]" {
		t.Errorf("on this machine: %v", near)
	}
}

func TestOwnAddresses(t *testing.T) {
	t.Parallel()
	address := func(link, prefix string) netinfo.Assigned {
		return netinfo.Assigned{Link: link, Prefix: netip.MustParsePrefix(prefix)}
	}
	temporary, old, dead := address("lan", "2a77::1/64"), address("lan", "2a77::2/64"), address("lan", "2a77::3/64")
	temporary.Temporary, old.Deprecated, dead.Tentative = true, true, true
	n := network{
		route: [2]netinfo.Route{{Link: "lan"}},
		assigned: []netinfo.Assigned{
			temporary, old, dead, address("lan", "2a77::9/64"), address("lan", "fe80::1/64"), address("lan", "fd00::1/64"), address("lo", "::1/128"),
			address("lan", "192.168.1.2/24"), address("lan", "11.0.0.2/24"), address("docker0", "172.17.0.1/16"), address("vpn", "11.7.7.7/32"),
		},
	}
	for what, c := range map[string]struct {
		got  []netip.Addr
		want string
	}{
		"IPv6, the lasting ones first": {n.own6(nil), "[2a77::9 2a77::1 2a77::2]"},
		"IPv6, not the tunnel's":       {n.own6([]netip.Prefix{netip.MustParsePrefix("2a77::/64")}), "[]"},
		"IPv4":                         {n.own4(nil), "[11.0.0.2]"},
		"to which a router passes on":  {n.lasting(), "[2a77::9 fd00::1 192.168.1.2 11.0.0.2]"},
		"one of each network":          {n.ownOn("lan"), "[2a77::1 fe80::1 fd00::1]"},
	} {
		if fmt.Sprint(c.got) != c.want {
			t.Errorf("%s: %v, want %s", what, c.got, c.want)
		}
	}
}

func TestStandingOfIPv6(t *testing.T) {
	t.Parallel()
	lan := place{found: true, address: ip("192.168.1.5")}
	here := place{found: true, here: true, address: ip("127.0.0.1")}
	global := network{assigned: []netinfo.Assigned{{Link: "lan", Prefix: netip.MustParsePrefix("2a77::5/64")}}}
	for what, c := range map[string]struct {
		place     place
		network   network
		near, far []netip.Addr
		places    homeassistant.Places
		want      health.Standing
	}{
		"an address":                                     {place: lan, near: ips("2a77::5"), want: health.Known},
		"an address, and one elsewhere":                  {place: lan, near: ips("2a77::5"), far: ips("2a77:1::5"), want: health.Known},
		"one elsewhere only":                             {place: lan, far: ips("2a77:1::5"), want: health.Unknown},
		"no IPv6 in the house":                           {place: lan, want: health.Absent},
		"no IPv6, and this machine would not know":       {place: lan, network: network{deaf: true}, want: health.Unknown},
		"this machine has some":                          {place: lan, network: global, want: health.Unknown},
		"there is a way out":                             {place: lan, network: network{route: [2]netinfo.Route{{}, {Link: "lan"}}}, want: health.Unknown},
		"a router announces a network":                   {place: lan, network: network{onLink6: []netip.Prefix{netip.MustParsePrefix("2a77::/64")}}, want: health.Unknown},
		"Home Assistant says that it has none":           {place: lan, network: global, places: homeassistant.Places{Adapters: true, Addresses: ips("192.168.1.5")}, want: health.Absent},
		"Home Assistant says so from inside a container": {place: lan, network: global, places: homeassistant.Places{Adapters: true, Addresses: ips("172.17.0.2")}, want: health.Unknown},
		"on this machine, which has none":                {place: here, network: network{deaf: true}, want: health.Absent},
		"nobody knows where it is":                       {place: place{}, want: health.Unknown},
	} {
		if got := standing6(c.place, c.network, c.near, c.far, c.places); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}

func TestEUI64(t *testing.T) {
	t.Parallel()
	networks := []netip.Prefix{netip.MustParsePrefix("2a77::/64"), netip.MustParsePrefix("2a77:1::/56")}
	got := eui64([]string{"02:00:5e:10:00:ff", "nonsense", "00:11:22:33:44:55:66:77"}, networks)
	if fmt.Sprint(got) != "[2a77::5eff:fe10:ff]" { // RFC 4291, appendix A
		t.Errorf("eui64: %v", got)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	got := names([]string{"Home.Example.org.", "11.0.0.2", "", "homeassistant.local", "localhost"}, hostOf("https://home.example.org:8123/"), hostOf("::"), []string{"b.example"})
	if fmt.Sprint(got) != "[home.example.org b.example]" {
		t.Errorf("names: %v", got)
	}
	if many := names(make([]string, 0), []string{"a.x", "b.x", "c.x", "d.x", "e.x", "f.x", "g.x", "h.x", "i.x"}); len(many) != mostNames {
		t.Errorf("%d names", len(many))
	}
}

func TestWhereThisMachineListens(t *testing.T) {
	own := ips("2a77::1", "2a77::2")
	at := func(addr string, port uint16) netinfo.Listener { return netinfo.Listener{Addr: ip(addr), Port: port} }
	for name, c := range map[string]struct {
		listeners []netinfo.Listener
		want      []netip.Addr
	}{
		"nothing is known":                 {nil, own},
		"in a container":                   {[]netinfo.Listener{at("::", 22)}, own},
		"everywhere":                       {[]netinfo.Listener{at("0.0.0.0", 8123), at("::", 8123)}, own},
		"over IPv4 only":                   {[]netinfo.Listener{at("0.0.0.0", 8123), at("::", 22)}, nil},
		"at one address":                   {[]netinfo.Listener{at("2a77::2", 8123)}, own[1:]},
		"over IPv4, behind a proxy on 443": {[]netinfo.Listener{at("127.0.0.1", 8123), at("::", 443)}, own},
	} {
		if got := (network{listeners: c.listeners}).listening(own, 8123); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
