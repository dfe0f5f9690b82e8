package api

import (
	"context"
	"time"

	"github.com/hearthgate/hearthgate/peers/usage"
	"github.com/hearthgate/hearthgate/webui/account"
)

// What the API asks of its neighbours beyond peers, tunnel and services. Each may be missing: what it would answer is
// then not there (404), or unknown.

// Usage is how many bytes went through the tunnel.
type Usage interface {
	// Days is the last 30 days of a peer, the oldest first.
	Days(peerID string) ([]usage.Day, error)
}

// Settings are what can be set for the whole appliance. Language and theme are each browser's own and stand in its cookies.
type Settings interface {
	// Setting is where phones find the tunnel, as it was set: HOST[:PORT], or empty, and whether a flag or the settings file
	// says otherwise.
	Setting() (value string, overridden bool, err error)
	// Set checks and keeps it; empty takes it away. What it refuses is a Refusal.
	Set(value string) error
}

// Links are the one-time links by which a phone gets its config.
type Links interface {
	// MakeLink makes one for a peer; its key is made when the link is spent.
	MakeLink(ctx context.Context, peerID string) (Link, error)
}

// Desk is where the config of a phone that has just been added lies for a moment, for the session that added it.
type Desk interface {
	// OpenConfig is the config and its file name (without .conf), and false when nothing of that session's is open.
	OpenConfig(sessionID, peerID string) (config, fileName string, ok bool)
}

// Web is how the page on the LAN stands.
type Web interface {
	Web() WebStatus
}

// UsageDay is one day's traffic of a peer.
type UsageDay struct {
	Date          string `json:"date"`           // the home's own, as 2026-05-01
	ReceivedBytes int64  `json:"received_bytes"` // from the phone
	SentBytes     int64  `json:"sent_bytes"`     // to the phone
}

// SettingsView are the settings as they are.
type SettingsView struct {
	Endpoint           string `json:"endpoint"`            // HOST[:PORT] that phones dial; empty: found by itself
	EndpointOverridden bool   `json:"endpoint_overridden"` // by a flag, a variable or the settings file
}

// PutSettings sets them.
type PutSettings struct {
	Endpoint *string `json:"endpoint"`
}

// Link is a one-time link.
type Link struct {
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// WebStatus is how the page on the LAN stands.
type WebStatus struct {
	URLs    []string `json:"urls"`
	Claimed bool     `json:"claimed"`
	// Claim is whether the page can be claimed now, and how; ClaimUntil is when a window closes.
	Claim      account.ClaimState `json:"claim,omitempty"`
	ClaimUntil time.Time          `json:"claim_until,omitzero"`
	SetupCode  string             `json:"setup_code,omitempty"` // shown to the machine's owner only, while nobody has claimed the page
	Warning    string             `json:"warning,omitempty"`    // why the page cannot be reached as it should
}
