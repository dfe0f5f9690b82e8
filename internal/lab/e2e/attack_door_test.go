package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// mapPort lets the internet through the router to a TCP port of the appliance, as a household may do by mistake.
func (h *home) mapPort(t testing.TB, port string) {
	t.Helper()
	h.Router.Run(t, "nft", "add", "rule", "inet", "home", "mappings", "iifname", "wan", "ip", "daddr", h.WAN4.String(), "tcp", "dport", port, "dnat", "ip", "to", h.Appliance.Addr4.String())
	h.Router.Run(t, "nft", "add", "rule", "inet", "home", "through", "iifname", "wan", "ip6", "daddr", h.Appliance.Addr6.String(), "tcp", "dport", port, "accept")
}

// TestAttackFromTheInternet: where the household has mapped the page's port on its router by mistake, and opened it for IPv6, the internet
// finds not even an open port, nor a closed one; the neighbours have their page over both families.
func TestAttackFromTheInternet(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	h.claim(t)
	h.mapPort(t, "51821")
	h.mapPort(t, "8080")
	h.Appliance.Bait(t, 8080)
	phone := h.AddPhone(t, "phone") // somebody on the carrier's network, without a tunnel
	for _, from := range []*lab.Host{h.Internet, phone} {
		for _, to := range []string{h.WAN4.String(), h.Appliance.Addr6.String()} {
			if c, err := dialFor(t, from, net.JoinHostPort(to, "8080"), 3*time.Second); err != nil {
				t.Fatalf("the router lets nothing through from %s to %s: %v; this proves nothing", from.Name, to, err)
			} else {
				c.Close()
			}
			c, err := dialFor(t, from, net.JoinHostPort(to, "51821"), 1500*time.Millisecond)
			if err == nil {
				c.Close()
			}
			if !os.IsTimeout(err) {
				t.Errorf("from %s to the page at %s: %v, want silence", from.Name, to, err)
			}
		}
	}
	for _, to := range []netip.Addr{h.Appliance.Addr4, h.Appliance.Addr6} {
		v := newVisitor(h.Neighbour, "http://"+net.JoinHostPort(to.String(), "51821"))
		if a := v.get(t, "/signin"); a.Status != http.StatusOK {
			t.Errorf("a neighbour at %s: %d", to, a.Status)
		}
	}
}

// addressesIn reads the addresses that a config sends into the tunnel: the server's, and the admin page's if there is one.
func addressesIn(config string) (all []string) {
	for _, list := range regexp.MustCompile(`(?m)^AllowedIPs\s*=\s*(.*)$`).FindAllStringSubmatch(config, -1) {
		for one := range strings.SplitSeq(list[1], ",") {
			addr, _, _ := strings.Cut(strings.TrimSpace(one), "/")
			all = append(all, addr)
		}
	}
	return all
}

// TestAttackFromInsideTheTunnel: a phone that sends everything into its tunnel does not reach the page on the LAN, nor the admin page
// unless it was given that; its portal tells of itself alone, only reads, and answers to its own address only.
func TestAttackFromInsideTheTunnel(t *testing.T) {
	h := standinHome(t)
	owner := h.claim(t)
	inside := h.status(t).Tunnel
	h.do(t, "peer", "add", "Admin", "--json")
	h.do(t, "peer", "services", "Admin", "home-assistant", "admin")
	config := h.do(t, "peer", "rekey", "Admin", "--now", "--conf")
	admins := slices.DeleteFunc(addressesIn(config), func(a string) bool { return a == inside.IPv4 || a == inside.IPv6 })
	if len(admins) == 0 {
		t.Fatalf("no admin address in\n%s", config)
	}
	evil, _ := h.phone(t, "evil", "Evil", lab.Everything)
	admin := h.AddPhone(t, "admin")
	if !admin.WireGuard(t, config, lab.Allowed).Handshake(t, 15*time.Second) {
		t.Fatal("no handshake")
	}
	closed := []string{
		net.JoinHostPort(h.Appliance.Addr4.String(), "51821"), net.JoinHostPort(h.Appliance.Addr6.String(), "51821"),
		net.JoinHostPort(inside.IPv4, "51821"), net.JoinHostPort(inside.IPv6, "51821"), "127.0.0.1:51821",
	}
	for _, a := range admins {
		closed = append(closed, net.JoinHostPort(a, "80"), net.JoinHostPort(a, "51821"))
		v := newVisitor(admin, "http://"+net.JoinHostPort(a, "80"))
		if got := v.get(t, "/settings"); got.Status != http.StatusSeeOther || got.to() != "/signin?next=%2Fsettings" {
			t.Errorf("the admin page at %s: %d to %q", a, got.Status, got.to())
		}
		v.header = http.Header{"Cookie": {"hearthgate=" + owner.cookie("/", "hearthgate")}}
		if !v.isSignedIn(t) {
			t.Errorf("whoever is signed in is not, at %s", a)
		}
		if got, err := raw(t.Context(), admin, net.JoinHostPort(a, "80"), "GET /signin HTTP/1.1\r\nHost: "+inside.IPv4+"\r\n\r\n", 3*time.Second); err != nil || !strings.HasPrefix(got, "421") {
			t.Errorf("the admin page under the portal's address: %v %.100s", err, got)
		}
	}
	for _, address := range closed {
		if c, err := dialFor(t, evil, address, 1500*time.Millisecond); err == nil && address != "127.0.0.1:51821" {
			c.Close()
			t.Errorf("a phone without the service reaches %s", address)
		}
	}
	for _, address := range []string{inside.IPv4, inside.IPv6} {
		h.wantPortalOnly(t, evil, address, owner)
	}
}

// wantPortalOnly tries everything but reading on a phone's portal.
func (h *home) wantPortalOnly(t testing.TB, on *lab.Host, address string, owner *visitor) {
	t.Helper()
	host := net.JoinHostPort(address, "80")
	v := newVisitor(on, "http://"+host)
	a := v.get(t, "/")
	if a.Status != http.StatusOK || !strings.Contains(a.Body, "Evil") || strings.Contains(a.Body, "<form") || strings.Contains(a.Body, "192.168.77") {
		t.Errorf("the portal: %d\n%s", a.Status, a.Body)
	}
	wantSafeHeaders(t, "the portal", a)
	wantOnlyText(t, "the portal", a.Body)
	v.header = http.Header{"Cookie": {"hearthgate=" + owner.cookie("/", "hearthgate")}}
	before := h.all(t)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
		for _, path := range []string{"/", "/phones/new", "/setup", "/signin", "/api/v1/peers", "/settings/stolen"} {
			if got := v.must(t, method, path, formMedia, "name=Mallory&sure=1"); got.Status < 400 {
				t.Errorf("%s %s on the portal: %d", method, path, got.Status)
			}
		}
	}
	for _, path := range []string{"/settings", "/signin", "/setup", "/api/v1/peers", "/api/v1/status", "/metrics", "/journal.jsonl", "/l/00", "/phones/new", "//", "/../settings", "/assets/", "/assets/../settings"} {
		if got := v.get(t, path); got.Status != http.StatusNotFound {
			t.Errorf("%s on the portal: %d to %s", path, got.Status, got.to())
		}
	}
	wantSame(t, before, h.all(t))
	for _, name := range append(h.foreignHosts(), h.Appliance.Addr4.String(), "localhost", "hearthgate.local", "appliance", "127.0.0.1") {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		got, err := raw(ctx, on, host, fmt.Sprintf("GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", name), 3*time.Second)
		cancel()
		if err == nil && !strings.HasPrefix(got, "421") && !strings.HasPrefix(got, "400") {
			t.Errorf("the portal as %q: %.200s", name, got)
		}
	}
}

// TestAttackOnePhoneFloodsThePortal: a phone that opens connections to its portal as fast as it can takes no more than its share; another
// phone's portal and its Home Assistant answer at once meanwhile, and the first one's own Home Assistant too.
func TestAttackOnePhoneFloodsThePortal(t *testing.T) {
	h := standinHome(t)
	inside := h.status(t).Tunnel.IPv4
	greedy, _ := h.phone(t, "greedy", "Greedy", lab.Allowed)
	other, _ := h.phone(t, "other", "Other", lab.Allowed)
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		tries := 0
		var all crowd
		for {
			select {
			case <-stop:
				all.close()
				stopped <- tries
				return
			default:
			}
			c, _ := rush(greedy, netip.Addr{}, net.JoinHostPort(inside, "80"), 20, "GET / HTTP/1.1\r\n") // refused ones are the point
			tries += 20
			if all = append(all, c...); len(all) > 500 {
				all.close()
				all = nil
			}
		}
	}()
	var worst time.Duration
	for range 15 {
		for _, address := range []string{net.JoinHostPort(inside, "80"), net.JoinHostPort(inside, "8123")} {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			if code, err := fetch(ctx, other, "http://"+address+"/"); err != nil || code != http.StatusOK {
				t.Errorf("the other phone at %s: %d, %v", address, code, err)
			}
			cancel()
			worst = max(worst, time.Since(began))
		}
	}
	close(stop)
	t.Logf("%d tries of the greedy phone; the other one waited %v at most; the appliance used %d MiB", <-stopped, worst, h.memory(t).peak>>20)
	if peak := h.memory(t).peak; peak > ceiling {
		t.Errorf("the appliance used %d MiB", peak>>20)
	}
	eventually(t, 10*time.Second, "the greedy phone has its own portal again", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		code, err := fetch(ctx, greedy, "http://"+net.JoinHostPort(inside, "80")+"/")
		return err == nil && code == http.StatusOK
	})
}
