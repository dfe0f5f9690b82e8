package homeassistant

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// missing lists what is still to be asked of those who announced a Home Assistant: a responder should send everything
// along with the first answer (RFC 6763, section 12), and need not.
func (h *heard) missing() []dnsmessage.Question {
	var questions []dnsmessage.Question
	ask := func(name string, kinds ...dnsmessage.Type) {
		for _, kind := range kinds {
			if q, ok := question(name, kind); ok {
				questions = append(questions, q)
			}
		}
	}
	for _, instance := range slices.Sorted(maps.Keys(h.labels)) {
		at, ok := h.srv[instance]
		switch {
		case !ok:
			ask(instance, dnsmessage.TypeSRV, dnsmessage.TypeTXT)
		case len(h.addrs[at.host]) == 0:
			ask(at.host, dnsmessage.TypeA, dnsmessage.TypeAAAA)
		}
	}
	return questions
}

// announcements puts together what one sender said. Records of different senders are never mixed, so that nobody can
// add an address of their own to somebody else's announcement.
func (h *heard) announcements(source netip.Addr) []Announcement {
	var all []Announcement
	for _, instance := range slices.Sorted(maps.Keys(h.labels)) {
		at, ok := h.srv[instance]
		if !ok || len(h.addrs[at.host]) == 0 {
			continue
		}
		a := Announcement{
			Source: source,
			Name:   clean(h.labels[instance]),
			Host:   clean(strings.TrimSuffix(at.host, ".")),
			Port:   at.port,
			Addrs:  slices.Clone(h.addrs[at.host]),
		}
		a.properties(h.txt[instance])
		all = append(all, a)
	}
	return all
}

// properties reads the TXT record: KEY=VALUE, the case of the key does not matter, the first of two counts (RFC 6763,
// section 6.4).
func (a *Announcement) properties(texts []string) {
	seen := map[string]string{}
	for _, text := range texts {
		key, value, _ := strings.Cut(text, "=")
		if _, ok := seen[strings.ToLower(key)]; !ok {
			seen[strings.ToLower(key)] = value
		}
	}
	if uuid := strings.ToLower(seen["uuid"]); isUUID(uuid) {
		a.UUID = uuid
	}
	if isVersion(seen["version"]) {
		a.Version = seen["version"]
	}
	if name := clean(seen["location_name"]); name != "" {
		a.Name = name
	}
	// The landing page says so in words, and by a version that no Home Assistant ever had.
	a.Installing = strings.EqualFold(seen["landingpage"], "true") || seen["version"] == "0000.0.0"
}
