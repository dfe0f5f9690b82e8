package gateway

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file reads the table of mappings (WANIPConnection:1, sections 2.4.15 and 2.4.16; WANIPConnection:2, section 2.5.21).

const (
	maxEntries = 512 // of one service: more than any router keeps, and less than a lie could be
	walkTime   = 20 * time.Second
	maxRepeats = 3 // a router that ignores the index says the same row for ever; a row that was added meanwhile shows one twice
)

// readTables reads every service's table, and what the connection and the firewall say of themselves.
func (g *Gateway) readTables(ctx context.Context, p *Picture) {
	ctx, cancel := context.WithTimeout(ctx, walkTime)
	defer cancel()
	p.Complete = true
	g.eachService(func(s service) {
		if !s.connection() {
			p.Firewall6 = g.firewall(ctx, s)
			return
		}
		p.Complete = g.readTable(ctx, s, p) && p.Complete
	})
	p.Complete = p.Complete && p.Table
}

// readTable tells whether it came to the table's end. A service that hangs is not asked again and again.
func (g *Gateway) readTable(ctx context.Context, s service, p *Picture) (whole bool) {
	// Rows move while one reads: miniupnpd puts a new one first. So the table is read twice.
	if !g.readExternal(ctx, s, p) || !g.walk(ctx, s, p) {
		return false
	}
	whole = g.walk(ctx, s, p)
	if whole && strings.HasSuffix(s.kind, ":2") {
		g.list(ctx, s, p) // it has differed from the walk (miniupnp issue 462)
	}
	return whole
}

// readEntries asks each service for single rows. It tells whether every service could be reached.
func (g *Gateway) readEntries(ctx context.Context, p *Picture, ports []uint16) (reached bool) {
	reached = len(g.devices) > 0
	g.eachService(func(s service) {
		if !s.connection() {
			return
		}
		reached = g.readExternal(ctx, s, p) && reached
		for _, port := range ports {
			if !reached {
				return
			}
			m, err := g.entry(ctx, s, Mapping{Protocol: "TCP", External: port})
			if err == nil {
				p.add(m)
			}
			reached = err == nil || codeOf(err) >= 0
		}
	})
	return reached
}

func (g *Gateway) eachService(do func(service)) {
	for _, d := range g.devices {
		for _, s := range d.services {
			do(s)
		}
	}
}

// readExternal notes the address outside. It tells whether the service answered, be it with a no.
func (g *Gateway) readExternal(ctx context.Context, s service, p *Picture) (reached bool) {
	out, err := g.call(ctx, s, "GetExternalIPAddress")
	if err != nil && codeOf(err) < 0 {
		return false
	}
	p.Table = true
	if !slices.Contains(p.Speaks, UPnP) {
		p.Speaks = append(p.Speaks, UPnP)
	}
	if err == nil {
		a, _ := netip.ParseAddr(out["NewExternalIPAddress"]) // what is no address says that it has none
		p.addExternal(External{UPnP, a.Unmap()})
	}
	return true
}

func (g *Gateway) firewall(ctx context.Context, s service) Firewall {
	out, err := g.call(ctx, s, "GetFirewallStatus")
	if err != nil {
		return FirewallUnknown
	}
	switch on, ok := flag(out["FirewallEnabled"]); {
	case !ok:
		return FirewallUnknown
	case on:
		return FirewallOn
	default:
		return FirewallOff
	}
}

// entry asks for the row with m's protocol, port and remote host. A router that has none says so by [ErrRefused].
func (g *Gateway) entry(ctx context.Context, s service, m Mapping) (Mapping, error) {
	out, err := g.call(ctx, s, "GetSpecificPortMappingEntry",
		argument{"NewRemoteHost", m.Remote}, argument{"NewExternalPort", decimal(m.External)}, argument{"NewProtocol", m.Protocol})
	if err != nil {
		return Mapping{}, err
	}
	// The answer has what was not asked.
	out["NewRemoteHost"], out["NewExternalPort"], out["NewProtocol"] = m.Remote, decimal(m.External), m.Protocol
	got, ok := parseMapping(out)
	if !ok {
		return Mapping{}, &fault{code: faultNoEntry, text: "of a row that makes no sense"}
	}
	got.Service = s.kind
	return got, nil
}

// walk asks for row after row until there are no more. It tells whether it came to the end.
func (g *Gateway) walk(ctx context.Context, s service, p *Picture) (whole bool) {
	seen := make(map[string]bool)
	for i, repeats := 0, 0; i < maxEntries; i++ {
		out, err := g.call(ctx, s, "GetGenericPortMappingEntry", argument{"NewPortMappingIndex", strconv.Itoa(i)})
		if err != nil {
			return atEnd(err)
		}
		m, ok := parseMapping(out)
		if !ok {
			continue
		}
		m.Service = s.kind
		if seen[m.ID()] {
			if repeats++; repeats == maxRepeats {
				return true
			}
		}
		seen[m.ID()] = true
		p.add(m)
	}
	return false
}

// atEnd tells whether a no means that there are no more rows: 713 should, and these others do.
func atEnd(err error) bool {
	return slices.Contains([]int{0, faultArguments, faultAction, 600, faultUnauthorised, faultNoIndex, faultNoEntry}, codeOf(err))
}

// list asks for the whole table at once.
func (g *Gateway) list(ctx context.Context, s service, p *Picture) {
	for _, protocol := range []string{"TCP", "UDP"} {
		out, err := g.call(ctx, s, "GetListOfPortMappings", argument{"NewStartPort", "1"}, argument{"NewEndPort", "65535"},
			argument{"NewProtocol", protocol}, argument{"NewManage", "1"}, argument{"NewNumberOfPorts", "0"})
		if err != nil {
			continue // 730: there are none; 606: others' are not shown
		}
		for _, m := range parseList([]byte(out["NewPortListing"])) {
			m.Service = s.kind
			p.add(m)
		}
	}
}
