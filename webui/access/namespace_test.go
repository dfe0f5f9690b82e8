package access

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// patient is how long an answer is waited for that should come, on a machine that is busy.
const patient = 20 * time.Second

const port = 51821

// serve puts the page on a host, without privileges.
func serve(t *testing.T, h *lab.Host, place string) *lab.Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := h.Unprivileged(t.Context(), lab.Share(t, self))
	cmd.Env = append(cmd.Env, placeVar+"="+place)
	p := lab.Start(t, cmd)
	p.WaitFor(t, "serving", patient)
	return p
}

// sees tells whether a host is shown the page at an address.
func sees(t *testing.T, h *lab.Host, at netip.Addr) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	// To some the page is silent. A handshake is the kernels' alone, which takes no time even on a busy machine.
	handshake, stop := context.WithTimeout(ctx, 1500*time.Millisecond)
	defer stop()
	if c, err := h.Dial(handshake, "tcp", netip.AddrPortFrom(at, port).String()); err != nil {
		return false
	} else if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	url := "http://" + netip.AddrPortFrom(at, port).String() + "/"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	req.Header.Set("X-Forwarded-For", "127.0.0.1")
	req.Header.Set("Forwarded", "for=127.0.0.1")
	req.Header.Set("X-Real-IP", "127.0.0.1")
	answer, err := h.HTTPClient().Do(req)
	if err != nil {
		if ctx.Err() != nil {
			t.Fatalf("%s at %s: neither the page nor a refusal: %v", h.Name, url, err)
		}
		return false
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if !strings.HasPrefix(string(body), "came from ") {
		t.Fatalf("%s at %s: %s %s", h.Name, url, answer.Status, body)
	}
	return true
}

// withoutFirewall is the router when nothing else protects it.
func withoutFirewall(t *testing.T, l *lab.Lab) {
	t.Helper()
	l.Router.Run(t, "nft", "flush", "ruleset")
}

func TestARouterShowsThePageAtHomeOnly(t *testing.T) {
	l := lab.New(t)
	withoutFirewall(t, l)
	// A machine on the uplink's own network takes the way of a neighbour of the provider: it knows where the home is.
	l.Internet.Run(t, "ip", "route", "add", l.LAN4.String(), "via", l.WAN4.String())

	for _, c := range []struct {
		place          string
		lan, wan, self bool
		at             []netip.Addr
	}{
		{fmt.Sprintf(":%d", port), true, false, true, []netip.Addr{l.Router.Addr4, l.Router.Addr6, l.WAN4, l.WAN6}},
		{fmt.Sprintf("0.0.0.0:%d", port), true, false, true, []netip.Addr{l.Router.Addr4, l.WAN4}},
		{fmt.Sprintf("lan:%d", port), true, false, true, []netip.Addr{l.Router.Addr4, l.Router.Addr6, l.WAN4, l.WAN6}},
		{fmt.Sprintf("wan:%d", port), false, true, true, []netip.Addr{l.Router.Addr4, l.Router.Addr6, l.WAN4, l.WAN6}},
		{fmt.Sprintf("%s:%d", l.Router.Addr4, port), true, false, true, []netip.Addr{l.Router.Addr4}},
		{fmt.Sprintf("[%s]:%d", l.Router.Addr6, port), true, false, true, []netip.Addr{l.Router.Addr6}},
		{fmt.Sprintf("%s:%d", l.WAN4, port), true, true, true, []netip.Addr{l.WAN4}},
	} {
		t.Run(c.place, func(t *testing.T) {
			p := serve(t, l.Router, c.place)
			defer p.Stop(t)
			for _, at := range c.at {
				if got := sees(t, l.Neighbour, at); got != c.lan {
					t.Errorf("a neighbour sees the page at %s: %v, want %v\n%s", at, got, c.lan, p.Output())
				}
				if got := sees(t, l.Internet, at); got != c.wan {
					t.Errorf("a machine on the uplink sees the page at %s: %v, want %v\n%s", at, got, c.wan, p.Output())
				}
				if got := sees(t, l.Router, at); got != c.self {
					t.Errorf("the router itself sees the page at %s: %v, want %v\n%s", at, got, c.self, p.Output())
				}
			}
		})
	}
}

func TestAnApplianceShowsThePageToItsNetworkOnly(t *testing.T) {
	l := lab.New(t)
	phone := l.AddPhone(t, "phone")
	withoutFirewall(t, l)
	l.Internet.Run(t, "ip", "route", "add", l.LAN4.String(), "via", l.WAN4.String())
	l.Internet.Run(t, "ip", "route", "add", "default", "via", l.WAN4.String())
	p := serve(t, l.Appliance, fmt.Sprintf(":%d", port))

	for _, at := range []netip.Addr{l.Appliance.Addr4, l.Appliance.Addr6} {
		if !sees(t, l.Neighbour, at) {
			t.Errorf("a neighbour does not see the page at %s\n%s", at, p.Output())
		}
		if sees(t, phone, at) {
			t.Errorf("a phone on the internet sees the page at %s", at)
		}
	}
	want := "url http://" + netip.AddrPortFrom(l.Appliance.Addr4, port).String() + "/\n"
	if !strings.HasPrefix(p.Output(), want) {
		t.Errorf("the first URL is not the one to type, %q:\n%s", want, p.Output())
	}
	if !strings.Contains(p.Output(), `warning ""`) {
		t.Errorf("an appliance that is no router warns:\n%s", p.Output())
	}

	// Now the appliance becomes a router, while the page is there.
	l.Appliance.Run(t, "ip", "link", "add", "other", "type", "veth", "peer", "name", "another")
	l.Appliance.Run(t, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	gone := false
	for range 200 { // an answer of the kernel is believed for a second
		if gone = !sees(t, l.Neighbour, l.Appliance.Addr6); gone {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if !gone {
		t.Error("after the appliance began to forward IPv4, its uplink still sees the page over IPv6")
	}
	if sees(t, l.Neighbour, l.Appliance.Addr4) || !sees(t, l.Appliance, l.Appliance.Addr4) {
		t.Errorf("a router shows the page on its uplink, or not to itself\n%s", p.Output())
	}
}

// With policy routing an answer to an address of the home can leave through the uplink: the route back says nothing
// about where a packet came from.
func TestAStrangerWithAnAddressOfTheHome(t *testing.T) {
	l := lab.New(t)
	withoutFirewall(t, l)
	thief := netip.MustParseAddr("192.168.77.99")
	l.Router.Run(t, "ip", "route", "add", "default", "via", "11.0.0.1", "table", "7")
	l.Router.Run(t, "ip", "rule", "add", "from", l.WAN4.String(), "table", "7", "priority", "7")
	l.Internet.Run(t, "ip", "addr", "add", thief.String()+"/32", "dev", "home")
	l.Internet.Run(t, "ip", "route", "replace", "11.0.0.0/24", "dev", "home", "src", thief.String())
	for _, place := range []string{fmt.Sprintf(":%d", port), fmt.Sprintf("0.0.0.0:%d", port), fmt.Sprintf("lan:%d", port)} {
		p := serve(t, l.Router, place)
		if sees(t, l.Internet, l.WAN4) {
			t.Errorf("%s: a stranger on the uplink who took %s sees the page", place, thief)
		}
		p.WaitFor(t, "from="+thief.String(), patient) // so that it was this address that was refused
		if !sees(t, l.Neighbour, l.Router.Addr4) {
			t.Errorf("%s: a neighbour does not see the page", place)
		}
		p.Stop(t)
	}
}

func TestWhatARouterSays(t *testing.T) {
	l := lab.New(t)
	p := serve(t, l.Router, fmt.Sprintf(":%d", port))
	for _, want := range []string{"not served on wan", "--web wan:51821"} {
		if !strings.Contains(p.Output(), want) {
			t.Errorf("the router does not say %q:\n%s", want, p.Output())
		}
	}
	var urls []string
	for line := range strings.Lines(p.Output()) {
		if url, ok := strings.CutPrefix(strings.TrimSpace(line), "url "); ok {
			urls = append(urls, url)
		}
	}
	want := []string{"http://192.168.77.1:51821/", "http://[2a77:db8:77::1]:51821/"}
	if !slices.Equal(urls, want) {
		t.Errorf("URLs() = %q, want %q", urls, want)
	}
}
