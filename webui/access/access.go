// Package access decides who may talk to the page at all, before anybody asks what they want.
//
// What it keeps true: nobody is heard whose packets did not come over a directly connected link of the home; no request
// is looked at further whose Host is not one of our own names; nothing that writes is accepted from a page of somebody
// else's; and what is answered can be neither framed, nor sniffed, nor kept, nor told to other pages. One noisy machine
// leaves room for the others.
//
// The nouns. A [Place] is what --web names: where the page listens. A [Door] stands there: it admits connections by the
// link they came over ([Door.Listen]) and requests by the name they ask for ([Door.Hosts]). A source is the address that a
// connection comes from, never what a header says. An uplink is a link that carries a default route of a family in which
// this machine passes packets on between its links: a router's way out, beyond which nobody is at home. A link is named
// by --web when it is written there, or carries the address that is.
//
// The order in which a request passes: the listener, [Door.Hosts], [Headers], [SameOrigin], and then the routes.
//
// What it never does: it believes no header about who is calling (X-Forwarded-For and its kin are not read), it takes no
// answer of the kernel that is an error for a yes, it knows no sessions, and it repeats nothing of a refused request.
package access

import (
	"log/slog"
	"sync/atomic"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

// A Config says where the door stands.
type Config struct {
	Place Place

	// Names are names or addresses by which the page may be asked for, beside those that are ours anyway.
	Names []string

	// Log is told who was refused, once a minute for each source. Nil is silence.
	Log *slog.Logger

	// Kernel is asked about this machine's network; the zero value is the real one.
	Kernel Kernel
}

// A Door admits connections and requests. It asks the kernel anew each time, or remembers an answer for a second at
// most, because links, addresses and forwarding change while it stands.
type Door struct {
	place  Place
	log    *slog.Logger
	kernel Kernel
	names  nameList
	own    recent[[]netinfo.Address]
	links  recent[[]netinfo.Link]
	ups    recent[[]string]
	room   *room
	notes  *notes
	port   atomic.Uint32 // where Listen listens; the place's own until then
}

// New makes a door. It asks nothing and opens nothing.
func New(cfg Config) *Door {
	d := &Door{
		place:  cfg.Place,
		log:    cfg.Log,
		kernel: cfg.Kernel,
		names:  newNameList(cfg.Names),
		room:   newRoom(limits{maxConns, maxPerSource, maxPerNetwork}),
		notes:  newNotes(),
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.kernel.OnLink == nil {
		d.kernel = Real()
	}
	d.own.ask = d.kernel.Addresses
	d.links.ask = d.kernel.Links
	d.ups.ask = d.kernel.uplinks
	d.port.Store(uint32(cfg.Place.port))
	return d
}
