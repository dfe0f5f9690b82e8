package gate

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

// own is what this machine is in these tests.
func own() ([]netip.Addr, error) {
	return []netip.Addr{
		netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("2001:db8::5"), netip.MustParseAddr("fe80::5%eth0"),
		netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"),
	}, nil
}

func TestGuard(t *testing.T) {
	g := newGuard(Config{
		OwnAddresses:   own,
		OwnPorts:       func() []OwnPort { return []OwnPort{{TCP, 51821}, {UDP, 51820}} },
		TunnelNetworks: []netip.Prefix{ours4.Masked(), ours6.Masked()},
	})
	for _, tc := range []struct {
		p    Protocol
		at   string
		want string // a part of the sentence; empty: allowed
	}{
		{TCP, "192.168.1.5:51821", "Hearthgate itself"},
		{TCP, "127.0.0.1:51821", "Hearthgate itself"},
		{TCP, "127.1.2.3:51821", "Hearthgate itself"},
		{TCP, "0.0.0.0:51821", "Hearthgate itself"},
		{TCP, "0.1.2.3:51821", "Hearthgate itself"},
		{TCP, "[::]:51821", "Hearthgate itself"},
		{TCP, "[::1]:51821", "Hearthgate itself"},
		{TCP, "[2001:db8::5]:51821", "Hearthgate itself"},
		{TCP, "[fe80::5]:51821", "Hearthgate itself"},
		{TCP, "[fe80::5%eth0]:51821", "Hearthgate itself"},
		{TCP, "[fe80::5%wlan0]:51821", "Hearthgate itself"},
		{TCP, "[::ffff:192.168.1.5]:51821", "Hearthgate itself"},
		{TCP, "[::ffff:127.0.0.1]:51821", "Hearthgate itself"},
		{TCP, "[::192.168.1.5]:51821", "Hearthgate itself"},
		{TCP, "[::ffff:0:192.168.1.5]:51821", "Hearthgate itself"},
		{TCP, "[64:ff9b::192.168.1.5]:51821", "Hearthgate itself"},
		{TCP, "[2002:c0a8:105::1]:51821", "Hearthgate itself"},
		{UDP, "192.168.1.5:51820", "Hearthgate itself"},
		{UDP, "[::1]:51820", "Hearthgate itself"},
		{TCP, "192.168.1.5:8123", ""},
		{TCP, "127.0.0.1:8123", ""},
		{TCP, "127.0.0.1:51820", ""}, // ours is UDP
		{TCP, "192.168.1.6:51821", ""},
		{TCP, "[fe80::6%eth0]:51821", ""},
		{TCP, "[64:ff9b::8.8.8.8]:51821", ""},
		{UDP, "192.168.1.5:53", ""},
		{TCP, "10.83.16.1:8123", "in the tunnel"},
		{TCP, "10.83.16.7:80", "in the tunnel"},
		{UDP, "[fd83::7]:80", "in the tunnel"},
		{TCP, "[::ffff:10.83.16.7]:80", "in the tunnel"},
		{TCP, "192.168.1.6:0", "no port"},
		{UDP, "224.0.0.251:5353", "one host"},
		{UDP, "[ff02::fb%eth0]:5353", "one host"},
		{UDP, "255.255.255.255:9", "one host"},
		{UDP, "[::ffff:255.255.255.255]:9", "one host"},
	} {
		err := g.check(tc.p, netip.MustParseAddrPort(tc.at))
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s %s: %v, want %q", tc.p, tc.at, err, tc.want)
		}
	}
}

// TestGuardWithoutAddresses: not knowing who we are is no reason to let anybody in.
func TestGuardWithoutAddresses(t *testing.T) {
	for name, f := range map[string]func() ([]netip.Addr, error){
		"none given": nil,
		"an error":   func() ([]netip.Addr, error) { return nil, errors.New("netlink is gone") },
	} {
		g := newGuard(Config{OwnAddresses: f, OwnPorts: func() []OwnPort { return []OwnPort{{TCP, 51821}} }})
		if err := g.check(TCP, netip.MustParseAddrPort("192.168.1.5:51821")); err == nil {
			t.Errorf("%s: a port of ours was allowed on an address that may be ours", name)
		}
		if err := g.check(TCP, netip.MustParseAddrPort("192.168.1.5:8123")); err != nil {
			t.Errorf("%s: %v, want a port that is not ours to be allowed", name, err)
		}
	}
}

// TestNeverTheApplianceItself dials, through the tunnel, everything that leads to a port of ours on this machine.
func TestNeverTheApplianceItself(t *testing.T) {
	var reached atomic.Int32
	page := serve(t, func(*net.TCPConn) { reached.Add(1) })
	port := page[strings.LastIndex(page, ":"):]
	dns := &names{answers: map[string][][]string{
		"four.test":   {{"127.0.0.1"}},
		"six.test":    {{"::1"}},
		"mapped.test": {{"::ffff:127.0.0.1"}},
		"none.test":   {{"0.0.0.0"}},
		"many.test":   {{"127.0.0.1", "127.0.0.2", "::1", "::"}},
	}}
	r := newRig(t, Config{
		OwnPorts:     func() []OwnPort { return []OwnPort{{TCP, portOf(t, page)}} },
		OwnAddresses: func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("192.0.2.5")}, nil },
		Resolver:     dns.resolver(),
	})
	anna := r.phone(1)
	for _, host := range []string{
		"127.0.0.1", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "192.0.2.5", "localhost",
		"four.test", "six.test", "mapped.test", "none.test", "many.test",
	} {
		r.policy([]Service{web(host + port)}, 1)
		wantReset(t, host, anna, netip.AddrPortFrom(ours4.Addr(), 8080))
		if s := r.gate.Status()[0]; s.State != Down || !strings.Contains(s.Error, "Hearthgate itself") {
			t.Errorf("%s: the service is %+v, want down because it is Hearthgate itself", host, s)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the appliance's own port was reached %d times", n)
	}
}

// TestRebinding: a name that was fine when the service was used first means us at the next dial.
func TestRebinding(t *testing.T) {
	var reached atomic.Int32
	page := serve(t, func(*net.TCPConn) { reached.Add(1) })
	var isOwn atomic.Bool
	dns := &names{answers: map[string][][]string{"name.test": {{"127.0.0.1"}, {"127.0.0.2"}}}}
	r := newRig(t, Config{
		// 127.0.0.1 stands for another machine: it is on a port of ours only once the name has changed.
		OwnPorts: func() []OwnPort {
			if !isOwn.Load() {
				return nil
			}
			return []OwnPort{{TCP, portOf(t, page)}}
		},
		OwnAddresses: own,
		Resolver:     dns.resolver(),
	})
	anna := r.phone(1)
	r.policy([]Service{web("name.test" + page[strings.LastIndex(page, ":"):])}, 1)
	at := netip.AddrPortFrom(ours4.Addr(), 8080)
	_, _ = io.ReadAll(anna.tcp(at))
	if n := reached.Load(); n != 1 {
		t.Fatalf("the target was reached %d times before its name changed, want once", n)
	}
	isOwn.Store(true)
	wantReset(t, "a name that means us now", anna, at)
	if n := reached.Load(); n != 1 {
		t.Errorf("the appliance was reached through a name that changed")
	}
}

// TestBroadcastIsRefused: the kernel knows which addresses are broadcast, and our sockets may not send there.
func TestBroadcastIsRefused(t *testing.T) {
	d := &dialer{board: newBoard(nil, nil), guard: newGuard(Config{OwnAddresses: own})}
	if c, err := d.dial(t.Context(), talk("127.255.255.255:9999")); err == nil {
		_ = c.Close()
		t.Error("a socket that sends to a whole network was made")
	}
}

// TestExplanations: what a household reads when a target is not there.
func TestExplanations(t *testing.T) {
	dns := &names{answers: map[string][][]string{"ours.test": {{"127.0.0.1"}}}}
	r := newRig(t, Config{
		OwnPorts: func() []OwnPort { return []OwnPort{{TCP, 51821}} }, OwnAddresses: own, Resolver: dns.resolver(),
	})
	anna := r.phone(1)
	for target, want := range map[string]string{
		"nowhere.test:80":  "the name nowhere.test is not known",
		"ours.test:51821":  "ours.test:51821 leads to 127.0.0.1:51821, and that is Hearthgate itself, which no service may reach",
		"127.0.0.1:51821":  "127.0.0.1:51821 is Hearthgate itself, which no service may reach",
		"10.83.16.1:8123":  "10.83.16.1:8123 is in the tunnel, where only phones are",
		nobody(t):          "nothing listens at ",
		"[fe80::1%lo]:999": "",
	} {
		r.policy([]Service{web(target)}, 1)
		wantReset(t, target, anna, netip.AddrPortFrom(ours4.Addr(), 8080))
		if got := r.gate.Status()[0].Error; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}
