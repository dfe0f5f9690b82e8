package tunnel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/hearthgate/hearthgate/internal/clock"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/store"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/tunnel/gate"
)

// rig is a server with real peers behind it and a small service as its Home Assistant.
type rig struct {
	registry *peers.Registry
	services *gate.Services
	journal  *journal.Journal
	server   *Server
	self     peers.Server
	ended    chan error
}

// newRig starts a server on loopback; name is that of its UAPI socket, empty for none.
func newRig(t *testing.T, name string) *rig {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	st, err := store.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	j := journal.New(st, time.Now, log)
	registry := peers.New(st, j, clock.NewMark(st, clock.System()), log)
	self, err := registry.Init(nil)
	if err != nil {
		t.Fatal(err)
	}
	services := gate.NewServices(st, j)
	home := serveHello(t)
	g := gate.New(gate.Config{
		Log: log, HomeAssistant: func() (string, error) { return home, nil },
		OwnAddresses:   func() ([]netip.Addr, error) { return nil, nil },
		TunnelNetworks: []netip.Prefix{self.Network4, self.Network6},
	})
	r := &rig{registry: registry, services: services, journal: j, self: self, ended: make(chan error, 1)}
	r.server = New(Config{Registry: registry, Services: services, Gate: g, Journal: j, Interface: name, Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { r.ended <- r.server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-r.ended:
			if err != nil {
				t.Errorf("running the server: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the server did not end within 10 s")
		}
	})
	select {
	case <-r.server.Ready():
	case err := <-r.ended:
		r.ended <- err
		t.Fatal(err)
	}
	return r
}

// serveHello answers every HTTP request on loopback, and says where.
func serveHello(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })}
	go s.Serve(l) //nolint:errcheck // it ends with Close
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// enrol adds a peer and starts its phone.
func (r *rig) enrol(t *testing.T, name string) (peers.Peer, *Phone) {
	t.Helper()
	e, err := r.registry.Add(peers.AddRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return e.Peer, r.start(t, e)
}

func (r *rig) start(t *testing.T, e peers.Enrolment) *Phone {
	t.Helper()
	r.server.Sync(t.Context())
	config, err := e.Config(r.self, fmt.Sprintf("127.0.0.1:%d", r.server.ListenPort()))
	if err != nil {
		t.Fatal(err)
	}
	phone, err := NewPhone(config, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(phone.Close)
	return phone
}

// hello opens a connection through the tunnel and leaves it open.
func (r *rig) hello(t *testing.T, phone *Phone) (net.Conn, error) {
	t.Helper()
	return r.helloWithin(t, phone, 5*time.Second)
}

// shutOut says that a phone gets no answer. A second is a thousand times what an answer takes here.
func (r *rig) shutOut(t *testing.T, phone *Phone) bool {
	t.Helper()
	_, err := r.helloWithin(t, phone, time.Second)
	return err != nil
}

func (r *rig) helloWithin(t *testing.T, phone *Phone, limit time.Duration) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, err := phone.DialContext(ctx, "tcp", netip.AddrPortFrom(r.self.Address4, 8123).String())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.Contains(line, "200") {
		err = fmt.Errorf("got %q", line)
	}
	return c, err
}

func (r *rig) ended1s(t *testing.T, c net.Conn) {
	t.Helper()
	began := time.Now()
	if err := c.SetDeadline(began.Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, c)
	if took := time.Since(began); errors.Is(err, os.ErrDeadlineExceeded) || took > time.Second {
		t.Errorf("the connection ended after %v (%v)", took, err)
	}
}

func TestServerFollowsThePeersWithoutTouchingTheOthers(t *testing.T) {
	r := newRig(t, "")
	_, ben := r.enrol(t, "Ben")
	kept, err := r.hello(t, ben)
	if err != nil {
		t.Fatal(err)
	}
	for _, take := range []struct {
		how string
		do  func(id string) error
	}{
		{"removed", r.registry.Remove},
		{"disabled", func(id string) error { _, err := r.registry.SetDisabled(id, true); return err }},
		{"expired", func(id string) error { _, err := r.registry.SetExpiry(id, time.Now().Add(time.Second)); return err }},
		{"without services", func(id string) error { _, err := r.registry.SetServices(id, []string{}); return err }},
	} {
		anna, phone := r.enrol(t, "Anna "+take.how)
		c, err := r.hello(t, phone)
		if err != nil {
			t.Fatalf("%s: %v", take.how, err)
		}
		if err := take.do(anna.ID); err != nil {
			t.Fatalf("%s: %v", take.how, err)
		}
		if take.how == "expired" {
			time.Sleep(time.Second) // until the date that was set; real devices keep real time
		}
		r.ended1s(t, c)
		if !r.shutOut(t, phone) {
			t.Errorf("%s: the phone still gets in", take.how)
		}
	}
	if err := kept.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(kept, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := kept.Read(make([]byte, 1)); err != nil {
		t.Errorf("Ben's connection did not live through what happened to Anna: %v", err)
	}
}

// TestNobodyStaysInTheDeviceWhileOthersChange: a stream of changes does not put off the end of a removed peer's session.
func TestNobodyStaysInTheDeviceWhileOthersChange(t *testing.T) {
	r := newRig(t, "")
	anna, _ := r.enrol(t, "Anna")
	ben, err := r.registry.Add(peers.AddRequest{Name: "Ben"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.registry.Remove(anna.ID); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if _, err := r.registry.Rename(ben.Peer.ID, fmt.Sprintf("Ben %d", i)); err != nil {
			t.Fatal(err)
		}
		d, err := r.server.Device()
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && len(d.Peers) == 1 && d.Peers[0].PublicKey == wgtypes.Key(ben.Peer.Pair.PublicKey) {
			return
		}
		time.Sleep(20 * time.Millisecond) // a script that changes something all the time
	}
	t.Error("after two seconds of changes the removed peer is still in the device")
}

func TestServerKeyChangesLive(t *testing.T) {
	r := newRig(t, "")
	anna, phone := r.enrol(t, "Anna")
	c, err := r.hello(t, phone)
	if err != nil {
		t.Fatal(err)
	}
	if r.self, _, err = r.registry.RekeyServer(); err != nil {
		t.Fatal(err)
	}
	r.ended1s(t, c)
	if !r.shutOut(t, phone) {
		t.Error("a config with the old server key still gets in")
	}
	e, err := r.registry.Rekey(anna.ID, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.hello(t, r.start(t, e)); err != nil {
		t.Errorf("enrolled again: %v", err)
	}
}

func TestABusyPortIsSaidPlainly(t *testing.T) {
	busy, err := net.ListenUDP("udp", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	r := newRig(t, "")
	cfg := r.server.cfg
	cfg.ListenPort = uint16(busy.LocalAddr().(*net.UDPAddr).Port)
	cfg.Gate = gate.New(gate.Config{})
	err = New(cfg).Run(t.Context())
	if !errors.Is(err, ErrPortInUse) || !strings.Contains(err.Error(), "--listen-port") {
		t.Errorf("error: %v", err)
	}
}

// TestWgShowReadsUs: where the process may make the socket, wgctrl and Debian's wg see the device. In the lab's
// namespaces /run is the test's own.
func TestWgShowReadsUs(t *testing.T) {
	lab.Need(t, lab.Namespaces, "wg")
	r := newRig(t, "hearthgate")
	if r.server.Socket() == "" {
		t.Fatal("the socket could not be made")
	}
	anna, phone := r.enrol(t, "Anna")
	if _, err := r.hello(t, phone); err != nil {
		t.Fatal(err)
	}
	c, err := wgctrl.New()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d, err := c.Device("hearthgate")
	if err != nil {
		t.Fatal(err)
	}
	if d.ListenPort != int(r.server.ListenPort()) || len(d.Peers) != 1 || d.Peers[0].LastHandshakeTime.IsZero() {
		t.Errorf("wgctrl reads %+v", d)
	}
	out, err := exec.Command("wg", "show", "hearthgate").CombinedOutput()
	if err != nil || !strings.Contains(string(out), anna.Pair.PublicKey.String()) || !strings.Contains(string(out), "latest handshake") {
		t.Errorf("wg show: %v\n%s", err, out)
	}
}

func TestLiveTellsOfAHandshake(t *testing.T) {
	r := newRig(t, "")
	events, stop := r.journal.Subscribe(16)
	defer stop()
	anna, phone := r.enrol(t, "Anna")
	if _, err := r.hello(t, phone); err != nil {
		t.Fatal(err)
	}
	want := map[journal.Type]bool{journal.PeerAdded: true, journal.PeerFirstHandshake: true, journal.PeerConnected: true}
	limit := time.After(5 * time.Second)
	for len(want) > 0 {
		select {
		case e := <-events:
			delete(want, e.Type)
		case <-limit:
			t.Fatalf("not told of: %v", want)
		}
	}
	live := r.server.Live()[anna.ID]
	if !live.Active || live.ReceivedBytes == 0 || live.SentBytes == 0 || !live.Endpoint.IsValid() {
		t.Errorf("live: %+v", live)
	}
}
