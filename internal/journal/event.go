package journal

import "time"

// Type says what happened. The types are contract: other people's scripts look for them.
type Type string

// The types. Each says when it is recorded.
const (
	PeerAdded          Type = "peer.added"
	PeerChanged        Type = "peer.changed" // renamed, disabled, enabled, another expiry or other services
	PeerRemoved        Type = "peer.removed"
	PeerRekeyed        Type = "peer.rekeyed"
	PeerExpired        Type = "peer.expired"
	PeerFirstHandshake Type = "peer.first_handshake"
	PeerConnected      Type = "peer.connected"
	PeerDisconnected   Type = "peer.disconnected" // no traffic, and the last handshake older than 180 s

	HomeAssistantFound   Type = "home_assistant.found"
	HomeAssistantLost    Type = "home_assistant.lost"
	HomeAssistantMoved   Type = "home_assistant.moved"   // the same machine at another address
	HomeAssistantChoose  Type = "home_assistant.choose"  // the owner has to say which one it is
	HomeAssistantWarning Type = "home_assistant.warning" // such as sign-in without a password for everybody

	ServiceAdded   Type = "service.added"
	ServiceRemoved Type = "service.removed"

	ServerRekeyed Type = "server.rekeyed"

	EndpointChanged Type = "endpoint.changed" // where new phones' configs say that this home is

	ExposureChanged  Type = "exposure.changed"  // the verdict on Home Assistant's port is another one
	ExposureReminder Type = "exposure.reminder" // it is still exposed, a day later
	ExposureSetup    Type = "exposure.setup"    // who looks from outside, or who is told
	MappingDeleted   Type = "mapping.deleted"   // the owner had a mapping of the router deleted
)

// Event is one thing that happened.
type Event struct {
	Seq      uint64            `json:"seq"`  // counts up by one; set by the journal
	Time     time.Time         `json:"time"` // UTC; zero means now when it is recorded
	Type     Type              `json:"type"`
	PeerID   string            `json:"peer_id,omitempty"`   // of the peer it is about, if any
	PeerName string            `json:"peer_name,omitempty"` // as it was called then
	Message  string            `json:"message,omitempty"`   // a sentence for people
	Data     map[string]string `json:"data,omitempty"`      // for programs, by type
}
