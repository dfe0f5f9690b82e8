package lab

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// A Bait listens where nobody should get to, over TCP and UDP and both families. It greets whoever comes, so that a
// scan sees an open port, and remembers them, so that a test asks the bait and not only the scanner.
type Bait struct {
	Host     *Host
	Port     uint16
	Greeting string

	mu       sync.Mutex
	visitors []string
}

// Bait lays a bait on a port of the host until the end of the test.
func (h *Host) Bait(t testing.TB, port uint16) *Bait {
	t.Helper()
	b := &Bait{Host: h, Port: port, Greeting: "bait on " + h.Name}
	address := fmt.Sprintf(":%d", port)
	tcp, err := h.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("laying a bait on %s: %v", h.Name, err)
	}
	t.Cleanup(func() { tcp.Close() })
	udp, err := h.ListenPacket(t.Context(), "udp", address)
	if err != nil {
		t.Fatalf("laying a bait on %s: %v", h.Name, err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	go b.welcome(tcp)
	go b.answer(udp)
	return b
}

// underway is how long the last packet of a visit may take: a visitor takes a TCP connection for open when its own last
// packet has only been sent.
const underway = 300 * time.Millisecond

// Visitors are those who came, in order: "tcp 192.168.77.10:40312". All who came before the call are among them: what is
// under way is waited for, and then the bait is asked for its greeting once more, for it serves in turn.
func (b *Bait) Visitors(t testing.TB) []string {
	t.Helper()
	time.Sleep(underway)
	own := []string{b.call(t, "tcp"), b.call(t, "udp")}
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.visitors), func(who string) bool { return slices.Contains(own, who) })
}

// call visits the bait from its own host, waits for the greeting, and returns what the bait noted.
func (b *Bait) call(t testing.TB, network string) (visitor string) {
	t.Helper()
	for range 5 { // a scan may have filled the UDP socket's buffer, and then a datagram is lost
		conn, err := b.Host.Dial(t.Context(), network, fmt.Sprintf("127.0.0.1:%d", b.Port))
		if err != nil {
			t.Fatalf("asking the %v: %v", b.Greeting, err)
		}
		visitor = network + " " + conn.LocalAddr().String()
		_ = conn.SetDeadline(time.Now().Add(2 * time.Second)) // of an open connection: it cannot fail
		if network == "udp" {
			_, _ = conn.Write([]byte("who came?")) // if it is lost, there is no answer
		}
		n, _ := conn.Read(make([]byte, len(b.Greeting)))
		conn.Close()
		if n > 0 {
			return visitor
		}
	}
	t.Fatalf("the %v does not answer on its own host over %s", b.Greeting, network)
	return ""
}

func (b *Bait) note(network string, who net.Addr) {
	from := netip.MustParseAddrPort(who.String())
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) // the sockets are of both families
	b.mu.Lock()
	defer b.mu.Unlock()
	b.visitors = append(b.visitors, network+" "+from.String())
}

func (b *Bait) welcome(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		b.note("tcp", conn.RemoteAddr())
		fmt.Fprint(conn, b.Greeting)
		conn.Close()
	}
}

func (b *Bait) answer(c net.PacketConn) {
	buffer := make([]byte, 2048)
	for {
		_, from, err := c.ReadFrom(buffer)
		if err != nil {
			return
		}
		b.note("udp", from)
		_, _ = c.WriteTo([]byte(b.Greeting), from) // if it is lost, the visit is noted
	}
}
