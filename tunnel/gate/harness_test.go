package gate

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.zx2c4.com/wireguard/tun"
	"golang.zx2c4.com/wireguard/tun/netstack"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/hearthgate/hearthgate/tunnel/link"
)

// The tunnel of these tests. Phone n has the n-th addresses after ours.
var (
	ours4 = netip.MustParsePrefix("10.83.16.1/20")
	ours6 = netip.MustParsePrefix("fd83::1/64")

	admin4 = netip.MustParsePrefix("10.83.31.254/20")
	admin6 = netip.MustParsePrefix("fd83::ffe/64")
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
	s, l, err := link.NewStack(link.MTU, ours4, ours6, admin4, admin6)
	if err != nil {
		t.Fatal(err)
	}
	cfg.TunnelNetworks = append(cfg.TunnelNetworks, ours4.Masked(), ours6.Masked())
	r := &rig{t: t, gate: New(cfg), stack: s, link: l, phones: make(map[netip.Addr]tun.Device)}
	r.gate.Attach(s, admin4.Addr(), admin6.Addr())
	t.Cleanup(func() {
		r.gate.Close()
		_ = l.Close()
		s.Destroy()
	})
	return r
}

const wireOffset = 16

// newBatched is a rig whose only phone has a stack on a link like ours, so that packets move in batches both ways.
func newBatched(t testing.TB, cfg Config) (*rig, batched) {
	t.Helper()
	r := bareRig(t, cfg)
	s, l, err := link.NewStack(link.MTU, netip.PrefixFrom(phone4(1), ours4.Bits()), netip.PrefixFrom(phone6(1), ours6.Bits()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Close()
		s.Destroy()
	})
	go wire(r.link, l)
	go wire(l, r.link)
	return r, batched{t, s}
}

type batched struct {
	t     testing.TB
	stack *stack.Stack
}

func (p batched) dial(at netip.AddrPort) net.Conn {
	p.t.Helper()
	to := tcpip.FullAddress{NIC: link.NIC, Addr: tcpip.AddrFromSlice(at.Addr().AsSlice()), Port: at.Port()}
	for ctx := soon(p.t); ; { // see patientTCP
		c, err := gonet.DialContextTCP(ctx, p.stack, to, netProtocol(key{phone: at}))
		if err == nil {
			return c
		}
		if !strings.Contains(err.Error(), "refused") {
			p.t.Fatal(err)
		}
		pause()
	}
}

// wire carries packets from one device to another until the first is closed, as wireguard-go would.
func wire(from, to tun.Device) {
	bufs, sizes := buffers(from.BatchSize())
	packets := make([][]byte, 0, len(bufs))
	for {
		n, err := from.Read(bufs, sizes, wireOffset)
		if err != nil {
			return
		}
		packets = packets[:0]
		for i := range n {
			packets = append(packets, bufs[i][:wireOffset+sizes[i]])
		}
		if _, err := to.Write(packets, wireOffset); err != nil {
			return
		}
	}
}

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
	go wire(d, r.link)
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

// families runs a test for each address of ours.
func families(t *testing.T, f func(t *testing.T, us netip.Addr)) {
	t.Run("v4", func(t *testing.T) { f(t, ours4.Addr()) })
	t.Run("v6", func(t *testing.T) { f(t, ours6.Addr()) })
}
