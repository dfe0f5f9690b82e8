package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hearthgate/hearthgate/internal/netinfo"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/tunnel"
)

// try is one attempt of a phone to reach something.
type try struct {
	what     string
	network  string // tcp or udp
	address  string
	through  *tunnel.Phone
	patience time.Duration
	allowed  bool // this one must succeed, all others must not
}

type result struct {
	try
	reached bool
	words   string
	took    time.Duration
}

// bait is what a forbidden target would say to whoever reached it.
const bait = "you should not be here"

// attempts lets Anna's phone try what it may and what it must not, and prints what each attempt got.
func (d *demo) attempts(ctx context.Context, anna, ben *tunnel.Phone, benPeer peers.Peer) (leaks int, err error) {
	host, stop, err := d.layBait(ctx, ben, benPeer)
	if err != nil {
		return 0, err
	}
	defer stop()
	tries := d.tries(host, benPeer)
	results := make([]result, len(tries))
	var wg sync.WaitGroup
	for i, t := range tries {
		t.through, t.patience = anna, 2*time.Second
		wg.Go(func() { results[i] = t.run(ctx) })
	}
	wg.Wait()
	w := d.program.table()
	fmt.Fprintln(w, "\tANNA'S PHONE TRIES\tAT\tAND GETS\tAFTER")
	for _, r := range results {
		sign := "ok"
		if r.reached != r.allowed {
			sign = "LEAK"
			if r.allowed {
				sign = "FAIL"
			}
			leaks++
		}
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%d ms\n", sign, r.what, r.address, r.network, r.words, r.took.Milliseconds())
	}
	return leaks, w.Flush()
}

// baits are where forbidden things really listen.
type baits struct {
	host   netip.AddrPort // a service of this machine, on all its addresses
	udp    netip.AddrPort // the same by UDP
	lan    netip.Addr     // this machine's address on the LAN; invalid when it has none
	router netip.Addr     // the gateway of the default route; invalid when there is none
	ben    netip.AddrPort // a service on Ben's phone, inside the tunnel
}

// layBait puts a listening service at each forbidden place that can have one, and makes sure that it answers whoever
// may reach it: a closed door proves nothing when there is no room behind it.
func (d *demo) layBait(ctx context.Context, ben *tunnel.Phone, benPeer peers.Peer) (baits, func(), error) {
	var lc net.ListenConfig
	host, err := lc.Listen(ctx, "tcp", ":0")
	if err != nil {
		return baits{}, nil, fmt.Errorf("laying the bait on this machine: %w", err)
	}
	b := baits{ben: netip.AddrPortFrom(benPeer.Pair.IPv4, 8080)}
	b.host = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(host.Addr().(*net.TCPAddr).Port))
	byUDP, err := lc.ListenPacket(ctx, "udp", ":0")
	if err != nil {
		host.Close()
		return baits{}, nil, fmt.Errorf("laying the bait on this machine: %w", err)
	}
	b.udp = netip.AddrPortFrom(b.host.Addr(), uint16(byUDP.LocalAddr().(*net.UDPAddr).Port))
	onBen, err := ben.Listen(b.ben)
	if err != nil {
		host.Close()
		byUDP.Close()
		return baits{}, nil, fmt.Errorf("laying the bait on Ben's phone: %w", err)
	}
	for _, l := range []net.Listener{host, onBen} {
		go offer(l)
	}
	go offerPackets(byUDP)
	stop := func() {
		host.Close()
		byUDP.Close()
		onBen.Close()
	}
	if route, err := netinfo.DefaultRoute(); err == nil {
		b.lan, b.router = route.Source, route.Gateway
	}
	for name, dial := range map[string]func() (net.Conn, error){
		"on this machine": func() (net.Conn, error) { var nd net.Dialer; return nd.DialContext(ctx, "tcp", b.host.String()) },
		"on this machine by UDP": func() (net.Conn, error) {
			var nd net.Dialer
			c, err := nd.DialContext(ctx, "udp", b.udp.String())
			if err == nil {
				_, err = c.Write([]byte("?"))
			}
			return c, err
		},
		"on Ben's phone": func() (net.Conn, error) { return ben.DialContext(ctx, "tcp", b.ben.String()) },
	} {
		if err := taste(dial); err != nil {
			stop()
			return baits{}, nil, fmt.Errorf("the bait %s does not answer its own side: %w", name, err)
		}
	}
	return b, stop, nil
}

func offer(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		fmt.Fprintln(c, bait)
		c.Close()
	}
}

func offerPackets(c net.PacketConn) {
	for {
		_, from, err := c.ReadFrom(make([]byte, 1500))
		if err != nil {
			return
		}
		if _, err := c.WriteTo([]byte(bait+"\n"), from); err != nil {
			return
		}
	}
}

func taste(dial func() (net.Conn, error)) error {
	c, err := dial()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if strings.TrimSpace(line) == bait {
		return nil
	}
	return errors.Join(errors.New("it says something else"), err)
}

func (d *demo) tries(b baits, ben peers.Peer) []try {
	four, six := d.a.server.Address4, d.a.server.Address6
	tries := []try{
		{what: "Home Assistant", network: "tcp", address: d.inside(four, 8123), allowed: true},
		{what: "Home Assistant (IPv6)", network: "tcp", address: d.inside(six, 8123), allowed: true},
		{what: "a service of this machine, through the tunnel", network: "tcp", address: d.inside(four, b.host.Port())},
		{what: "the same (IPv6)", network: "tcp", address: d.inside(six, b.host.Port())},
		{what: "one by UDP", network: "udp", address: d.inside(four, b.udp.Port())},
	}
	if b.lan.Is4() {
		tries = append(tries, try{what: "this machine, by its LAN address", network: "tcp", address: d.inside(b.lan, b.host.Port())})
	}
	if b.router.IsValid() {
		tries = append(tries, try{what: "the router of this network", network: "tcp", address: d.inside(b.router, 80)})
	}
	return append(
		tries,
		try{what: "a machine at a usual LAN address", network: "tcp", address: "192.168.1.20:80"},
		try{what: "Ben's phone", network: "tcp", address: b.ben.String()},
		try{what: "Ben's phone (IPv6)", network: "tcp", address: d.inside(ben.Pair.IPv6, 8080)},
		try{what: "an address on the internet", network: "tcp", address: "203.0.113.80:443"},
		try{what: "the same (IPv6)", network: "tcp", address: "[2001:db8::80]:443"},
	)
}

func (t try) run(ctx context.Context) result {
	ctx, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	began := time.Now()
	r := result{try: t}
	r.reached, r.words = t.reach(ctx)
	r.took = time.Since(began)
	return r
}

func (t try) reach(ctx context.Context) (reached bool, words string) {
	switch {
	case t.allowed:
		return t.fetch(ctx)
	case t.network == "udp":
		return t.ask(ctx)
	default:
		c, err := t.through.DialContext(ctx, t.network, t.address)
		if err != nil {
			return false, inWords(err)
		}
		c.Close()
		return true, "a connection"
	}
}

// fetch gets the page as a browser would.
func (t try) fetch(ctx context.Context) (reached bool, words string) {
	transport := &http.Transport{DialContext: t.through.DialContext}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.address+"/", nil)
	if err != nil {
		return false, err.Error()
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return false, inWords(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || !strings.Contains(string(page), "<title>Home Assistant</title>") {
		return false, fmt.Sprintf("%s, but not the page", resp.Status)
	}
	return true, fmt.Sprintf("%s, the page, %d bytes", resp.Status, len(page))
}

// ask sends a datagram and waits for any answer.
func (t try) ask(ctx context.Context) (reached bool, words string) {
	c, err := t.through.DialContext(ctx, t.network, t.address)
	if err != nil {
		return false, inWords(err)
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	if err := c.SetDeadline(deadline); err != nil {
		return false, inWords(err)
	}
	if _, err := c.Write([]byte("?")); err != nil {
		return false, inWords(err)
	}
	if _, err := c.Read(make([]byte, 1500)); err != nil {
		return false, inWords(err)
	}
	return true, "an answer"
}

// inWords says what a failed attempt got. The phone's stack words its errors itself, so some are known by their text.
func inWords(err error) string {
	text := err.Error()
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) || strings.Contains(text, "refused"):
		return "refused"
	case strings.Contains(text, "unreachable") || strings.Contains(text, "no route") || strings.Contains(text, "prohibited"):
		return "no way there"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer"
	case errors.Is(err, io.EOF) || strings.Contains(text, "reset"):
		return "reset"
	default:
		return text
	}
}
