package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
)

// site is an HTTP server on a page. It counts the connections that it was given.
type site struct {
	*http.Server
	conns atomic.Int32
}

type peerKey struct{}

// serveSite serves handle on a page until the test ends.
func serveSite(t testing.TB, l net.Listener, handle http.HandlerFunc, set ...func(*http.Server)) *site {
	t.Helper()
	s := &site{Server: &http.Server{
		Handler: handle, ReadHeaderTimeout: patience, ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			peer, _ := PeerOf(c)
			return context.WithValue(ctx, peerKey{}, peer)
		},
	}}
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	for _, f := range set {
		f(s.Server)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Errorf("serving ended with %v", err)
		}
	})
	eventually(t, "a server that accepts", func() bool { return l.(*page).serving.Load() })
	return s
}

// greet says who asks, from where, for what.
func greet(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := netip.MustParseAddrPort(r.RemoteAddr).Addr()
		at := r.Context().Value(http.LocalAddrContextKey)
		fmt.Fprintf(w, "%s for %s at %s on %s", name, r.Context().Value(peerKey{}), from, at)
	}
}

// browser is a phone's.
func browser(t testing.TB, p *phone) *http.Client {
	t.Helper()
	tr := &http.Transport{DialContext: p.DialContext}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: patience}
}

func get(t testing.TB, c *http.Client, at netip.AddrPort) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at.String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func wantPage(t testing.TB, c *http.Client, at netip.AddrPort, want string) {
	t.Helper()
	if got, err := get(t, c, at); err != nil || got != want {
		t.Errorf("%s shows %q, %v; want %q", at, got, err, want)
	}
}

// pages gives the places of both pages in both families.
func pages() (portal, admin []netip.AddrPort) {
	for _, p := range []netip.Prefix{ours4, ours6} {
		portal = append(portal, netip.AddrPortFrom(p.Addr(), PortalPort))
	}
	for _, p := range []netip.Prefix{admin4, admin6} {
		admin = append(admin, netip.AddrPortFrom(p.Addr(), PortalPort))
	}
	return portal, admin
}

// grant makes a policy of phones with their services, by number.
func grantAll(services []Service, lists map[int][]string) Policy {
	p := Policy{Services: services}
	for n, list := range lists {
		p.Peers = append(p.Peers, PeerPolicy{ID: peerID(n), Addresses: []netip.Addr{phone4(n), phone6(n)}, Services: list})
	}
	return p
}
