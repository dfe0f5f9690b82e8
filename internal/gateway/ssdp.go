package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// This file is SSDP, the finding of devices (UPnP Device Architecture 1.1, section 1.3): a request over UDP like one of HTTP,
// and answers with the URL of a description.

const (
	// maxWait is MX, the seconds within which devices may answer; 0 has crashed routers, 1 to 5 are allowed.
	maxWait = 2

	// patience is how long all answers are waited for; more follow the first one at once, if any do.
	patience  = maxWait*time.Second + 500*time.Millisecond
	afterward = 300 * time.Millisecond
	// second is when the third packet is sent, if nobody has answered the first two.
	second = 1200 * time.Millisecond
	// glanceTime is what a router gets to answer one packet that is sent to it alone; some do not, and that is all right.
	glanceTime = 700 * time.Millisecond

	maxDatagram = 4 << 10
	maxDevices  = 5
	maxAnswers  = 256 // of the gateway's; others' are dropped unread
)

const (
	anyIGD = "urn:schemas-upnp-org:device:InternetGatewayDevice:1" // answered by version 2 as well
	all    = "ssdp:all"                                            // some answer to nothing else
)

var multicast = netip.AddrFrom4([4]byte{239, 255, 255, 250})

// beacon is one device's answer.
type beacon struct {
	location *url.URL // pinned to the gateway
	bootID   string
}

func searchFor(target string) []byte {
	return fmt.Appendf(nil, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: %d\r\nST: %s\r\n\r\n",
		maxWait, target)
}

// discover asks the gateway itself first, which also lets a stateful firewall on this machine pass its answer, then everybody,
// then everybody for anything, in three packets at most. Only what the gateway answers is looked at, from whatever port.
// Multicast goes where the default route does, and no further than that network: its TTL is 1.
func (g *Gateway) discover(ctx context.Context) ([]beacon, error) {
	return g.search(ctx, patience, func(conn net.PacketConn) (end func()) {
		g.send(conn, g.at, anyIGD)
		g.send(conn, multicast, anyIGD)
		late := time.AfterFunc(second, func() { g.send(conn, multicast, all) })
		return func() { late.Stop() }
	})
}

// restarted asks the gateway, in one packet, since when it is up. A known device that says another number has started anew.
func (g *Gateway) restarted(ctx context.Context) bool {
	found, err := g.search(ctx, glanceTime, func(conn net.PacketConn) (end func()) {
		g.send(conn, g.at, anyIGD)
		return func() {}
	})
	return err == nil && len(found) > 0 && !slices.ContainsFunc(found, func(b beacon) bool {
		return slices.ContainsFunc(g.devices, func(d device) bool { return d.bootID == b.bootID })
	})
}

// search sends what ask sends, and reads answers for a time. ask's end is called at the first one.
func (g *Gateway) search(ctx context.Context, wait time.Duration, ask func(net.PacketConn) (end func())) ([]beacon, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	conn, err := g.cfg.ListenPacket(ctx, "udp4", ":0")
	if err != nil {
		return nil, fmt.Errorf("looking for the router's services: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	end := ask(conn)
	defer end()
	var found []beacon
	buffer := make([]byte, maxDatagram)
	for answers := 0; answers < maxAnswers; {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			if ended(err) {
				err = nil
			}
			return found, err
		}
		if !g.isFrom(from) {
			continue
		}
		answers++
		b, ok := g.believe(buffer[:n])
		if !ok || slices.ContainsFunc(found, func(f beacon) bool { return *f.location == *b.location }) {
			continue
		}
		end()
		if found = append(found, b); len(found) == maxDevices {
			break
		}
		_ = conn.SetReadDeadline(time.Now().Add(afterward)) // of an open socket: it cannot fail
	}
	return found, nil
}

// ended tells whether a socket was read from for as long as was meant.
func ended(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded)
}

// send loses a packet rather than complain: the others may do, and silence is told as such.
func (g *Gateway) send(conn net.PacketConn, to netip.Addr, target string) {
	_, _ = conn.WriteTo(searchFor(target), net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, g.tuning.ssdp)))
}

func (g *Gateway) isFrom(from net.Addr) bool {
	sender, ok := from.(*net.UDPAddr)
	return ok && sender.AddrPort().Addr().Unmap() == g.at
}

// believe reads an answer of the gateway's.
func (g *Gateway) believe(data []byte) (beacon, bool) {
	b, err := parseBeacon(data)
	if err != nil || !pin(b.location, g.at) {
		return beacon{}, false
	}
	return b, true
}

// parseBeacon reads an answer to a search: a status line of HTTP and headers.
func parseBeacon(data []byte) (beacon, error) {
	// Some end the headers with one line end only, or not at all.
	data = append(bytes.TrimRight(data, "\r\n\x00"), "\r\n\r\n"...)
	res, err := http.ReadResponse(bufio.NewReaderSize(bytes.NewReader(data), maxDatagram), nil)
	if err != nil {
		return beacon{}, fmt.Errorf("reading an answer to a search: %w", err)
	}
	_ = res.Body.Close() // empty: there is nothing behind the headers
	if res.StatusCode != http.StatusOK {
		return beacon{}, fmt.Errorf("reading an answer to a search: status %d", res.StatusCode)
	}
	location, err := url.Parse(strings.TrimSpace(res.Header.Get("Location")))
	if err != nil {
		return beacon{}, fmt.Errorf("reading an answer to a search: %w", err)
	}
	return beacon{location: location, bootID: clean(res.Header.Get("Bootid.upnp.org"), 32)}, nil
}

// pin makes a URL lead to the gateway. A name, or another of the router's addresses (Tailscale issue 5502 has one behind a
// floating address), becomes the gateway's address; the port stays. Nothing but plain HTTP is followed.
func pin(u *url.URL, at netip.Addr) bool {
	if u.Scheme != "http" || u.Host == "" || u.Opaque != "" {
		return false
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	u.User, u.Fragment = nil, ""
	u.Host = net.JoinHostPort(at.String(), port)
	return true
}

// clean bounds a text of the router's in bytes and drops what is no printable character: line ends, and those that turn the
// direction of writing.
func clean(text string, most int) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "") {
		if !unicode.IsPrint(r) {
			continue
		}
		if b.Len()+utf8.RuneLen(r) > most {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
