package homeassistant

import (
	"context"
	"net"
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
// have at least the manifest or the version in common.
func (f Fingerprint) Matches(g Fingerprint) bool {
	return f.IsHome() && g.IsHome() && agree(f.Manifest, g.Manifest) && agree(f.Version, g.Version) &&
		(f.Manifest != "" && f.Manifest == g.Manifest || f.Version != "" && f.Version == g.Version)
}

// Dial opens a TCP connection.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// TakeFingerprint looks at what listens at address (IP:port). host is the name for the Host header and for TLS; empty: the
// address. It opens at most four connections through dial, reads at most 16 KiB from each, and follows no redirect. The
// error is that of the first dial: then nothing was listening there.
func TakeFingerprint(ctx context.Context, dial Dial, address, host string) (Fingerprint, error) {
	panic("to be written")
}
