package metrics

import "time"

// Snapshot is the appliance at one moment.
type Snapshot struct {
	Version, GoVersion string
	Interface          string // of the WireGuard device
	PublicKey          string // the server's
	Peers              []Peer
	Ports              []Port
	LastCheck          time.Time // when somebody last looked from outside; zero is never
	LoginFailures      uint64    // since the start
}

// Peer is one phone. One without a key, which has to be enrolled again, has no WireGuard series.
type Peer struct {
	Name          string
	PublicKey     string
	AllowedIPs    []string // what the server admits from it
	ReceivedBytes int64    // from the phone
	SentBytes     int64    // to the phone
	LastHandshake time.Time
	Paused        bool
}

// Port is one TCP port of the home as the internet sees it.
type Port struct {
	Port    uint16
	Family  string // ipv4 or ipv6
	State   PortState
	Checked time.Time // when somebody outside last looked; zero is never
}

// PortState is what was seen; its zero value is unknown.
type PortState int

// The states of a port.
const (
	Unknown PortState = iota
	Closed
	Open
)

// number is what the metric says: 0 is closed, 1 open, and 2 whatever nobody has seen.
func (s PortState) number() float64 {
	switch s {
	case Closed:
		return 0
	case Open:
		return 1
	default:
		return 2
	}
}
