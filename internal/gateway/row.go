package gateway

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file reads rows of the table out of what the router answers.

// parseList reads a table that comes as text inside an answer (WANIPConnection:2, section 2.3.26).
func parseList(text []byte) (out []Mapping) {
	row := make(map[string]string)
	finish := func() {
		if m, ok := parseMapping(row); ok && len(out) < 2*maxEntries {
			out = append(out, m)
		}
		clear(row)
	}
	err := leaves(text, func(path []string, value string) {
		name := path[len(path)-1]
		if _, again := row[name]; again {
			finish()
		}
		row[name] = value
	})
	if err == nil {
		finish() // else the last row may be half of one
	}
	return out
}

// parseMapping reads a row. What the row leads to must be there; the rest may be missing.
func parseMapping(in map[string]string) (Mapping, bool) {
	get := func(name string) string { // in lists it is called the same without "External"
		if v, ok := in["New"+name]; ok {
			return v
		}
		return in[name]
	}
	m := Mapping{
		remote: clean(get("RemoteHost"), 64), Protocol: strings.ToUpper(clean(get("Protocol"), 8)), Remote: clean(get("RemoteHost"), 64),
		Client: clean(get("InternalClient"), 64), Description: clean(get("PortMappingDescription")+in["NewDescription"], 64),
	}
	var ok bool
	if m.External, m.Last, ok = portRange(get("ExternalPort")); !ok || m.Client == "" {
		return Mapping{}, false
	}
	if m.Port, _, ok = portRange(get("InternalPort")); !ok {
		return Mapping{}, false
	}
	if m.Protocol != "TCP" && m.Protocol != "UDP" {
		return Mapping{}, false
	}
	if m.Remote == "0.0.0.0" || m.Remote == "*" {
		m.Remote = ""
	}
	if a, err := netip.ParseAddr(m.Client); err == nil {
		m.Internal = a.Unmap().WithZone("")
	}
	m.Enabled, ok = flag(get("Enabled"))
	m.Enabled = m.Enabled || !ok // a row that does not say is one that holds
	lease := get("LeaseDuration") + get("LeaseTime")
	if s, err := strconv.ParseUint(lease, 10, 32); err == nil {
		m.Lease = time.Duration(s) * time.Second
	}
	return m, true
}

// portRange reads "8123", or "5058-5059" as a FRITZ!Box has it. Nothing is 0.
func portRange(text string) (first, last uint16, ok bool) {
	if text = strings.TrimSpace(text); text == "" {
		return 0, 0, true
	}
	a, b, isRange := strings.Cut(text, "-")
	from, err := strconv.ParseUint(strings.TrimSpace(a), 10, 16)
	if err != nil {
		return 0, 0, false
	}
	if !isRange {
		return uint16(from), uint16(from), true
	}
	to, err := strconv.ParseUint(strings.TrimSpace(b), 10, 16)
	return uint16(from), uint16(to), err == nil && to >= from
}

func flag(text string) (on, ok bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "1", "true", "yes":
		return true, true
	case "0", "false", "no":
		return false, true
	default:
		return false, false
	}
}

func decimal(port uint16) string { return strconv.Itoa(int(port)) }

// add takes a row that is not there yet. Two services may show one table.
func (p *Picture) add(m Mapping) {
	same := func(n Mapping) bool { return n.ID() == m.ID() }
	if i := slices.IndexFunc(p.Mappings, same); i >= 0 {
		p.Mappings[i].Enabled = p.Mappings[i].Enabled || m.Enabled
		return
	}
	if len(p.Mappings) < 2*maxEntries {
		p.Mappings = append(p.Mappings, m)
	}
}

// addExternal notes what the router says of its address outside. That it has none is worth as much: then it stands behind another.
func (p *Picture) addExternal(e External) {
	if e.Addr.IsUnspecified() {
		e.Addr = netip.Addr{}
	}
	if !slices.Contains(p.External, e) {
		p.External = append(p.External, e)
	}
}
