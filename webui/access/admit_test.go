package access

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func place(t *testing.T, s string) Place {
	t.Helper()
	p, err := ParsePlace(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhoIsAdmitted(t *testing.T) {
	const every, lan, wan, wanAddr, lanAddr, vpn = ":80", "lan:80", "wan:80", "203.0.113.2:80", "192.168.77.1:80", "vpn:80"
	for _, c := range []struct {
		from, arrived string
		in            string // the places that admit it
	}{
		{"192.168.77.30", "", every + " " + lan + " " + wanAddr + " " + lanAddr},
		{"192.168.77.30", "lan", every + " " + lan + " " + wanAddr + " " + lanAddr},
		{"::ffff:192.168.77.30", "lan", every + " " + lan + " " + wanAddr + " " + lanAddr},
		{"2001:db8:77::30", "", every + " " + lan + " " + wanAddr + " " + lanAddr},
		{"fe80::30%lan", "", every + " " + lan + " " + wanAddr + " " + lanAddr},
		{"fe80::30%lan", "lan", every + " " + lan + " " + wanAddr + " " + lanAddr},
		{"192.168.88.30", "", every + " " + wanAddr + " " + lanAddr},
		{"203.0.113.1", "", wan + " " + wanAddr},
		{"203.0.113.1", "wan", wan + " " + wanAddr},
		{"2001:db8:b::1", "", wan + " " + wanAddr},
		{"fe80::30%wan", "", wan + " " + wanAddr},
		{"10.8.0.7", "", vpn},
		// Ours, and this machine's.
		{"127.0.0.1", "", every + " " + lan + " " + wan + " " + wanAddr + " " + lanAddr + " " + vpn},
		{"127.0.0.1", "lo", every + " " + lan + " " + wan + " " + wanAddr + " " + lanAddr + " " + vpn},
		{"::1", "lo", every + " " + lan + " " + wan + " " + wanAddr + " " + lanAddr + " " + vpn},
		{"203.0.113.2", "lo", every + " " + lan + " " + wan + " " + wanAddr + " " + lanAddr + " " + vpn},
		{"2001:db8:b::2", "wan", every + " " + lan + " " + wan + " " + wanAddr + " " + lanAddr + " " + vpn},
		{"fe80::1%lan", "lo", every + " " + lan + " " + wan + " " + wanAddr + " " + lanAddr + " " + vpn},
		// Not what they look like.
		{"192.168.77.30", "wan", ""},                // on the uplink, with an address of the home
		{"192.168.77.1", "wan", ""},                 // our own address from outside
		{"::ffff:127.0.0.1", "wan", ""},             // loopback off the wire
		{"fe80::1%wan", "wan", wan + " " + wanAddr}, // ours, but on the other link: a stranger's here
		{"192.168.77.30", "gone", ""},
		// Far away.
		{"198.51.100.11", "", ""},
		{"198.51.100.11", "wan", ""},
		{"2001:db8:c::11", "wan", ""},
		{"fe80::30", "", ""},
		{"fe80::30%gone", "", ""},
	} {
		for _, at := range []string{every, lan, wan, wanAddr, lanAddr, vpn} {
			d := New(Config{Place: place(t, at), Kernel: router().kernel()})
			err := d.admit(netip.MustParseAddr(c.from), c.arrived)
			want := strings.Contains(" "+c.in+" ", " "+at+" ")
			if (err == nil) != want {
				t.Errorf("--web %s, from %s over %q: %v, want admitted %v", at, c.from, c.arrived, err, want)
			}
			if err != nil && !errors.As(err, new(refusal)) {
				t.Errorf("--web %s, from %s over %q: %v is no refusal", at, c.from, c.arrived, err)
			}
		}
	}
	if err := New(Config{Kernel: router().kernel()}).admit(netip.Addr{}, ""); err == nil {
		t.Error("somebody without an address is admitted")
	}
}

func TestWhenALinkIsAnUplink(t *testing.T) {
	for _, c := range []struct {
		what  string
		made  func(*network)
		wants map[string]bool
	}{
		{"no forwarding", func(n *network) { n.forwards4, n.forwards6 = false, false }, map[string]bool{"203.0.113.1": true, "2001:db8:b::1": true}},
		{"forwards IPv4 only", func(n *network) { n.forwards6 = false }, map[string]bool{"203.0.113.1": false, "2001:db8:b::1": false}},
		{"forwards IPv6 only", func(n *network) { n.forwards4 = false }, map[string]bool{"203.0.113.1": false, "2001:db8:b::1": false}},
		{"forwards only where there is no way out", func(n *network) { n.forwards6, n.out4 = false, nil }, map[string]bool{"203.0.113.1": true, "2001:db8:b::1": true}},
		{"two ways out", func(n *network) { n.out4 = []string{"guests", "wan"} }, map[string]bool{"192.168.88.30": false, "203.0.113.1": false, "192.168.77.30": true}},
	} {
		n := router()
		c.made(n)
		d := New(Config{Kernel: n.kernel()})
		for from, want := range c.wants {
			if err := d.admit(netip.MustParseAddr(from), ""); (err == nil) != want {
				t.Errorf("%s: from %s: %v, want admitted %v", c.what, from, err, want)
			}
		}
	}
}

// Two links may carry the same link-local address; the zone says which one is named.
func TestALinkLocalAddressNamesItsOwnLink(t *testing.T) {
	n := router()
	n.out4 = []string{"guests"}
	d := New(Config{Place: place(t, "[fe80::1%lan]:80"), Kernel: n.kernel()})
	for from, want := range map[string]bool{"fe80::30%lan": true, "fe80::30%guests": false, "192.168.88.30": false} {
		if err := d.admit(netip.MustParseAddr(from), ""); (err == nil) != want {
			t.Errorf("from %s: %v, want admitted %v", from, err, want)
		}
	}
}

func TestNoAnswerIsNoWelcome(t *testing.T) {
	all := router().kernel()
	for name, breaks := range map[string]func(*Kernel, Kernel){
		"OnLink":       func(k *Kernel, b Kernel) { k.OnLink = b.OnLink },
		"Addresses":    func(k *Kernel, b Kernel) { k.Addresses = b.Addresses },
		"Links":        func(k *Kernel, b Kernel) { k.Links = b.Links },
		"DefaultLinks": func(k *Kernel, b Kernel) { k.DefaultLinks = b.DefaultLinks },
		"Forwards":     func(k *Kernel, b Kernel) { k.Forwards = b.Forwards },
	} {
		broken := router()
		broken.broken = errBroken
		k := all
		breaks(&k, broken.kernel())
		d := New(Config{Kernel: k})
		if err := d.admit(netip.MustParseAddr("192.168.77.30"), ""); !errors.Is(err, errBroken) {
			t.Errorf("%s fails: %v, want %v", name, err, errBroken)
		}
	}
	k := all
	k.OnLinkThrough = func(netip.Addr, string) (bool, error) { return true, errBroken }
	if err := New(Config{Kernel: k}).admit(netip.MustParseAddr("192.168.77.30"), "lan"); !errors.Is(err, errBroken) {
		t.Errorf("OnLinkThrough fails: %v, want %v", err, errBroken)
	}
}

func TestWhatChangesIsSeenWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := router()
		n.forwards4, n.forwards6 = false, false
		d := New(Config{Kernel: n.kernel()})
		stranger := netip.MustParseAddr("203.0.113.1")
		if err := d.admit(stranger, ""); err != nil {
			t.Fatalf("on a machine that is no router: %v", err)
		}
		n.forwards4 = true
		time.Sleep(time.Second)
		if err := d.admit(stranger, ""); err == nil {
			t.Error("a second after the machine became a router, its uplink is admitted")
		}
		n.broken = errBroken
		time.Sleep(time.Second)
		if err := d.admit(stranger, ""); !errors.Is(err, errBroken) {
			t.Errorf("an old answer outlives the kernel's: %v", err)
		}
		n.broken, n.forwards4 = nil, false
		if err := d.admit(stranger, ""); err != nil {
			t.Errorf("an error is remembered: %v", err)
		}
	})
}

func TestAPageThatLoadsAsksTheKernelOnce(t *testing.T) {
	n := appliance()
	d := New(Config{Kernel: n.kernel()})
	for range 100 {
		d.hasAddr(netip.MustParseAddr("192.168.1.5"))
	}
	if n.asked > 3 { // 1, unless the machine is so busy that seconds pass
		t.Errorf("the kernel's addresses were read %d times", n.asked)
	}
}
