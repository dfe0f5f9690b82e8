package surroundings

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
)

// Snapshot is what a verdict rests on at one moment. The zero value of each part says that it is not known.
type Snapshot struct {
	At time.Time `json:"at"`

	Public   netip.Addr     `json:"public,omitzero"` // IPv4
	Prefixes []netip.Prefix `json:"prefixes,omitempty"`
	Own      []netip.Addr   `json:"own,omitempty"` // this machine's addresses that stay, where Home Assistant is on it
	Gateways [2]Way         `json:"gateways"`      // out over IPv4 and IPv6
	Down     bool           `json:"down,omitempty"`

	UDN    string        `json:"udn,omitempty"` // of the router, as are the next two
	BootID string        `json:"boot_id,omitempty"`
	Epoch  gateway.Epoch `json:"epoch,omitzero"`

	Home      HomeMark          `json:"home"`
	Witnesses map[string]string `json:"witnesses,omitempty"` // names, and what tells one key from another
}

// Way is a way out.
type Way struct {
	Link    string     `json:"link,omitempty"`
	Gateway netip.Addr `json:"gateway,omitzero"`
	MAC     string     `json:"mac,omitempty"`
}

// HomeMark is what tells this household's Home Assistant from another, and one of its places from another.
type HomeMark struct {
	Address netip.Addr           `json:"address,omitzero"`
	Port    uint16               `json:"port,omitempty"`
	MACs    []string             `json:"macs,omitempty"`
	Shown   bool                 `json:"shown,omitempty"` // it has shown whether it speaks TLS
	TLS     string               `json:"tls,omitempty"`   // SHA-256 of the certificate; empty: it does not
	Global6 map[string]time.Time `json:"global6,omitempty"`
}

// remembered is how long an IPv6 address of Home Assistant counts as one that was there before: the neighbour table forgets
// addresses that are still in use, and a temporary one is in use for a week (RFC 8981, section 3.8).
const remembered = 7 * 24 * time.Hour

// changes says what of the two differs such that nothing that was seen before counts, and for which family. Of several, the
// first is named. What is not known in one of them is no change.
func changes(was, is Snapshot) map[health.Family]health.Code {
	out := make(map[health.Family]health.Code)
	note := func(really bool, what health.Code, families ...health.Family) {
		for _, f := range families {
			if _, noted := out[f]; really && !noted {
				out[f] = what
			}
		}
	}
	both := health.Families
	note(was.Public.IsValid() && is.Public.IsValid() && was.Public != is.Public, health.WhatAddress, health.IPv4)
	note(grown(was.Prefixes, is.Prefixes), health.WhatPrefix, health.IPv6)
	note(wayChanged(was.Gateways[0], is.Gateways[0]), health.WhatGateway, both...)
	note(wayChanged(was.Gateways[1], is.Gateways[1]), health.WhatGateway, health.IPv6)
	note(restarted(was, is), health.WhatRestart, both...)
	note(is.Down && !was.Down, health.WhatLink, both...)
	note(homeChanged(was.Home, is.Home), health.WhatHome, both...)
	note(ownChanged(was, is, netip.Addr.Is4), health.WhatOwn, health.IPv4)
	note(ownChanged(was, is, netip.Addr.Is6), health.WhatOwn, health.IPv6)
	note(newAddress(was.Home, is.Home), health.WhatHome6, health.IPv6)
	note(keyChanged(was.Witnesses, is.Witnesses), health.WhatWitness, both...)
	return out
}

// grown tells whether there is one that was not there before. That one went away changes nothing at the others.
func grown[T comparable](was, is []T) bool {
	return len(was) > 0 && slices.ContainsFunc(is, func(v T) bool { return !slices.Contains(was, v) })
}

func differs[T comparable](was, is T) bool {
	var unknown T
	return was != unknown && is != unknown && was != is
}

func wayChanged(was, is Way) bool {
	return differs(was.Link, is.Link) || differs(was.Gateway, is.Gateway) || differs(was.MAC, is.MAC)
}

func restarted(was, is Snapshot) bool {
	before := gateway.Picture{UDN: was.UDN, BootID: was.BootID, Epoch: was.Epoch}
	return gateway.Picture{UDN: is.UDN, BootID: is.BootID, Epoch: is.Epoch}.Restarted(before)
}

func homeChanged(was, is HomeMark) bool {
	return differs(was.Address, is.Address) || differs(was.Port, is.Port) || grown(was.MACs, is.MACs) ||
		was.Shown && is.Shown && was.TLS != is.TLS
}

func ownChanged(was, is Snapshot, of func(netip.Addr) bool) bool {
	pick := func(all []netip.Addr) (out []netip.Addr) {
		for _, a := range all {
			if of(a) {
				out = append(out, a)
			}
		}
		return out
	}
	return grown(pick(was.Own), pick(is.Own))
}

func newAddress(was, is HomeMark) bool {
	for a := range is.Global6 {
		if _, there := was.Global6[a]; !there && len(was.Global6) > 0 {
			return true
		}
	}
	return false
}

func keyChanged(was, is map[string]string) bool {
	for name, key := range is {
		if old, there := was[name]; there && old != key {
			return true
		}
	}
	return false
}

// over is the newer snapshot with what is not known in it taken from the older one.
func (is Snapshot) over(was Snapshot) Snapshot {
	is.Public = known(is.Public, was.Public)
	for i := range is.Gateways {
		w := was.Gateways[i]
		if differs(w.Gateway, is.Gateways[i].Gateway) || differs(w.Link, is.Gateways[i].Link) {
			w.MAC = "" // the MAC of another
		}
		is.Gateways[i] = Way{
			Link: known(is.Gateways[i].Link, w.Link), Gateway: known(is.Gateways[i].Gateway, w.Gateway), MAC: known(is.Gateways[i].MAC, w.MAC),
		}
	}
	is.UDN, is.BootID = known(is.UDN, was.UDN), known(is.BootID, was.BootID)
	is.Epoch = known(is.Epoch, was.Epoch)
	is.Prefixes, is.Own = kept(is.Prefixes, was.Prefixes), kept(is.Own, was.Own)
	is.Home = is.Home.over(was.Home, is.At)
	is.Witnesses = is.withWitnesses(was)
	return is
}

// mostWitnesses are remembered beyond those that there are.
const mostWitnesses = 32

// withWitnesses are those of now and those that were there before: one that is taken away and comes back with another key is
// another one, and the word of the first is not its word.
func (is Snapshot) withWitnesses(was Snapshot) map[string]string {
	out := maps.Clone(is.Witnesses)
	for _, name := range slices.Sorted(maps.Keys(was.Witnesses)) {
		if _, there := out[name]; !there && len(out) < mostWitnesses {
			if out == nil {
				out = make(map[string]string)
			}
			out[name] = was.Witnesses[name]
		}
	}
	return out
}

// mostMACs: a machine answers for its address with the MAC of any of its interfaces (arp_ignore in the kernel's ip-sysctl).
const mostMACs = 4

func (is HomeMark) over(was HomeMark, now time.Time) HomeMark {
	moved := differs(was.Address, is.Address)
	is.Address, is.Port = known(is.Address, was.Address), known(is.Port, was.Port)
	if !moved {
		for _, mac := range was.MACs {
			if !slices.Contains(is.MACs, mac) && len(is.MACs) < mostMACs {
				is.MACs = append(slices.Clone(is.MACs), mac)
			}
		}
	}
	if !is.Shown {
		is.Shown, is.TLS = was.Shown, was.TLS
	}
	all := maps.Clone(was.Global6)
	if all == nil {
		all = make(map[string]time.Time)
	}
	maps.Copy(all, is.Global6)
	maps.DeleteFunc(all, func(_ string, at time.Time) bool { return now.Sub(at) > remembered })
	is.Global6 = all
	return is
}

func known[T comparable](is, was T) T {
	var unknown T
	if is == unknown {
		return was
	}
	return is
}

func kept[T any](is, was []T) []T {
	if len(is) == 0 {
		return was
	}
	return is
}
