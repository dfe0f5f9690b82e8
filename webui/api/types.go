package api

import (
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// State is the one word that says how a peer stands.
type State string

// The states of a peer. Active is a handshake younger than 180 s; nothing is ever called offline, because a phone that
// is silent cannot be told from one that is away.
const (
	StateWaiting        State = "waiting"         // no handshake yet
	StateActive         State = "active"          // last handshake younger than 180 s
	StateIdle           State = "idle"            // has connected before
	StateDisabled       State = "disabled"        // access is paused
	StateExpired        State = "expired"         // access has ended
	StateNeedsEnrolment State = "needs_enrolment" // the server's key changed; a new code must be scanned
)

// Peer is one phone or device, as the API shows it. Times are UTC; a time that is not set is left out.
type Peer struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	State            State     `json:"state"`
	PublicKey        string    `json:"public_key,omitempty"`
	IPv4             string    `json:"ipv4,omitempty"`
	IPv6             string    `json:"ipv6,omitempty"`
	Services         []string  `json:"services"`
	CreatedAt        time.Time `json:"created_at"`
	ExpiresAt        time.Time `json:"expires_at,omitzero"`
	FirstHandshakeAt time.Time `json:"first_handshake_at,omitzero"`
	LastHandshakeAt  time.Time `json:"last_handshake_at,omitzero"`
	Endpoint         string    `json:"endpoint,omitempty"` // where its last packet came from
	ReceivedBytes    int64     `json:"received_bytes"`     // from the phone, since the appliance started
	SentBytes        int64     `json:"sent_bytes"`         // to the phone, since the appliance started
	Rekey            *Rekey    `json:"rekey,omitempty"`
}

// Rekey tells of a peer's former key, which still works for a while.
type Rekey struct {
	OldPublicKey string    `json:"old_public_key"`
	RetiresAt    time.Time `json:"retires_at"`
}

// AddPeer asks for a new peer.
type AddPeer struct {
	Name      string   `json:"name"`
	Expires   string   `json:"expires,omitempty"`    // 90m, 12h, 7d, 2w, a time in RFC 3339, or never; empty: never
	PublicKey string   `json:"public_key,omitempty"` // made elsewhere; empty: a key is made here
	Services  []string `json:"services,omitempty"`   // empty: home-assistant
}

// ChangePeer changes one thing about a peer: exactly one field must be set.
type ChangePeer struct {
	Name     *string   `json:"name,omitempty"`
	Disabled *bool     `json:"disabled,omitempty"`
	Expires  *string   `json:"expires,omitempty"`
	Services *[]string `json:"services,omitempty"`
}

// RekeyPeer asks for new keys for a peer.
type RekeyPeer struct {
	PublicKey string `json:"public_key,omitempty"`
	Now       bool   `json:"now,omitempty"` // the old key ends at once, not with the new key's first handshake
}

// Enrolment is what a phone needs to come in. It is shown once: Config holds the private key, which is stored nowhere.
type Enrolment struct {
	Peer     Peer     `json:"peer"`
	Config   string   `json:"config"`    // for the WireGuard app
	FileName string   `json:"file_name"` // both apps accept it for a file import
	URL      string   `json:"url"`       // Home Assistant, inside the tunnel
	Endpoint Endpoint `json:"endpoint"`
	Notes    []string `json:"notes"` // sentences that the person who adds the phone should read
	Warnings []string `json:"warnings"`
	EventSeq uint64   `json:"event_seq"` // events after this one tell of this phone's first handshake
}

// Endpoint is where phones send their packets.
type Endpoint struct {
	Address string `json:"address"` // host:port
	Scope   string `json:"scope"`   // "configured", or "lan": works at home only
	Note    string `json:"note,omitempty"`
}

// Service is something that can be reached inside the tunnel.
type Service struct {
	Name     string    `json:"name"`
	Protocol string    `json:"protocol"` // tcp or udp
	Port     uint16    `json:"port"`     // on the server's tunnel address
	Target   string    `json:"target"`   // host:port; empty while Home Assistant has not been found
	Builtin  bool      `json:"builtin"`
	State    string    `json:"state"` // up, down or unknown
	Since    time.Time `json:"since,omitzero"`
	Error    string    `json:"error,omitempty"`
	Flows    int       `json:"flows"` // connections that are open now
}

// AddService asks for a new service.
type AddService struct {
	Name     string `json:"name"`
	Target   string `json:"target"`
	Port     uint16 `json:"port,omitempty"` // 0: the target's port
	Protocol string `json:"protocol,omitempty"`
}

// UseHomeAssistant names the Home Assistant that the owner means.
type UseHomeAssistant struct {
	Address string `json:"address"`
}

// Status is the whole appliance at a glance.
type Status struct {
	Version       string              `json:"version"`
	StartedAt     time.Time           `json:"started_at"`
	StateDir      string              `json:"state_dir,omitempty"` // shown to the machine's owner only
	ClockSynced   bool                `json:"clock_synchronised"`
	HomeAssistant homeassistant.State `json:"home_assistant"`
	Tunnel        TunnelStatus        `json:"tunnel"`
	Endpoint      Endpoint            `json:"endpoint"`
	Services      []Service           `json:"services"`
	Peers         PeerCounts          `json:"peers"`
	Exposure      ExposureStatus      `json:"exposure"`
	Web           *WebStatus          `json:"web,omitempty"` // nil where there is no page
}

// TunnelStatus is how the WireGuard server stands.
type TunnelStatus struct {
	ListenPort uint16 `json:"listen_port"` // UDP
	PublicKey  string `json:"public_key"`
	IPv4       string `json:"ipv4"` // the server's tunnel address
	IPv6       string `json:"ipv6"`
	URL        string `json:"url"` // Home Assistant, inside the tunnel
	UAPISocket string `json:"uapi_socket,omitempty"`
}

// ExposureStatus is whether Home Assistant can be reached from the internet; GET /api/v1/exposure says why.
type ExposureStatus struct {
	State     ExposureState `json:"state"`
	CheckedAt time.Time     `json:"checked_at,omitzero"` // when somebody outside last looked; zero: never
}

// PeerCounts counts peers by what they can do.
type PeerCounts struct {
	Total  int `json:"total"`
	Active int `json:"active"`
}

// Live is what the tunnel sees of a peer.
type Live struct {
	Active                   bool
	LastHandshake            time.Time
	Endpoint                 string
	ReceivedBytes, SentBytes int64
}
