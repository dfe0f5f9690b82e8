package access

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// ErrPortInUse says that another program listens there.
var ErrPortInUse = errors.New("the TCP port is in use")

// Free tells whether the page could be listened for there now, and leaves nothing behind. Its error is a sentence with
// what to do. A port that is taken in the next moment Listen will tell.
func (p Place) Free(ctx context.Context) error {
	l, err := p.listen(ctx, nil)
	if err != nil {
		return err
	}
	return l.Close()
}

// Listen opens the place. Whoever is beyond a router hears nothing; whoever else is not admitted is reset before a byte is
// read, so what Accept returns may be talked to. It counts connections until they are closed.
func (d *Door) Listen(ctx context.Context) (net.Listener, error) {
	l, err := d.place.listen(ctx, stayHome)
	if err != nil {
		return nil, err
	}
	if at, ok := l.Addr().(*net.TCPAddr); ok {
		d.port.Store(uint32(at.Port))
	}
	return &listener{l, d}, nil
}

func (p Place) listen(ctx context.Context, control func(network, address string, c syscall.RawConn) error) (*net.TCPListener, error) {
	if p.link != "" {
		if _, err := net.InterfaceByName(p.link); err != nil {
			return nil, p.noLink()
		}
	}
	config := net.ListenConfig{Control: control}
	// With MPTCP somebody who was admitted at home could go on from anywhere else (RFC 8684, section 2.2).
	config.SetMultipathTCP(false)
	l, err := config.Listen(ctx, p.network(), p.address())
	if err != nil {
		return nil, p.explain(err)
	}
	return l.(*net.TCPListener), nil
}

// network keeps 0.0.0.0 from meaning IPv6 too, as it does to Go.
func (p Place) network() string {
	if p.addr.Is4() {
		return "tcp4"
	}
	return "tcp"
}

func (p Place) address() string {
	if !p.addr.IsValid() {
		return ":" + strconv.Itoa(int(p.port))
	}
	return netip.AddrPortFrom(p.addr, p.port).String()
}

func (p Place) noLink() error {
	all, _ := net.Interfaces() // for a hint only
	var names []string
	for _, link := range all {
		names = append(names, link.Name)
	}
	return fmt.Errorf("listening for the page on %s: this machine has no link %s (it has %s); name another with --web",
		p, p.link, strings.Join(names, ", "))
}

// explain turns what the system said into what the household can do.
func (p Place) explain(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listening for the page: %w: %d; stop the program that has it, or choose another port with"+
			" --web", ErrPortInUse, p.port)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listening for the page on port %d: the system reserves ports this low for root (%w); choose"+
			" one above 1023 with --web, or give the program CAP_NET_BIND_SERVICE", p.port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listening for the page: %s is no address of this machine (%w); name one of its own, or a link,"+
			" with --web", p.addr, err)
	default:
		return fmt.Errorf("listening for the page on %s: %w; choose another place with --web", p, err)
	}
}
