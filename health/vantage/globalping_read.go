package vantage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// gpSight is what one measurement says of the port, seen from one probe.
type gpSight int

// The sights. A probe of which a measurement is gone does not count, unless another one found the port open.
const (
	gpGone     gpSight = iota // the probe was offline, or broke, or says something that we cannot read
	gpVague                   // nothing came in time: nobody there, or somebody who accepts and is silent
	gpSilent                  // no connection came about: refused, rejected or dropped
	gpRejected                // a router on the way said no
	gpRefused                 // a reset
	gpOpen
)

// readPing reads a TCP ping. Its rcv counts finished handshakes; zero does not tell why.
func (o gpResult) readPing(target netip.Addr) gpSight {
	switch {
	case o.Status != "finished" || o.Stats == nil || !sameAddress(o.ResolvedAddress, target.String()):
		return gpGone
	case o.Stats.Rcv > 0:
		return gpOpen
	case o.Stats.Total <= 0:
		return gpGone
	default:
		return gpSilent
	}
}

// readFetch reads an http measurement, and who answered it.
func (o gpResult) readFetch(target netip.Addr) (gpSight, homeassistant.Fingerprint) {
	var nobody homeassistant.Fingerprint
	switch {
	case o.Status == "failed" && (o.FailureSource == "target" || o.FailureSource == ""): // the source is a new field
		return gpFailure(o.RawOutput), nobody // after a failure the service leaves resolvedAddress empty
	case o.Status != "finished" || o.StatusCode <= 0 || !sameAddress(o.ResolvedAddress, target.String()):
		return gpGone, nobody
	}
	fp := homeassistant.Fingerprint{HTTP: true, Status: o.StatusCode}
	if o.TLS != nil {
		fp.TLS = strings.ToLower(strings.ReplaceAll(o.TLS.Fingerprint256, ":", ""))
	}
	if o.StatusCode == 200 && !o.Truncated && manifestOfHome(o.RawBody) {
		sum := sha256.Sum256([]byte(o.RawBody))
		fp.Manifest = hex.EncodeToString(sum[:])
	}
	return gpOpen, fp
}

// manifestOfHome tells whether the manifest is Home Assistant's, by the rule of package homeassistant.
func manifestOfHome(body string) bool {
	var manifest struct {
		Name string `json:"name"`
	}
	return json.Unmarshal([]byte(body), &manifest) == nil && manifest.Name == "Home Assistant"
}

// gpFailures are the words in which a probe says why it has no HTTP answer: Node's and undici's (globalping-probe at f86c41c; measured
// with undici 6). The first that is found counts. Words that are not here are read as gone, never as closed.
var gpFailures = []struct {
	words string
	sight gpSight
}{
	{"connect ECONNREFUSED", gpRefused},
	{"connect EHOSTUNREACH", gpRejected},
	{"connect ENETUNREACH", gpRejected},
	{"connect EACCES", gpRejected}, // ICMPv6 "administratively prohibited"; newer probes call it internal, and then it is gone
	{"connect ETIMEDOUT", gpSilent},
	{"Request timeout.", gpVague},
	{"Response does not match the HTTP/1.1 protocol", gpOpen}, // TLS, SSH, anything
	{"read ECONNRESET", gpOpen},
	{"write ECONNRESET", gpOpen},
	{"write EPIPE", gpOpen},
	{"write EPROTO", gpOpen}, // not TLS
	{"other side closed", gpOpen},
	{"socket hang up", gpOpen},
	{"Parse Error", gpOpen},
	{"SSL routines", gpOpen},
	{"disconnected before secure TLS connection", gpOpen},
	{"Headers Overflow", gpOpen},
	{"Headers Timeout", gpOpen},
	{"Body Timeout", gpOpen},
	{"incorrect header check", gpOpen}, // an answer that cannot be unpacked
	{"unexpected end of file", gpOpen},
}

func gpFailure(text string) gpSight {
	for _, f := range gpFailures {
		if strings.Contains(text, f.words) {
			return f.sight
		}
	}
	return gpGone
}

// both reads the pair. Open wins over all; after it, a probe of which one half is gone does not count; a fetch that found nobody in
// time adds nothing to a ping that found nobody at all.
func (s gpSight) both(fetch gpSight) gpSight {
	switch {
	case s == gpOpen || fetch == gpOpen:
		return gpOpen
	case s == gpGone || fetch == gpGone:
		return gpGone
	default:
		return max(s, fetch)
	}
}
