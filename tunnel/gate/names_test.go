package gate

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// names is a DNS server in memory: for each name the addresses of each look-up in turn, the last one for ever.
type names struct {
	mu      sync.Mutex
	answers map[string][][]string
	asked   map[string]int
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go n.serve(ours)
		return theirs, nil
	}}
}

// serve answers one question over a stream (RFC 1035, section 4.2.2).
func (n *names) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return
	}
	q := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(c, q); err != nil {
		return
	}
	a := n.answer(q)
	_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...))
}

func (n *names) answer(q []byte) []byte {
	var labels []string
	at := 12
	for q[at] != 0 {
		labels = append(labels, string(q[at+1:at+1+int(q[at])]))
		at += 1 + int(q[at])
	}
	kind := binary.BigEndian.Uint16(q[at+1:])
	question := q[12 : at+5]
	a := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
	for _, addr := range n.next(strings.Join(labels, "."), kind) {
		b := addr.AsSlice()
		a[7]++
		a = append(a, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(b)))
		a = append(a, b...)
	}
	return a
}

// next gives the addresses of a name. A look-up asks for both kinds, in any order, and then its turn is over.
func (n *names) next(name string, kind uint16) (out []netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	const typeA = 1
	turns := n.answers[name]
	if len(turns) == 0 {
		return nil
	}
	for _, s := range turns[0] {
		if a := netip.MustParseAddr(s); a.Is4() == (kind == typeA) {
			out = append(out, a)
		}
	}
	if n.asked == nil {
		n.asked = make(map[string]int)
	}
	if n.asked[name]++; n.asked[name]%2 == 0 && len(turns) > 1 {
		n.answers[name] = turns[1:]
	}
	return out
}

// slowNames is a resolver whose look-ups wait until they are let go.
type slowNames struct {
	names
	wait chan struct{}
}

func newSlowNames(addr string) *slowNames {
	return &slowNames{names: names{answers: map[string][][]string{"slow.test": {{addr}}}}, wait: make(chan struct{})}
}

func (n *slowNames) resolver() *net.Resolver {
	fast := n.names.resolver()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		select {
		case <-n.wait:
			return fast.Dial(ctx, network, address)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}
