package gate

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/conn/bindtest"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun"
	"golang.zx2c4.com/wireguard/tun/netstack"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/hearthgate/hearthgate/tunnel/link"
)

// The tunnel of these tests. Phone n has the n-th addresses after ours.
var (
	ours4 = netip.MustParsePrefix("10.83.16.1/20")
	ours6 = netip.MustParsePrefix("fd83::1/64")
)

func phone4(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 83, 16, byte(n + 1)}) }

func phone6(n int) netip.Addr {
	b := ours6.Addr().As16()
	b[15] = byte(n + 1)
	return netip.AddrFrom16(b)
}

// rig is a gate on a stack, and phones that reach it.
type rig struct {
	t     testing.TB
	gate  *Gate
	stack *stack.Stack
	link  *link.Link

	mu     sync.Mutex
	phones map[netip.Addr]tun.Device
	denied int // ICMP answers that say prohibited
}

// newRig makes a gate without WireGuard: phones' stacks are joined to our link by a wire that looks at addresses only, as
// wireguard-go would. The wireguard rung is newTunnel.
func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	r := bareRig(t, cfg)
	go r.toPhones()
	return r
}

func bareRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	s, l, err := link.NewStack(link.MTU, ours4, ours6)
	if err != nil {
		t.Fatal(err)
	}
	cfg.TunnelNetworks = append(cfg.TunnelNetworks, ours4.Masked(), ours6.Masked())
	r := &rig{t: t, gate: New(cfg), stack: s, link: l, phones: make(map[netip.Addr]tun.Device)}
	r.gate.Attach(s)
	t.Cleanup(func() {
		r.gate.Close()
		_ = l.Close()
		s.Destroy()
	})
	return r
}

const wireOffset = 16

func buffers(n int) ([][]byte, []int) {
	bufs := make([][]byte, n)
	for i := range bufs {
		bufs[i] = make([]byte, 2048)
	}
	return bufs, make([]int, n)
}

// toPhones gives each packet to the phone that it is for.
func (r *rig) toPhones() {
	bufs, sizes := buffers(r.link.BatchSize())
	batches := make(map[tun.Device][][]byte)
	for {
		n, err := r.link.Read(bufs, sizes, wireOffset)
		if err != nil {
			return
		}
		r.mu.Lock()
		for i := range n {
			p := bufs[i][:wireOffset+sizes[i]]
			if isProhibited(p[wireOffset:]) {
				r.denied++
			}
			if d := r.phones[destinationOf(p[wireOffset:])]; d != nil {
				batches[d] = append(batches[d], p)
			}
		}
		r.mu.Unlock()
		for d, b := range batches {
			_, _ = d.Write(b, wireOffset)
			delete(batches, d)
		}
	}
}

func (r *rig) prohibited() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.denied
}

func isProhibited(p []byte) bool {
	if p[0]>>4 == 4 {
		return p[9] == 1 && p[20] == 3 && p[21] == 13
	}
	return p[6] == 58 && p[40] == 1 && p[41] == 1
}

func destinationOf(p []byte) netip.Addr {
	if p[0]>>4 == 4 {
		return netip.AddrFrom4([4]byte(p[16:20]))
	}
	return netip.AddrFrom16([16]byte(p[24:40]))
}

// phone makes the n-th phone.
func (r *rig) phone(n int) *phone {
	r.t.Helper()
	d, net, err := netstack.CreateNetTUN([]netip.Addr{phone4(n), phone6(n)}, nil, link.MTU)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	r.phones[phone4(n)], r.phones[phone6(n)] = d, d
	r.mu.Unlock()
	go func() {
		bufs, sizes := buffers(1)
		for {
			n, err := d.Read(bufs, sizes, wireOffset)
			if err != nil || n == 0 {
				return
			}
			if _, err := r.link.Write([][]byte{bufs[0][:wireOffset+sizes[0]]}, wireOffset); err != nil {
				return
			}
		}
	}()
	return &phone{t: r.t, Net: net}
}

// policy sets a policy in which every given phone has every given service.
func (r *rig) policy(services []Service, phones ...int) {
	p := Policy{Services: services}
	for _, n := range phones {
		p.Peers = append(p.Peers, peerPolicy(n, services))
	}
	r.gate.SetPolicy(p)
}

func peerID(n int) string { return "peer-" + strconv.Itoa(n) }

func peerPolicy(n int, services []Service) PeerPolicy {
	p := PeerPolicy{ID: peerID(n), Addresses: []netip.Addr{phone4(n), phone6(n)}}
	for _, s := range services {
		p.Services = append(p.Services, s.Name)
	}
	return p
}

// newTunnel is a rig with WireGuard in between: two wireguard-go devices with true handshakes and keys, joined in memory,
// and the one phone behind them.
func newTunnel(t testing.TB, cfg Config) (*rig, *phone) {
	t.Helper()
	r := bareRig(t, cfg)
	d, net, err := netstack.CreateNetTUN([]netip.Addr{phone4(1), phone6(1)}, nil, link.MTU)
	if err != nil {
		t.Fatal(err)
	}
	binds := bindtest.NewChannelBinds()
	server, serverKey := newDevice(t, r.link, binds[0])
	client, clientKey := newDevice(t, d, binds[1])
	configure(t, server, fmt.Sprintf("public_key=%s\nallowed_ip=%s/32\nallowed_ip=%s/128\n", clientKey, phone4(1), phone6(1)))
	configure(t, client, fmt.Sprintf("public_key=%s\nendpoint=127.0.0.1:1\nallowed_ip=0.0.0.0/0\nallowed_ip=::/0\n", serverKey))
	return r, &phone{t: t, Net: net}
}

func newDevice(t testing.TB, d tun.Device, bind conn.Bind) (*device.Device, string) {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dev := device.NewDevice(d, bind, device.NewLogger(device.LogLevelError, ""))
	configure(t, dev, "private_key="+hex.EncodeToString(key.Bytes())+"\n")
	if err := dev.Up(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	return dev, hex.EncodeToString(key.PublicKey().Bytes())
}

func configure(t testing.TB, d *device.Device, text string) {
	t.Helper()
	if err := d.IpcSet(text); err != nil {
		t.Fatal(err)
	}
}

// phone is a phone's own network stack.
type phone struct {
	t testing.TB
	*netstack.Net
}

// patience is what a test waits for something that should happen at once, on a busy machine and under the race detector.
const patience = 60 * time.Second

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come true within %s", what, patience)
		}
	}
}

// tcpConn is what a phone has of a connection.
type tcpConn interface {
	net.Conn
	CloseWrite() error
	CloseRead() error
}

func (p *phone) tryTCP(at netip.AddrPort) (tcpConn, error) {
	c, err := p.DialContextTCPAddrPort(soon(p.t), at)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(3 * patience))
	p.t.Cleanup(func() { _ = c.Close() })
	return c, nil
}

func (p *phone) tcp(at netip.AddrPort) tcpConn {
	p.t.Helper()
	c, err := p.tryTCP(at)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *phone) udp(at netip.AddrPort) net.Conn {
	p.t.Helper()
	c, err := p.DialUDPAddrPort(netip.AddrPort{}, at)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

// families runs a test for each address of ours.
func families(t *testing.T, f func(t *testing.T, us netip.Addr)) {
	t.Run("v4", func(t *testing.T) { f(t, ours4.Addr()) })
	t.Run("v6", func(t *testing.T) { f(t, ours6.Addr()) })
}

// serve listens on loopback, as a service on this machine would, and runs handle for each connection.
func serve(t testing.TB, handle func(*net.TCPConn)) (target string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		conns.Wait()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(3 * patience))
				handle(c.(*net.TCPConn))
			})
		}
	}()
	return l.Addr().String()
}

// echo sends back what comes, and ends when the other side has.
func echo(c *net.TCPConn) { _, _ = io.Copy(c, c) }

// hold keeps a connection until the other side ends it.
func hold(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }

// serveUDP answers each datagram with what answer says.
func serveUDP(t testing.TB, answer func([]byte) []byte) (target string) {
	t.Helper()
	c, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 65536)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(answer(b[:n]), from)
		}
	}()
	return c.LocalAddr().String()
}

// nobody gives an address on which nothing listens.
func nobody(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// portOf is the port of a target.
func portOf(t testing.TB, target string) uint16 {
	t.Helper()
	ap, err := netip.ParseAddrPort(target)
	if err != nil {
		t.Fatal(err)
	}
	return ap.Port()
}

// exchange sends what and wants it back.
func exchange(c net.Conn, what string) error {
	if _, err := c.Write([]byte(what)); err != nil {
		return err
	}
	b := make([]byte, len(what))
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	if string(b) != what {
		return fmt.Errorf("sent %q, got %q", what, b)
	}
	return nil
}

func web(target string) Service {
	return Service{Name: "web", Target: target, Port: 8080, Protocol: TCP}
}

func talk(target string) Service {
	return Service{Name: "talk", Target: target, Port: 5000, Protocol: UDP}
}
