package peers

import (
	"net/netip"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/internal/key"
)

// Peer is one phone that may, or might again, come in.
type Peer struct {
	// ID is stable and never used twice; people see the name.
	ID   string
	Name string
	// Pair is what the phone's newest config carries.
	Pair Pair
	// Retiring is the pair of the config before, during a rekey; nil otherwise. It
	// goes at RetireAt, or on the first handshake of Pair.
	Retiring *Pair
	RetireAt time.Time
	// Services are the names of what the phone may reach; empty is nothing.
	Services []string
	Disabled bool
	// ExpiresAt is when access ends; zero is never.
	ExpiresAt time.Time
	// Expired is that ExpiresAt has passed, as far as we know.
	Expired bool
	// ExpiryUnconfirmed is that it has passed by a clock that is not synchronised:
	// access is denied, yet comes back if the clock turns out to be wrong.
	ExpiryUnconfirmed bool
	// NeedsEnrolment is that the server's key is new and the phone's config is
	// therefore void; a rekey makes a good one.
	NeedsEnrolment bool
	CreatedAt      time.Time
	// FirstHandshake is the first of any of its pairs; zero is never.
	FirstHandshake time.Time
	// LastHandshake is saved by the hour, to spare the SD card; the tunnel knows
	// better while it runs. Zero is never.
	LastHandshake time.Time
}

// NeedsCodeForAdmin tells that a peer has AdminService now, and a config from
// before: its phone sends nothing for the admin page into the tunnel until it has
// a new code (Rekey).
func (p Peer) NeedsCodeForAdmin() bool {
	return !p.Pair.Admin && slices.Contains(p.Services, AdminService)
}

// Pair is what WireGuard knows of a peer. Two keys cannot share an allowed IP
// (wg(8): the first would lose it silently), so each pair has its own addresses.
type Pair struct {
	PublicKey    key.Public
	PresharedKey key.Secret
	IPv4, IPv6   netip.Addr
	// Admin is that the config of this pair names the admin addresses: its peer had
	// AdminService when the pair was made.
	Admin     bool
	CreatedAt time.Time
	// FirstHandshake is zero until the phone has come in with this pair.
	FirstHandshake time.Time
}

// Server is our own end: its keys and the tunnel's networks.
type Server struct {
	PrivateKey         key.Secret
	PublicKey          key.Public
	Network4, Network6 netip.Prefix
	// Address4 and Address6 are our own in the tunnel, for every peer.
	Address4, Address6 netip.Addr
	// Admin4 and Admin6 are those of the admin page, for the peers that have AdminService. No peer ever has them.
	Admin4, Admin6 netip.Addr
}

// Enrolment is the only answer that has the phone's private key.
type Enrolment struct {
	Peer Peer
	// PrivateKey is zero when the phone brought a public key of its own.
	PrivateKey key.Secret
}

// Access is one pair that the tunnel serves now. Two of them may belong to one
// peer; they then have one policy.
type Access struct {
	PeerID, Name string
	Pair         Pair
	Services     []string
	// Retiring is that the pair is the old one of a rekey.
	Retiring bool
}
