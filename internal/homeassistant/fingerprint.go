package homeassistant

import (
	"context"
	"net"
	"net/http"
	"time"
)

// A Fingerprint is what something that listens on a TCP port shows of itself to a stranger who asks for nothing that Home
// Assistant would mind: GET /manifest.json, and the greeting of its WebSocket. The zero value: nothing that speaks HTTP.
// It says "looks like", never "is": everything in it can be copied.
type Fingerprint struct {
	HTTP     bool   `json:"http,omitempty"`     // it speaks HTTP, perhaps over TLS
	Status   int    `json:"status,omitempty"`   // of GET /manifest.json
	Manifest string `json:"manifest,omitempty"` // SHA-256 of a manifest that is Home Assistant's, in hex; empty: it is not
	Version  string `json:"version,omitempty"`  // that the WebSocket's greeting names
	TLS      string `json:"tls,omitempty"`      // SHA-256 of the leaf certificate, in hex
}

// IsHome tells whether it looks like a Home Assistant.
func (f Fingerprint) IsHome() bool { return f.Manifest != "" || f.Version != "" }

// Matches tells whether both look like one and the same Home Assistant: both are, nothing that both show differs, and they
// have at least the manifest or the version in common. The certificate is left out: a reverse proxy in front of Home Assistant
// has its own.
func (f Fingerprint) Matches(g Fingerprint) bool {
	return f.IsHome() && g.IsHome() && agree(f.Manifest, g.Manifest) && agree(f.Version, g.Version) &&
		(f.Manifest != "" && f.Manifest == g.Manifest || f.Version != "" && f.Version == g.Version)
}

// Dial opens a TCP connection.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// FingerprintSends is the most that one TakeFingerprint sends, in bytes of TCP payload, over all its connections. Plain HTTP
// takes 300, TLS 1,200, and a name of 253 characters adds up to six times its length.
const FingerprintSends = 3072

const (
	fingerprintReads = 16 << 10        // from each connection, the TLS handshake included
	fingerprintStep  = 8 * time.Second // for each connection: a packet that was lost twice is sent again after 3 s
)

// TakeFingerprint looks at what listens at address (IP:port). host is the name for the Host header and for TLS; empty: the
// address. It opens at most three connections through dial, one after the other and each for at most 8 s, reads at most
// 16 KiB from each, sends at most FingerprintSends, and follows no redirect. The error is that of the first dial, and means
// that nothing was listening there, or says that host is no name.
//
// It asks plainly first. Home Assistant with a certificate closes a connection on which somebody speaks HTTP without TLS, and
// other servers answer 400, so then it asks again over TLS. Nothing that it sends counts as a failed sign-in
// (facts/exposure.md C).
func TakeFingerprint(ctx context.Context, dial Dial, address, host string) (Fingerprint, error) {
	p, err := newProbe(dial, address, host)
	if err != nil {
		return Fingerprint{}, err
	}
	return p.take(ctx)
}

func (p *probe) take(ctx context.Context) (Fingerprint, error) {
	fp, err := p.manifest(ctx, false)
	if err != nil {
		return Fingerprint{}, err
	}
	secure := false
	if !fp.HTTP || fp.Status == http.StatusBadRequest {
		if over, err := p.manifest(ctx, true); err == nil && over.TLS != "" {
			// A server that speaks TLS is judged by what it says over TLS, unless it said something plainly only.
			if over.HTTP || !fp.HTTP {
				fp, secure = over, true
			}
		}
	}
	if fp.HTTP {
		fp.Version = p.version(ctx, secure)
	}
	return fp, nil
}
