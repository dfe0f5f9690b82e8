package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestDefaultDeny: a port of ours that the phone may not have is reset at once, whoever else may have it.
func TestDefaultDeny(t *testing.T) {
	families(t, func(t *testing.T, us netip.Addr) {
		r := newRig(t, Config{})
		anna, ben := r.phone(1), r.phone(2)
		s := web(serve(t, echo))
		r.gate.SetPolicy(Policy{
			Services: []Service{builtins()[0], s},
			Peers:    []PeerPolicy{peerPolicy(1, []Service{s}), peerPolicy(2, nil)},
		})
		if err := exchange(anna.tcp(netip.AddrPortFrom(us, s.Port)), "hello"); err != nil {
			t.Fatal(err)
		}
		wantReset(t, "a service of another phone", ben, netip.AddrPortFrom(us, s.Port))
		wantReset(t, "Home Assistant, which is not on the list", anna, netip.AddrPortFrom(us, HomeAssistantPort))
		wantReset(t, "a port of nobody", anna, netip.AddrPortFrom(us, 22))
		wantReset(t, "the portal's port", anna, netip.AddrPortFrom(us, PortalPort))
		wantReset(t, "the web page's port", anna, netip.AddrPortFrom(us, 51821))
	})
}

// wantReset dials and wants to be reset, well before any retransmission could have had a part in it.
func wantReset(t *testing.T, what string, p *phone, at netip.AddrPort) {
	t.Helper()
	begin := time.Now()
	c, err := p.tryTCP(at)
	if err == nil {
		t.Errorf("%s: a connection was made", what)
		_ = c.Close()
		return
	}
	if !strings.Contains(err.Error(), "refused") {
		t.Errorf("%s: %v, want a reset", what, err)
	}
	if took := time.Since(begin); took > patience/3 {
		t.Errorf("%s: the reset took %s", what, took)
	}
}

// TestPortUnreachable: the same for UDP, whose answer is ICMP.
func TestPortUnreachable(t *testing.T) {
	families(t, func(t *testing.T, us netip.Addr) {
		r := newRig(t, Config{})
		anna, ben := r.phone(1), r.phone(2)
		s := talk(serveUDP(t, func(b []byte) []byte { return b }))
		r.policy([]Service{s}, 1)
		r.gate.SetPolicy(Policy{Services: []Service{s}, Peers: []PeerPolicy{peerPolicy(1, []Service{s}), peerPolicy(2, nil)}})
		if err := exchange(anna.udp(netip.AddrPortFrom(us, s.Port)), "hello"); err != nil {
			t.Fatal(err)
		}
		wantUnreachable(t, "a service of another phone", ben.udp(netip.AddrPortFrom(us, s.Port)))
		wantUnreachable(t, "a port of nobody", anna.udp(netip.AddrPortFrom(us, 53)))
	})
}

func wantUnreachable(t *testing.T, what string, c net.Conn) {
	t.Helper()
	_, _ = c.Write([]byte("anyone?"))
	if err := readError(soon(t), c); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%s: %v, want port unreachable", what, err)
	}
}

// readError gives the first error of c that is not a timeout. gonet does not wake a reader for an ICMP error, so that it
// must be asked again and again.
func readError(ctx context.Context, c net.Conn) error {
	for ctx.Err() == nil {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		var timeout net.Error
		if err != nil && (!errors.As(err, &timeout) || !timeout.Timeout()) {
			return err
		}
	}
	return nil
}

// TestProhibited: what is not ours is answered too, whether it is the LAN, the world or another phone. The stack that plays
// the phone does not tell its sockets of this ICMP code, so that the test looks at the packets.
func TestProhibited(t *testing.T) {
	r := newRig(t, Config{})
	anna := r.phone(1)
	r.phone(2)
	r.policy([]Service{builtins()[0]}, 1, 2)
	var want int
	for _, at := range []string{
		"192.168.1.1:80", "192.168.1.1:53", "8.8.8.8:53", "10.83.16.3:80", "[2001:db8::1]:80", "[fd83::3]:8123", "[fd83::3]:80",
	} {
		to := netip.MustParseAddrPort(at)
		_, _ = anna.udp(to).Write([]byte("anyone?"))
		want++
		eventually(t, "an answer about udp to "+at, func() bool { return r.prohibited() == want })
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = anna.DialContextTCPAddrPort(ctx, to) }()
		want++
		eventually(t, "an answer about tcp to "+at, func() bool { return r.prohibited() == want })
		cancel()
	}
}

// TestStranger: an address that the policy does not know gets silence, not even a reset that would tell it of us.
func TestStranger(t *testing.T) {
	r := newRig(t, Config{})
	stranger := r.phone(3)
	r.policy([]Service{web(serve(t, echo))}, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if c, err := stranger.DialContextTCPAddrPort(ctx, netip.AddrPortFrom(ours4.Addr(), 8080)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a stranger's dial gave %v, %v; want silence", c, err)
	}
}

func TestEchoIsAnswered(t *testing.T) {
	families(t, func(t *testing.T, us netip.Addr) {
		anna := newRig(t, Config{}).phone(1)
		eventually(t, "an echo reply", func() bool { return anna.ping(us) == nil })
	})
}

// ping asks once. PingConn never hears of a reply that came before it was reading, so that one must be made for each attempt.
func (p *phone) ping(us netip.Addr) error {
	c, err := p.DialPingAddr(netip.Addr{}, us)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	heard := make(chan error, 1)
	go func() {
		b := make([]byte, 64)
		n, err := c.Read(b)
		if err == nil && !strings.HasSuffix(string(b[:n]), "ping") {
			err = fmt.Errorf("heard %q", b[:n])
		}
		heard <- err
	}()
	pause()
	request := []byte{8, 0, 0, 0, 0, 1, 0, 1, 'p', 'i', 'n', 'g'}
	if us.Is6() {
		request[0] = 128
	}
	if _, err := c.Write(request); err != nil {
		return err
	}
	return <-heard
}

// TestDownTarget: a target that is not there is a prompt reset, its state shows, and it is up again as soon as it is there.
func TestDownTarget(t *testing.T) {
	families(t, func(t *testing.T, us netip.Addr) {
		r := newRig(t, Config{HomeAssistant: func() (string, error) { return "", errors.New("Home Assistant has not been found yet") }})
		anna := r.phone(1)
		s := web(nobody(t))
		r.policy([]Service{builtins()[0], s}, 1)
		if got := r.gate.Status(); got[0].State != Unknown || got[1].State != Unknown || !got[1].Since.IsZero() {
			t.Errorf("before anybody asked: %+v, want unknown", got)
		}
		wantReset(t, "a target that is down", anna, netip.AddrPortFrom(us, s.Port))
		wantReset(t, "Home Assistant that is not found", anna, netip.AddrPortFrom(us, HomeAssistantPort))
		got := r.gate.Status()
		if got[0].State != Down || got[0].Error != "Home Assistant has not been found yet" {
			t.Errorf("Home Assistant is %+v, want down with the finder's sentence", got[0])
		}
		if got[1].State != Down || got[1].Error != "nothing listens at "+s.Target || got[1].Since.IsZero() {
			t.Errorf("the service is %+v, want down, since when, and why", got[1])
		}
		revive(t, s.Target)
		if err := exchange(anna.tcp(netip.AddrPortFrom(us, s.Port)), "hello"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the service to be up with one flow", func() bool {
			got := r.gate.Status()[1]
			return got.State == Up && got.Error == "" && got.Flows == 1
		})
	})
}

// revive makes something listen at a target.
func revive(t *testing.T, target string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				echo(c.(*net.TCPConn))
			}()
		}
	}()
}

// TestHomeAssistantIsFoundAfresh: each dial asks where Home Assistant is, and a flow that runs stays where it is.
func TestHomeAssistantIsFoundAfresh(t *testing.T) {
	name := func(s string) func(*net.TCPConn) {
		return func(c *net.TCPConn) {
			_, _ = c.Write([]byte(s))
			echo(c)
		}
	}
	first, second := serve(t, name("first")), serve(t, name("other"))
	where := make(chan string, 1)
	where <- first
	r := newRig(t, Config{HomeAssistant: func() (string, error) {
		at := <-where
		where <- at
		return at, nil
	}})
	anna := r.phone(1)
	r.policy([]Service{builtins()[0]}, 1)
	at := netip.AddrPortFrom(ours4.Addr(), HomeAssistantPort)
	before := anna.tcp(at)
	if err := readWant(before, "first"); err != nil {
		t.Fatal(err)
	}
	<-where
	where <- second
	r.policy([]Service{builtins()[0]}, 1)
	if err := readWant(anna.tcp(at), "other"); err != nil {
		t.Error(err)
	}
	if err := exchange(before, "still there?"); err != nil {
		t.Errorf("the flow to where Home Assistant was: %v, want it to stay", err)
	}
}
