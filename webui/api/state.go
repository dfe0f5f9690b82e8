package api

import (
	"time"

	"github.com/hearthgate/hearthgate/peers"
)

// StateOf is the one word that says how a peer stands. It is decided here and nowhere else.
func StateOf(p peers.Peer, live Live, now time.Time) State {
	switch {
	case p.Disabled:
		return StateDisabled
	case HasExpired(p, now):
		return StateExpired
	case p.NeedsEnrolment:
		return StateNeedsEnrolment
	case live.Active:
		return StateActive
	case LastSeen(p, live).IsZero():
		return StateWaiting
	default:
		return StateIdle
	}
}

// HasExpired tells whether a peer's date has passed.
func HasExpired(p peers.Peer, now time.Time) bool {
	return p.Expired || !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt)
}

// LastSeen is a peer's last handshake: the tunnel knows it to the second, the store by the hour. Zero is never.
func LastSeen(p peers.Peer, live Live) time.Time {
	if live.LastHandshake.After(p.LastHandshake) {
		return live.LastHandshake
	}
	return p.LastHandshake
}
