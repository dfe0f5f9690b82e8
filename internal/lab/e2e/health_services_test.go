package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab/pinger"
)

// The public services that the household may switch on, stood in for by servers on the internet's host, under their real names
// and with certificates that the appliance trusts because SSL_CERT_FILE says so (crypto/x509).
var publicNames = []string{"api.globalping.io", "ifconfig.co", "internetdb.shodan.io", "api4.ipify.org", "api6.ipify.org"}

// publicService says how they behave. Its zero value is as on a good day.
type publicService struct {
	scanned []int                                                  // ports that Shodan's scanner found open
	refuse  func(w http.ResponseWriter, r *http.Request) (no bool) // Globalping's
}

// publicServices puts them up. It must come before the appliance starts. Everybody can ask them; nobody does who was not told to.
func (h *home) publicServices(t testing.TB, how publicService) *pinger.Pinger {
	t.Helper()
	for _, name := range append([]string{"stun.cloudflare.com", "stun.l.google.com"}, publicNames...) {
		switch name {
		case "api4.ipify.org":
			h.Call(t, h.Internet, name, h.Internet.Addr4)
		case "api6.ipify.org":
			h.Call(t, h.Internet, name, h.Internet.Addr6)
		default:
			h.Call(t, h.Internet, name)
		}
	}
	certificate, file := h.authority(t)
	h.env = append(h.env, "SSL_CERT_FILE="+file)
	probes := []pinger.Probe{}
	for i, place := range []struct{ country, tag string }{{"DE", "eyeball-network"}, {"DE", "eyeball-network"}, {"US", "datacenter-network"}} {
		from := h.AddPhone(t, fmt.Sprintf("probe%d", i))
		probes = append(probes, pinger.Probe{
			Continent: "EU", Country: place.country, City: "Lab", ASN: 64496 + i, Network: "Lab", Tags: []string{place.tag}, Dial: from.Dial,
		})
	}
	globalping := pinger.New(probes...)
	globalping.Refuse = how.refuse
	t.Cleanup(globalping.Close)
	l, err := h.Internet.Listen(t.Context(), "tcp", ":443")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler:           h.byName(globalping, how),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}},
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.ServeTLS(l, "", "") }() // ends with ErrServerClosed
	t.Cleanup(func() { server.Close(); <-done })
	for _, port := range []string{":3478", ":19302"} {
		h.serveSTUN(t, port)
	}
	return globalping
}

// byName is what each service answers, in its own format.
func (h *home) byName(globalping http.Handler, how publicService) http.Handler {
	caller := func(r *http.Request) netip.Addr { return netip.MustParseAddrPort(r.RemoteAddr).Addr().Unmap() }
	answer := func(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) } // the reader hung up: nobody to tell
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, found := strings.Cut(r.Host, ":")
		if !found {
			host = r.Host
		}
		w.Header().Set("Content-Type", "application/json")
		switch host {
		case "api.globalping.io":
			globalping.ServeHTTP(w, r)
		case "ifconfig.co":
			port, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/port/"))
			if err != nil {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			at := netip.AddrPortFrom(caller(r), uint16(port))
			answer(w, map[string]any{"ip": at.Addr(), "port": port, "reachable": h.dialBack(r.Context(), at)})
		case "internetdb.shodan.io":
			if len(how.scanned) == 0 {
				w.WriteHeader(http.StatusNotFound)
				answer(w, map[string]any{"detail": "No information available"})
				return
			}
			answer(w, map[string]any{
				"ip": strings.TrimPrefix(r.URL.Path, "/"), "ports": how.scanned,
				"cpes": []string{}, "hostnames": []string{}, "tags": []string{}, "vulns": []string{},
			})
		default: // ipify
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, caller(r))
		}
	})
}

// dialBack is ifconfig.co's look: two seconds.
func (h *home) dialBack(ctx context.Context, at netip.AddrPort) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	c, err := h.Internet.Dial(ctx, "tcp", at.String())
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// serveSTUN answers binding requests (RFC 8489) on the internet's host.
func (h *home) serveSTUN(t testing.TB, port string) {
	t.Helper()
	c, err := h.Internet.ListenPacket(t.Context(), "udp", port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buffer)
			if err != nil {
				return
			}
			if n >= 20 && binary.BigEndian.Uint16(buffer) == 1 {
				_, _ = c.WriteTo(mappedAddress(buffer[:20], netip.MustParseAddrPort(from.String())), from) // lost answers are asked for again
			}
		}
	}()
}

// mappedAddress is a success response with XOR-MAPPED-ADDRESS (RFC 8489, section 14.2).
func mappedAddress(request []byte, from netip.AddrPort) []byte {
	const cookie = 0x2112A442
	addr, family := from.Addr().Unmap(), byte(1)
	raw := addr.AsSlice()
	if addr.Is6() {
		family = 2
	}
	for i := range raw {
		raw[i] ^= request[4+i] // the cookie, then the transaction
	}
	out := append([]byte{1, 1, 0, byte(8 + len(raw))}, request[4:20]...)
	out = append(out, 0, 0x20, 0, byte(4+len(raw)), 0, family)
	out = binary.BigEndian.AppendUint16(out, from.Port()^(cookie>>16))
	return append(out, raw...)
}

// authority makes a certificate for the services, and the file of those whom the appliance trusts.
func (h *home) authority(t testing.TB) (certificate tls.Certificate, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lab"}, DNSNames: publicNames,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.ParseIP("1.1.1.1")},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(h.Appliance.Dir(t), "trusted.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, file
}
