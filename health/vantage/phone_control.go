package vantage

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/health/witness"
)

// PhoneControl is a witness's page for browsers at one address. It listens on Home Assistant's usual port, so that a phone whose
// network lets nothing to that port out is told from a home that is closed, and says from where it was asked.
type PhoneControl struct {
	Host string // an IP address or a name
	Port uint16
}

// PhoneControls are the pages of the witnesses that have sent these invites.
func PhoneControls(invites []witness.Invite) (out []PhoneControl) {
	for _, i := range invites {
		for _, address := range i.Addresses {
			if host, _, err := net.SplitHostPort(address); err == nil && i.Control != 0 {
				out = append(out, PhoneControl{host, i.Control})
			}
		}
	}
	return out
}

// readControl reads what such a page said: from which address it was asked. It is not signed, for it passes through the phone,
// whose word it is either way.
func readControl(nonce, said string) (netip.Addr, error) {
	var echo struct {
		Address netip.Addr `json:"address"`
		Nonce   string     `json:"nonce"`
	}
	if err := json.Unmarshal([]byte(said), &echo); err != nil {
		return netip.Addr{}, fmt.Errorf("reading a control: %w", err)
	}
	if echo.Nonce != nonce || !echo.Address.IsValid() {
		return netip.Addr{}, errors.New("reading a control: it answers another question")
	}
	return echo.Address.Unmap(), nil
}

// phoneControls is what the controls and decoys show.
type phoneControls struct {
	tried     bool // there is a witness
	held      map[health.Family]bool
	direct    bool // the browser's packets leave where the tunnel's do
	inside    bool // a witness was asked from the home's own address
	middlebox bool // a port that nobody opened answers
	lied      bool // or is said to be a Home Assistant
	sixShown  bool // the phone's IPv6 is not the home's
}

// believes tells whether a phone can be believed that it reached a target from outside. IPv6 needs no forwarding at home, so
// it must be shown that the phone's own IPv6 is not the home's.
func (c phoneControls) believes(t phoneTry) bool { return t.family == health.IPv4 || c.sixShown }

func (l phoneLook) readControls() phoneControls {
	c := phoneControls{held: make(map[health.Family]bool), sixShown: l.endpoint.Is6()}
	var echoes []netip.Addr
	for i, t := range l.tries {
		switch t.sort {
		case phoneIsControl:
			c.tried = true
			said := l.echoes(i)
			echoes = append(echoes, said...)
			if len(said) == phoneRuns && t.covers(said) {
				c.held[familyOf(said[0])] = true
			}
		case phoneIsDecoy:
			for _, r := range l.of(i) {
				c.middlebox = c.middlebox || !r.Seen.nobody()
				c.lied = c.lied || greeted(r.Message) != ""
			}
		case phoneIsTarget:
		}
	}
	for _, e := range echoes {
		c.inside = c.inside || isOurs(e, l.facts)
		c.sixShown = c.sixShown || e.Is6()
		c.direct = c.direct || sameNetwork(l.endpoint, e)
	}
	stray := func(e netip.Addr) bool { return familyOf(e) == familyOf(l.endpoint) && !sameNetwork(l.endpoint, e) }
	c.direct = c.direct && !slices.ContainsFunc(echoes, stray)
	return c
}

// echoes are the addresses from which a control was asked, one for each run in which it answered as it should.
func (l phoneLook) echoes(i int) (out []netip.Addr) {
	for _, r := range l.of(i) {
		if from, err := readControl(l.nonce, r.Message); err == nil {
			out = append(out, from)
		}
	}
	return out
}

// covers tells whether a control that was asked from these addresses speaks for their family: both runs in the same one, and
// for IPv6 only where the control was asked by its IPv6 address, as the targets are, for browsers treat those apart.
func (t phoneTry) covers(from []netip.Addr) bool {
	for _, f := range from {
		if familyOf(f) != familyOf(from[0]) {
			return false
		}
	}
	literal, err := netip.ParseAddr(t.control.Host)
	return from[0].Is4() || err == nil && literal.Is6()
}

// isOurs tells whether an address is one of the home's own.
func isOurs(a netip.Addr, f health.Facts) bool {
	if a.Is4() {
		four := f.Public[health.IPv4]
		return four.Standing == health.Known && four.Address.Unmap() == a
	}
	return slices.ContainsFunc(ourSix(f), func(own netip.Addr) bool { return near(own, a, homePrefix) })
}
