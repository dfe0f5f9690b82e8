package e2e

import (
	"context"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// harmless is: what answers here is not the household's Home Assistant, or is not reached from the internet.
func harmless() []scenario {
	return []scenario{
		{"the router's own page at the public address, from inside", routersPage},
		{"a neighbour behind the same address", func(t *testing.T) {
			neighbours(t, "2026.8.1", false, "path_lost_before", "other_home", "neighbours", "shared")
		}},
		{"a neighbour with the very same Home Assistant, and the router says that its address is private", func(t *testing.T) {
			neighbours(t, homeVersion, true, "path_lost_before", "neighbours", "shared")
		}},
		{"a scanner's old entry", oldEntry},
		{"something on the way that accepts every port", middlebox},
		{"another machine's page on 443", anotherMachine},
	}
}

// serveHTTP has a host answer on a port with a page that is not Home Assistant's.
func serveHTTP(t testing.TB, on *lab.Host, port string) {
	t.Helper()
	l, err := on.Listen(t.Context(), "tcp", ":"+port)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html><title>Router</title>")) // the visitor hung up: nobody to tell
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }() // ends with ErrServerClosed
	t.Cleanup(func() { server.Close(); <-done })
}

func routersPage(t *testing.T) {
	h := watchedHome(t)
	serveHTTP(t, h.Router, "80")
	serveHTTP(t, h.Router, "8123") // some do
	w := h.outside(t, "witness")
	h.trust(t, w.invite(t))
	if exit, v := h.check(t); exit != exitClosed {
		t.Errorf("exit %d, closed was expected: %v", exit, v)
	}
}

// neighbours share the home's public address. Home Assistants of one version look alike, so that a neighbour with the same one is
// told apart only where the router says that it is not on the internet itself, or where the tunnel's port is known to be reached.
func neighbours(t *testing.T, version string, routerSays bool, reasons ...string) {
	h := watchedHome(t, lab.SharedAddress)
	h.liveAt(t, h.NextDoor, version, 8123)
	if routerSays {
		h.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true})
	}
	w := h.outside(t, "witness")
	h.trust(t, w.invite(t))
	exit, v := h.check(t)
	if exit != exitUnverified || !v.says(reasons...) {
		t.Errorf("exit %d, unverified with one of %q was expected: %v", exit, reasons, v)
	}
	if v.family("ipv6") != "closed" {
		t.Errorf("IPv6, which is the home's own, is %s", v.family("ipv6"))
	}
}

// oldEntry: Shodan's scanner found the port open when the address was somebody else's. It is told, and no more.
func oldEntry(t *testing.T) {
	h := unstartedHome(t)
	h.publicServices(t, publicService{scanned: []int{8123, 22}})
	h.liveAt(t, h.HomeAssistant, homeVersion, 8123)
	h.start(t)
	w := h.outside(t, "witness")
	h.do(t, "vantage", "internetdb", "on")
	h.trust(t, w.invite(t))
	exit, v := h.check(t)
	suspected := slices.ContainsFunc(v.Findings, func(r reason) bool { return r.Code == "suspected" })
	if exit != exitClosed || !suspected {
		t.Errorf("exit %d, suspected %v; closed, and a finding, was expected: %v", exit, suspected, v)
	}
}

// middlebox is a carrier's proxy that takes every connection and then asks who is there (or does not).
func middlebox(t *testing.T) {
	h := watchedHome(t)
	w := h.outside(t, "witness")
	l, err := h.Internet.Listen(t.Context(), "tcp", ":9999")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go hold(t.Context(), c)
		}
	}()
	h.Internet.Rules(t, `chain proxy { type nat hook prerouting priority dstnat; iifname "provider1" meta l4proto tcp tcp dport != 8124 redirect to :9999; }`)
	h.trust(t, w.invite(t))
	if exit, v := h.check(t); exit != exitUnverified || !v.says("answers_all") {
		t.Errorf("exit %d, unverified because everything answers was expected: %v", exit, v)
	}
}

// hold keeps a connection open and says nothing.
func hold(ctx context.Context, c net.Conn) {
	<-ctx.Done()
	c.Close()
}

// anotherMachine is a web server of the household's own that is on the internet on purpose. It is no exposure and no closed
// either, until the owner has said that it is not Home Assistant.
func anotherMachine(t *testing.T) {
	h := watchedHome(t)
	nas := h.AddDevice(t, "nas")
	serveHTTP(t, nas, "5000")
	h.Open(t, lab.Forward{External: 443, To: nas, Port: 5000})
	w := h.outside(t, "witness")
	h.trust(t, w.invite(t))
	if exit, v := h.check(t); exit != exitUnverified || !v.says("something_answers") {
		t.Errorf("exit %d, unverified because something answers was expected: %v", exit, v)
	}
	h.do(t, "vantage", "known", "443")
	eventually(t, 30*time.Second, "it is closed once the owner has said what it is", func() bool {
		v := h.verdict(t)
		return v.State == "closed" && !slices.ContainsFunc(v.Codes, func(r reason) bool { return r.Code == "something_answers" })
	})
}
