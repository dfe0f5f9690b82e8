package tunnel

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/tunnel/gate"
)

// peerKey is under what a request has its peer.
type peerKey struct{}

// TestPortalAndAdminPageOfARealPhone: with the very configs that phones scan. One whose config is from before it was given the
// admin page does not even send there; with a new code it does, until the service is taken away.
func TestPortalAndAdminPageOfARealPhone(t *testing.T) {
	r := newRig(t, "")
	r.registry.CheckServices(gate.Known)
	for name, l := range map[string]net.Listener{"portal": r.server.cfg.Gate.Portal(), "admin": r.server.cfg.Gate.Admin()} {
		s := &http.Server{ReadHeaderTimeout: time.Minute, ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			id, _ := gate.PeerOf(c)
			return context.WithValue(ctx, peerKey{}, id)
		}}
		s.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			fmt.Fprint(w, name, " of ", req.Context().Value(peerKey{}))
		})
		go s.Serve(l) //nolint:errcheck // it ends with Close
		t.Cleanup(func() { s.Close() })
	}
	portal := []netip.Addr{r.self.Address4, r.self.Address6}
	admin := []netip.Addr{r.self.Admin4, r.self.Admin6}

	anna, phone := r.enrol(t, "Anna")
	for _, at := range portal {
		if got, err := r.page(t, phone, at, 5*time.Second); err != nil || got != "portal of "+anna.ID {
			t.Errorf("%v shows %q, %v", at, got, err)
		}
	}
	if _, err := r.registry.SetServices(anna.ID, []string{peers.DefaultService, peers.AdminService}); err != nil {
		t.Fatal(err)
	}
	for _, at := range admin {
		if got, err := r.page(t, phone, at, 500*time.Millisecond); err == nil {
			t.Errorf("a config from before the service reaches %v: %q", at, got)
		}
	}
	e, err := r.registry.Rekey(anna.ID, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	phone = r.start(t, e)
	for _, at := range admin {
		if got, err := r.page(t, phone, at, 5*time.Second); err != nil || got != "admin of "+anna.ID {
			t.Errorf("%v shows %q, %v", at, got, err)
		}
	}
	held, err := phone.DialContext(t.Context(), "tcp", netip.AddrPortFrom(r.self.Admin4, gate.PortalPort).String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.registry.SetServices(anna.ID, []string{peers.DefaultService}); err != nil {
		t.Fatal(err)
	}
	r.ended1s(t, held)
	for _, at := range admin {
		if got, err := r.page(t, phone, at, 5*time.Second); err == nil {
			t.Errorf("without the service %v still shows %q", at, got)
		}
	}
	if got, err := r.page(t, phone, portal[0], 5*time.Second); err != nil || got != "portal of "+anna.ID {
		t.Errorf("the portal shows %q, %v", got, err)
	}
}

// page fetches what stands at an address of ours.
func (r *rig) page(t *testing.T, phone *Phone, at netip.Addr, limit time.Duration) (string, error) {
	t.Helper()
	tr := &http.Transport{DialContext: phone.DialContext, DisableKeepAlives: true}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+netip.AddrPortFrom(at, gate.PortalPort).String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}
