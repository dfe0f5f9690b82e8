package lab_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

func TestAWitnessLooksThroughTwoRouters(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	witness, other := l.AddWitness(t, "witness"), l.AddWitness(t, "other")
	startEcho(t, l.Appliance, ":51820")
	startEcho(t, witness, ":8124")
	for _, addr := range []netip.Addr{l.WAN4, l.Appliance.Addr6} {
		if got := ask(t, witness, netip.AddrPortFrom(addr, 51820), patient); !strings.Contains(got, witness.Addr4.String()) &&
			!strings.Contains(got, witness.Addr6.String()) {
			t.Errorf("the appliance heard %q from the witness, by %v", got, addr)
		}
	}
	for _, addr := range []netip.Addr{witness.Addr4, witness.Addr6} {
		if got := ask(t, l.Appliance, netip.AddrPortFrom(addr, 8124), patient); got == "" {
			t.Errorf("the appliance does not reach the witness at %v", addr)
		}
		if got := ask(t, other, netip.AddrPortFrom(addr, 8124), patient); got == "" {
			t.Errorf("the other witness does not reach the witness at %v", addr)
		}
	}
	for _, target := range []string{netip.AddrPortFrom(l.WAN4, 8123).String(), netip.AddrPortFrom(l.HomeAssistant.Addr6, 8123).String()} {
		if hops := hops(t, witness, target); hops < 2 {
			t.Errorf("%s: time exceeded from %d hops, at least 2 were expected", target, hops)
		}
	}
	l.Provider(witness).Rules(t, `chain out { type filter hook forward priority filter; tcp dport 8123 drop; }`)
	if hops := hops(t, witness, netip.AddrPortFrom(l.WAN4, 8123).String()); hops != 1 {
		t.Errorf("time exceeded from %d hops although the provider lets nothing out", hops)
	}
}

// hops counts from how many distances a TTL-limited connect is told that its time was exceeded.
func hops(t *testing.T, from *lab.Host, target string) (count int) {
	t.Helper()
	level, option := syscall.IPPROTO_IP, syscall.IP_TTL
	if netip.MustParseAddrPort(target).Addr().Is6() {
		level, option = syscall.IPPROTO_IPV6, syscall.IPV6_UNICAST_HOPS
	}
	for ttl := 1; ttl <= 4; ttl++ {
		// A time exceeded over IPv6 ends a connect with its second SYN only, after 1 s.
		dialer := net.Dialer{Timeout: 3 * brief, Control: func(_, _ string, c syscall.RawConn) error {
			var failed error
			if err := c.Control(func(fd uintptr) { failed = syscall.SetsockoptInt(int(fd), level, option, ttl) }); err != nil {
				return err
			}
			return failed
		}}
		err := from.Do(func() error {
			conn, err := dialer.DialContext(t.Context(), "tcp", target)
			if err == nil {
				conn.Close()
			}
			return err
		})
		if errors.Is(err, syscall.EHOSTUNREACH) {
			count++
		}
	}
	return count
}

func TestEachOpeningAlone(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	witness := l.AddWitness(t, "witness")
	l.HomeAssistant.Bait(t, 8123)
	for _, one := range []struct {
		opening lab.Opening
		at      netip.AddrPort
		hairpin bool
	}{
		{lab.Forward{External: 8123, To: l.HomeAssistant, Port: 8123}, netip.AddrPortFrom(l.WAN4, 8123), false},
		{lab.Forward{External: 443, To: l.HomeAssistant, Port: 8123, Hairpin: true}, netip.AddrPortFrom(l.WAN4, 443), true},
		{lab.Pinhole6{To: l.HomeAssistant, Port: 8123}, netip.AddrPortFrom(l.HomeAssistant.Addr6, 8123), true},
	} {
		if reaches(t, witness, one.at) {
			t.Errorf("%v: %v is reached before", one.opening, one.at)
		}
		closeIt := l.Open(t, one.opening)
		if !greeted(t, witness, one.at) {
			t.Errorf("%v: %v is not reached", one.opening, one.at)
		}
		if inside := reaches(t, l.Appliance, one.at); inside != one.hairpin {
			t.Errorf("%v: from inside it is reached: %v", one.opening, inside)
		}
		closeIt()
		if reaches(t, witness, one.at) {
			t.Errorf("%v: %v is reached after it was closed", one.opening, one.at)
		}
	}
}

func TestAHomeBehindACarriersNAT(t *testing.T) {
	t.Parallel()
	l := lab.New(t, lab.SharedAddress)
	witness := l.AddWitness(t, "witness")
	startEcho(t, witness, ":8124")
	if got := ask(t, l.Appliance, netip.AddrPortFrom(witness.Addr4, 8124), patient); !strings.HasPrefix(got, l.Public4.String()+":") {
		t.Errorf("the witness saw %q, the shared address %v was expected", got, l.Public4)
	}
	if got := ask(t, l.NextDoor, netip.AddrPortFrom(witness.Addr4, 8124), patient); !strings.HasPrefix(got, l.Public4.String()+":") {
		t.Errorf("of the neighbours the witness saw %q, the shared address %v was expected", got, l.Public4)
	}
	if got := ask(t, l.Appliance, netip.AddrPortFrom(witness.Addr6, 8124), patient); !strings.HasPrefix(got, "["+l.Appliance.Addr6.String()+"]:") {
		t.Errorf("over IPv6 the witness saw %q", got)
	}
	l.HomeAssistant.Bait(t, 8123)
	next := l.NextDoor.Bait(t, 8123)
	l.Open(t, lab.Forward{External: 8123, To: l.HomeAssistant, Port: 8123})
	if !greeted(t, witness, netip.AddrPortFrom(l.Public4, 8123)) || len(next.Visitors(t)) != 1 {
		t.Error("port 8123 of the shared address does not lead to the neighbours")
	}
	if !greeted(t, l.NextDoor, netip.AddrPortFrom(l.WAN4, 8123)) {
		t.Error("the neighbours do not reach what the home's own router passes on")
	}
	startEcho(t, l.Appliance, ":51820")
	if got := ask(t, witness, netip.AddrPortFrom(l.Appliance.Addr6, 51820), patient); got == "" {
		t.Error("over IPv6 the tunnel's port is not reached")
	}
	if got := ask(t, witness, netip.AddrPortFrom(l.Public4, 51820), brief); got != "" {
		t.Error("over IPv4 the tunnel's port is reached")
	}
}

func TestTheAddressChangesAndASecondPath(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	witness := l.AddWitness(t, "witness")
	startEcho(t, witness, ":8124")
	l.HomeAssistant.Bait(t, 8123)
	l.Open(t, lab.Forward{External: 8123, To: l.HomeAssistant, Port: 8123})
	before := l.WAN4
	l.ChangeWAN4(t, 77)
	if got := ask(t, l.Appliance, netip.AddrPortFrom(witness.Addr4, 8124), patient); !strings.HasPrefix(got, "11.0.0.77:") {
		t.Errorf("the witness saw %q, the new address was expected", got)
	}
	if !greeted(t, witness, netip.AddrPortFrom(l.WAN4, 8123)) || reaches(t, witness, netip.AddrPortFrom(before, 8123)) {
		t.Error("the forward does not follow the address")
	}
	path := l.SecondPath(t, l.HomeAssistant)
	for _, addr := range []netip.Addr{path.Addr4, path.Addr6} {
		if !greeted(t, witness, netip.AddrPortFrom(addr, 8123)) {
			t.Errorf("Home Assistant is not reached by its second path, %v", addr)
		}
	}
	path.Prefer(t)
	if got := ask(t, l.HomeAssistant, netip.AddrPortFrom(witness.Addr4, 8124), patient); !strings.HasPrefix(got, path.Addr4.String()) {
		t.Errorf("the witness saw %q, the second path's address was expected", got)
	}
}

func TestRulesCountAndGo(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	witness := l.AddWitness(t, "witness")
	startEcho(t, l.Appliance, ":51820")
	to := netip.AddrPortFrom(l.WAN4, 51820)
	table := witness.Rules(t, `counter sent { }
		chain out { type filter hook output priority filter; ip daddr `+l.WAN4.String()+` counter name sent; }`)
	if ask(t, witness, to, patient) == "" {
		t.Fatal("no answer")
	}
	if packets, bytes := table.Counted(t, "sent"); packets == 0 || bytes < 28*packets {
		t.Errorf("%d packets, %d bytes were counted", packets, bytes)
	}
	table.Remove(t)
	remove := l.RouterRules(t, `chain in { type filter hook forward priority filter; udp dport 51820 drop; }`)
	time.Sleep(10 * time.Millisecond)
	if ask(t, witness, to, brief) != "" {
		t.Error("an answer although the router drops it")
	}
	remove()
	if ask(t, witness, to, patient) == "" {
		t.Error("no answer after the rules were removed")
	}
}

func TestANameOfAPublicService(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	l.Call(t, l.Internet, "stun.example")
	l.AddPhone(t, "anna") // names are written anew
	for family, want := range map[string]string{"ahostsv4": l.Internet.Addr4.String(), "ahostsv6": l.Internet.Addr6.String()} {
		if got := l.Appliance.Run(t, "getent", family, "stun.example"); !strings.HasPrefix(got, want+" ") {
			t.Errorf("the appliance finds it at %q, want %s", got, want)
		}
	}
}
