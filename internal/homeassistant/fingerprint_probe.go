package homeassistant

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// This file is how a fingerprint is taken. Whoever is asked may be anybody and may mean harm, and the one who asks may be a
// witness whom a stranger set on it, so both what is read and what is sent are counted on the connection itself.

// A probe asks one place.
type probe struct {
	dial    Dial
	address string
	name    string        // for TLS; empty for none
	target  Target        // for URLs and the Host header
	step    time.Duration // for each connection
	left    atomic.Int64
}

func newProbe(dial Dial, address, host string) (*probe, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("looking at %q: it is not an IP address with a port", address)
	}
	p := &probe{dial: dial, address: address, step: fingerprintStep, target: Target{Host: at.Addr().WithZone("").String(), Port: at.Port()}}
	p.left.Store(FingerprintSends)
	if host != "" {
		if p.target.Host, err = checkHost(host); err != nil {
			return nil, fmt.Errorf("looking at %s: %w", address, err)
		}
		if !p.target.IP().IsValid() {
			p.name = p.target.Host
		}
	}
	return p, nil
}

func (p *probe) url(secure bool) string {
	t := p.target
	t.Scheme = "http"
	if secure {
		t.Scheme = "https"
	}
	return t.URL()
}

// manifest asks for the manifest over a connection of its own. The error is that of the dial; what goes wrong later shows in
// what is missing.
func (p *probe) manifest(ctx context.Context, secure bool) (fp Fingerprint, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.step)
	defer cancel()
	conn, err := p.connect(ctx)
	if err != nil {
		return fp, err
	}
	defer conn.Close()
	defer closeAt(ctx, conn)()
	if secure {
		if conn, fp.TLS, err = p.encrypt(ctx, conn); err != nil {
			return Fingerprint{}, nil // somebody listens who does not speak TLS
		}
	}
	r, err := p.get(ctx, conn, secure)
	if err != nil {
		return fp, nil // somebody listens who does not speak HTTP
	}
	fp.HTTP, fp.Status = true, r.status
	if r.status == http.StatusOK && isManifest(r.body) {
		sum := sha256.Sum256(r.body)
		fp.Manifest = hex.EncodeToString(sum[:])
	}
	return fp, nil
}

func (p *probe) get(ctx context.Context, conn net.Conn, secure bool) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url(secure)+"/manifest.json", nil)
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("User-Agent", "Hearthgate")
	request.Close = true
	if err := request.Write(conn); err != nil {
		return reply{}, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		body = nil // endless or cut: not Home Assistant's
	}
	return reply{status: response.StatusCode, body: body}, nil
}

// version is what the greeting of the WebSocket names, over a connection of its own.
func (p *probe) version(ctx context.Context, secure bool) string {
	ctx, cancel := context.WithTimeout(ctx, p.step)
	defer cancel()
	conn, err := p.connect(ctx)
	if err != nil {
		return ""
	}
	defer conn.Close()
	defer closeAt(ctx, conn)()
	if secure {
		if conn, _, err = p.encrypt(ctx, conn); err != nil {
			return ""
		}
	}
	return greeting(ctx, overOne(conn), p.url(secure))
}

func (p *probe) connect(ctx context.Context) (net.Conn, error) {
	conn, err := p.dial(ctx, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	return &metered{Conn: conn, reads: fingerprintReads, writes: &p.left}, nil
}

// encrypt speaks TLS and returns the hash of the certificate. It is not verified: it would be for a name that we may not know,
// nothing secret is sent, and what is learnt is only what anybody can copy. The large key share of the post-quantum exchange
// is left out, so that less is sent.
func (p *probe) encrypt(ctx context.Context, conn net.Conn) (net.Conn, string, error) {
	over := tls.Client(conn, &tls.Config{
		ServerName: p.name, NextProtos: []string{"http/1.1"},
		InsecureSkipVerify: true, //nolint:gosec // see above
		CurvePreferences:   []tls.CurveID{tls.X25519, tls.CurveP256},
	})
	if err := over.HandshakeContext(ctx); err != nil {
		return nil, "", err
	}
	certificates := over.ConnectionState().PeerCertificates
	if len(certificates) == 0 {
		return nil, "", errors.New("there is no certificate")
	}
	sum := sha256.Sum256(certificates[0].Raw)
	return over, hex.EncodeToString(sum[:]), nil
}

// closeAt closes conn when ctx ends, so that nothing waits longer. Call what it returns when done.
func closeAt(ctx context.Context, conn net.Conn) func() {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return func() { stop() }
}

// overOne is a client whose requests go over conn, which is connected already: the first does, and there is no second.
func overOne(conn net.Conn) *http.Client {
	var taken atomic.Bool
	once := func(context.Context, string, string) (net.Conn, error) {
		if taken.Swap(true) {
			return nil, net.ErrClosed
		}
		return conn, nil
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: once, DialTLSContext: once, DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// metered is a connection that ends when it has been read or written too much. Its reads end like a connection that was
// closed.
type metered struct {
	net.Conn
	reads  int64
	writes *atomic.Int64 // shared by all connections of a probe
}

var errTooMuch = errors.New("more would be sent than may be")

func (m *metered) Read(b []byte) (int, error) {
	if m.reads <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := m.Conn.Read(b[:min(int64(len(b)), m.reads)])
	m.reads -= int64(n)
	return n, err
}

func (m *metered) Write(b []byte) (int, error) {
	if m.writes.Add(-int64(len(b))) < 0 {
		return 0, errTooMuch
	}
	_ = m.SetWriteDeadline(time.Now().Add(fingerprintStep)) // the other side may never read
	return m.Conn.Write(b)
}
