package vantage

// The canary is no vantage, but a control of others: a port that we open for a moment, such that it should be seen open. Who
// sees it open can reach this home, and does not call everything closed. It proves nothing about any other port. In IPv6
// the router is asked by PCP to let it in. Where it cannot be asked, its being seen proves the same, and its not being seen nothing.

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
	"github.com/hearthgate/hearthgate/internal/netinfo"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

const (
	// canaryTime is the longest that a canary lives; 120 s is the shortest lease that miniupnpd gives.
	canaryTime = 120 * time.Second

	// What stands open to the internet for a minute serves few, briefly, and remembers few.
	maxCanaries     = 4 // at a time: two vantages may look at once
	canaryGuests    = 8 // at a time
	canaryVisits    = 512
	canaryPatience  = 2 * time.Second
	unmapPatience   = 10 * time.Second
	canaryPortTries = 8
)

var (
	// ErrCanaryBusy says that as many canaries are out as may be.
	ErrCanaryBusy = errors.New("other ports are opened for a check just now")

	// ErrNoPublicAddress says that there is no address at which a canary could be seen.
	ErrNoPublicAddress = errors.New("this home has no public address of that family")
)

// PortOpener opens a TCP port on the household's router; *gateway.Gateway does.
type PortOpener interface {
	Open(ctx context.Context, internal uint16, lifetime time.Duration) (gateway.Opening, error)
	// OpenPinhole lets a port in over IPv6.
	OpenPinhole(ctx context.Context, port uint16, lifetime time.Duration) (gateway.Opening, error)
}

// CanariesConfig is what a Canaries is made of. Only Router must be there.
type CanariesConfig struct {
	Router PortOpener
	Listen func(ctx context.Context, network, address string) (net.Listener, error) // nil: this machine's
	Own    func() ([]netip.Addr, error)                                             // nil: netinfo.OwnAddresses
}

// Canaries opens ports for a moment. Nothing asks it to unless the household has switched it on (health.Facts.Canary).
type Canaries struct {
	cfg  CanariesConfig
	mu   sync.Mutex
	open int
}

// NewCanaries gives one that has opened nothing.
func NewCanaries(c CanariesConfig) *Canaries {
	if c.Listen == nil {
		c.Listen = new(net.ListenConfig).Listen
	}
	if c.Own == nil {
		c.Own = netinfo.OwnAddresses
	}
	return &Canaries{cfg: c}
}

// OpenCanary is one port that is open now. It ends with Close, with the ctx of Open, or after 120 s.
type OpenCanary struct {
	Port    uint16     // outside
	Address netip.Addr // outside, as far as it is known
	Nonce   string     // what whoever connects is told, in hex, after "hearthgate canary "
	// Sure says that the port was opened on the way as far as we can tell: by the router, or because there is none. Where it is
	// false, as in IPv6 when the router does not speak PCP, a canary that was not seen says nothing.
	Sure bool

	listener net.Listener
	unmap    func(context.Context) error
	done     func() // gives its place back
	end      func() // what the end of ctx and of the time had called
	once     sync.Once
	gone     chan struct{}
	guests   chan struct{} // a place for each

	mu   sync.Mutex
	seen []netip.Addr
}

// Open listens on a port that nobody can guess and has the router pass it on.
func (c *Canaries) Open(ctx context.Context, family health.Family) (*OpenCanary, error) {
	if !c.enter() {
		return nil, ErrCanaryBusy
	}
	o, err := c.hatch(ctx, family)
	if err != nil {
		c.leave()
		return nil, fmt.Errorf("opening a port for a check: %w", err)
	}
	o.done = c.leave
	timer := time.AfterFunc(canaryTime, o.Close)
	stop := context.AfterFunc(ctx, o.Close)
	o.mu.Lock()
	o.end = func() { timer.Stop(); stop() }
	o.mu.Unlock()
	go o.serve()
	return o, nil
}

func (c *Canaries) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == maxCanaries {
		return false
	}
	c.open++
	return true
}

func (c *Canaries) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
}

// hatch listens where the port will arrive: on our own public address, or on all addresses where the router passes it on.
func (c *Canaries) hatch(ctx context.Context, family health.Family) (*OpenCanary, error) {
	own, err := c.cfg.Own()
	if err != nil {
		return nil, err
	}
	o := &OpenCanary{gone: make(chan struct{}), guests: make(chan struct{}, canaryGuests), Nonce: newCanaryNonce()}
	o.unmap = func(context.Context) error { return nil }
	direct := publicOf(own, family)
	if !direct.IsValid() && family == health.IPv6 {
		return nil, ErrNoPublicAddress
	}
	network := "tcp4"
	if family == health.IPv6 {
		network = "tcp6"
	}
	if o.listener, o.Port, err = c.listen(ctx, network, direct); err != nil {
		return nil, err
	}
	open := c.cfg.Router.Open
	if family == health.IPv6 {
		open = c.cfg.Router.OpenPinhole
	}
	if family == health.IPv4 && direct.IsValid() {
		o.Address, o.Sure = direct, true
		return o, nil
	}
	opening, err := open(ctx, o.Port, canaryTime)
	if err != nil && family == health.IPv6 {
		o.Address = direct // which may be reached all the same
		return o, nil
	}
	if err != nil {
		o.listener.Close()
		return nil, err
	}
	o.Port, o.Address, o.Sure, o.unmap = opening.External.Port(), opening.External.Addr(), true, opening.Close
	return o, nil
}

// listen tries ports of the range that nobody is given by IANA (RFC 6335, section 6).
func (c *Canaries) listen(ctx context.Context, network string, addr netip.Addr) (net.Listener, uint16, error) {
	host := "" // in IPv6 every address of ours: which one a vantage sees is the kernel's choice
	if addr.Is4() {
		host = addr.String()
	}
	var last error
	for range canaryPortTries {
		var b [2]byte
		_, _ = rand.Read(b[:]) // it does not fail
		port := 49152 | binary.BigEndian.Uint16(b[:])
		l, err := c.cfg.Listen(ctx, network, net.JoinHostPort(host, fmt.Sprint(port)))
		if err == nil {
			return l, port, nil
		}
		last = err
	}
	return nil, 0, last
}

// publicOf is our own address of a family that is on the internet; zero: there is none.
func publicOf(own []netip.Addr, family health.Family) netip.Addr {
	i := slices.IndexFunc(own, func(a netip.Addr) bool {
		return a.Is4() == (family == health.IPv4) && publicaddr.IsPublic(a)
	})
	if i < 0 {
		return netip.Addr{}
	}
	return own[i]
}

func newCanaryNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it does not fail
	return hex.EncodeToString(b[:])
}
