package lab_test

import (
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

func TestThePhoneReachesTheInternetAndNothingBehindTheRouter(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	phone := l.AddPhone(t, "anna")
	web := l.Internet.Bait(t, 443)
	l.Appliance.Bait(t, 443)
	l.Router.Bait(t, 443)

	for _, addr := range []netip.Addr{l.Internet.Addr4, l.Internet.Addr6, netip.MustParseAddr("11.0.0.1")} {
		if !greeted(t, phone, netip.AddrPortFrom(addr, 443)) {
			t.Errorf("the phone does not reach the internet at %v", addr)
		}
	}
	if got := web.Visitors(t); len(got) != 3 {
		t.Errorf("the internet saw %q, three visits were expected", got)
	}
	var tries sync.WaitGroup
	for _, addr := range []netip.Addr{
		l.Appliance.Addr4, l.Appliance.Addr6, l.Router.Addr4, l.Router.Addr6, l.WAN4, l.WAN6,
		l.Neighbour.Addr4, l.Neighbour.Addr6,
	} {
		for _, port := range []uint16{lab.BaitPort, 443} {
			to := netip.AddrPortFrom(addr, port)
			tries.Go(func() {
				if reaches(t, phone, to) || ask(t, phone, to, brief) != "" {
					t.Errorf("the phone reaches %v", to)
				}
			})
		}
	}
	tries.Wait()
	if got := l.Bait.Visitors(t); len(got) > 0 {
		t.Errorf("the neighbour's bait was found by %q", got)
	}
}

func TestOnlyTheMappedPortComesThroughTheRouter(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	phone := l.AddPhone(t, "anna")
	echo := startEcho(t, l.Appliance, ":51820")
	echo.AssertUnprivileged(t)
	startEcho(t, l.Appliance, ":51822")

	// The appliance sees the phone's own address: a port mapping leaves the source alone.
	if got := ask(t, phone, netip.AddrPortFrom(l.WAN4, 51820), patient); !strings.HasPrefix(got, phone.Addr4.String()+":") {
		t.Errorf("51820/udp at the WAN address: got %q from the appliance", got)
	}
	if got := ask(t, phone, netip.AddrPortFrom(l.Appliance.Addr6, 51820), patient); !strings.HasPrefix(got, "["+phone.Addr6.String()+"]:") {
		t.Errorf("51820/udp at the appliance's IPv6 address: got %q", got)
	}
	for _, to := range []netip.AddrPort{
		netip.AddrPortFrom(l.WAN4, 51822), netip.AddrPortFrom(l.Appliance.Addr6, 51822),
		netip.AddrPortFrom(l.Neighbour.Addr6, 51820),
	} {
		if got := ask(t, phone, to, brief); got != "" {
			t.Errorf("%v answers %q", to, got)
		}
	}
}

func TestTheLANTalksFreelyAndGoesOutThroughNAT(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	fridge := l.AddDevice(t, "fridge")
	for _, from := range []*lab.Host{l.Appliance, l.HomeAssistant, l.Router, fridge} {
		for _, addr := range []netip.Addr{l.Neighbour.Addr4, l.Neighbour.Addr6} {
			to := netip.AddrPortFrom(addr, lab.BaitPort)
			if !greeted(t, from, to) {
				t.Errorf("%s does not reach %v", from.Name, to)
			}
			if got := ask(t, from, to, patient); got != l.Bait.Greeting {
				t.Errorf("%s hears %q from %v", from.Name, got, to)
			}
		}
	}
	if got := l.Bait.Visitors(t); !slices.ContainsFunc(got, func(who string) bool {
		return strings.HasPrefix(who, "udp ") && strings.Contains(who, l.Appliance.Addr4.String())
	}) {
		t.Errorf("the bait did not note the appliance's UDP visit: %q", got)
	}
}

func TestOutboundFromTheLANIsMasqueraded(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	startEcho(t, l.Internet, ":7007")
	if got := ask(t, l.Appliance, netip.MustParseAddrPort("11.0.0.1:7007"), patient); !strings.HasPrefix(got, l.WAN4.String()+":") {
		t.Errorf("over IPv4 the internet saw %q, the WAN address was expected", got)
	}
	if got := ask(t, l.Appliance, netip.MustParseAddrPort("[2a77:db8:b::1]:7007"), patient); !strings.HasPrefix(got, "["+l.Appliance.Addr6.String()+"]:") {
		t.Errorf("over IPv6 the internet saw %q, the appliance's own address was expected", got)
	}
}

func TestMulticastWorksOnTheLAN(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	for _, group := range []*net.UDPAddr{
		{IP: net.ParseIP("224.0.0.251"), Port: 5353},
		{IP: net.ParseIP("ff02::fb"), Port: 5353, Zone: "eth0"},
	} {
		var heard *net.UDPConn
		err := l.HomeAssistant.Do(func() error {
			link, err := net.InterfaceByName("eth0")
			if err != nil {
				return err
			}
			heard, err = net.ListenMulticastUDP("udp", link, group)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer heard.Close()
		var said net.Conn
		err = l.Appliance.Do(func() (err error) {
			said, err = new(net.Dialer).DialContext(t.Context(), "udp", group.String())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer said.Close()
		if _, err := said.Write([]byte("who is there?")); err != nil {
			t.Fatal(err)
		}
		if err := heard.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 100)
		n, from, err := heard.ReadFromUDP(buffer)
		if err != nil || string(buffer[:n]) != "who is there?" {
			t.Errorf("%v: Home Assistant heard %q from %v, %v", group, buffer[:n], from, err)
		}
	}
}

func TestHostsHaveTheirMACAddressesAndNames(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	for _, h := range []*lab.Host{l.Appliance, l.HomeAssistant, l.Neighbour} {
		if got := h.Run(t, "ip", "link", "show", "eth0"); !strings.Contains(got, h.MAC.String()) {
			t.Errorf("%s: MAC %v is not in %q", h.Name, h.MAC, got)
		}
	}
	if got := l.Appliance.Run(t, "uname", "-n"); got != "appliance\n" {
		t.Errorf("the appliance calls itself %q", got)
	}
	if got := l.Appliance.Run(t, "getent", "ahostsv4", "homeassistant"); !strings.HasPrefix(got, l.HomeAssistant.Addr4.String()) {
		t.Errorf("the appliance finds homeassistant at %q", got)
	}
	if got := l.Appliance.Run(t, "ip", "neighbour", "show"); strings.Contains(got, "FAILED") {
		t.Errorf("neighbours: %s", got)
	}
}

func TestARunDirectoryOfItsOwn(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	l.Appliance.Run(t, "sh", "-c", "echo secret >/run/note")
	if text, err := os.ReadFile(l.Appliance.Path("/run/note")); err != nil || string(text) != "secret\n" {
		t.Errorf("the test reads %q, %v", text, err)
	}
	for _, name := range []string{"/run/note", l.Neighbour.Path("/run/note")} {
		if _, err := os.Stat(name); !os.IsNotExist(err) {
			t.Errorf("%s: %v, it should be on the appliance only", name, err)
		}
	}
}

func TestHTTPFromAHost(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	ln, err := l.HomeAssistant.Listen(t.Context(), "tcp", ":8123")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 2048))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome")
	}()
	answer, err := l.Neighbour.HTTPClient().Get("http://192.168.77.20:8123/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "welcome" {
		t.Errorf("got %q, %v", body, err)
	}
	if _, err := l.Neighbour.Dial(t.Context(), "tcp", "homeassistant:8123"); err == nil {
		t.Error("a name was dialed; it would be looked up outside of the host")
	}
}
