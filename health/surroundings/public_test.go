package surroundings

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func ip(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

func ips(all ...string) (out []netip.Addr) {
	for _, s := range all {
		out = append(out, ip(s))
	}
	return out
}

func at(address string, ago time.Duration) seen {
	return seen{Sighting: Sighting{"witness", ip(address), noon.Add(-ago)}}
}

func weak(address string, ago time.Duration) seen {
	s := at(address, ago)
	s.weak = true
	return s
}

func TestPublicIPv4(t *testing.T) {
	t.Parallel()
	const home, other, nat = "11.0.0.2", "11.0.0.3", "100.64.0.7"
	router := func(a string, outside ...seen) claims {
		return claims{router: ip(a), routerSaid: true, outside: outside}
	}
	for what, c := range map[string]struct {
		claims claims
		want   health.Standing
		shared bool
	}{
		"nobody says anything":                         {claims{}, health.Unknown, false},
		"a witness alone":                              {claims{outside: []seen{at(home, 0)}}, health.Known, false},
		"the router alone":                             {router(home), health.Known, false},
		"both agree":                                   {router(home, at(home, 0)), health.Known, false},
		"this machine has it":                          {claims{own: ips(home)}, health.Known, false},
		"this machine and a witness":                   {claims{own: ips(home), outside: []seen{at(home, 0)}}, health.Known, false},
		"a carrier's NAT":                              {router(nat, at(home, 0)), health.Known, true},
		"a carrier's NAT, nobody outside":              {router(nat), health.Unknown, true},
		"two routers":                                  {router("192.168.0.5", at(home, 0)), health.Known, true},
		"DS-Lite":                                      {router("192.0.0.2", at(home, 0)), health.Known, true},
		"a router without an address":                  {router("0.0.0.0", at(home, 0)), health.Known, true},
		"a router that names none":                     {router("", at(home, 0)), health.Known, true},
		"router and witness differ":                    {router(other, at(home, 0)), health.Ambiguous, true},
		"two outside differ":                           {claims{outside: []seen{at(home, 0), at(other, 0)}}, health.Ambiguous, false},
		"own and outside differ":                       {claims{own: ips(home), outside: []seen{at(other, 0)}}, health.Ambiguous, false},
		"two of its own":                               {claims{own: ips(home, other)}, health.Ambiguous, false},
		"one public server":                            {claims{outside: []seen{weak(home, 0)}}, health.Unknown, false},
		"a public server contradicts":                  {claims{outside: []seen{at(home, 0), weak(other, 0)}}, health.Ambiguous, false},
		"Home Assistant stands on the internet itself": {claims{own: ips(home), home: ip(other)}, health.Ambiguous, false},
		"Home Assistant on a private address":          {claims{own: ips(home), home: ip("192.168.1.5")}, health.Known, false},
		"no way out over IPv4":                         {claims{noWay: true}, health.Absent, false},
		"no way out, yet somebody saw it":              {claims{noWay: true, outside: []seen{weak(home, 0)}}, health.Unknown, false},
		"behind our own NAT with a public address on this machine": {claims{own: ips(home), router: ip("10.0.0.1"), routerSaid: true}, health.Known, false},
	} {
		got := public4(c.claims)
		if got.Standing != c.want || got.Shared != c.shared {
			t.Errorf("%s: %s, shared %v, want %s, %v (%v)", what, got.Standing, got.Shared, c.want, c.shared, got.Said)
		}
		if (got.Standing == health.Known) != (got.Address == ip(home)) {
			t.Errorf("%s: address %v", what, got.Address)
		}
		if sources := len(c.claims.own) + len(c.claims.outside); got.Standing == health.Ambiguous && len(got.Said) < 2 || len(got.Said) < sources {
			t.Errorf("%s: it does not say who says what: %v", what, got.Said)
		}
	}
}

func TestPublicIPv6(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		claims claims
		want   health.Standing
	}{
		"its own":                   {claims{own: ips("2a77::5", "2a77::6")}, health.Known},
		"seen with a temporary one": {claims{own: ips("2a77::5"), outside: []seen{at("2a77::abcd", 0)}}, health.Known},
		"seen with another network": {claims{own: ips("2a77::5"), outside: []seen{at("2a77:1::5", 0)}}, health.Ambiguous},
		"translated, it has none":   {claims{outside: []seen{at("2a77:1::5", 0)}}, health.Ambiguous},
		"none yet":                  {claims{}, health.Unknown},
		"none, and no way out":      {claims{noWay: true}, health.Absent},
	} {
		got := public6(c.claims)
		if got.Standing != c.want || (got.Standing == health.Known) != (got.Address == ip("2a77::5")) {
			t.Errorf("%s: %+v, want %s", what, got, c.want)
		}
	}
}

func TestWhichSightingsCount(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		all   []seen
		since time.Time
		want  string
	}{
		"fresh":                      {[]seen{at("11.0.0.2", time.Hour)}, time.Time{}, "[11.0.0.2]"},
		"a day and two hours":        {[]seen{at("11.0.0.2", 27*time.Hour)}, time.Time{}, "[]"},
		"from before a change":       {[]seen{at("11.0.0.2", time.Hour)}, noon.Add(-time.Minute), "[]"},
		"mapped":                     {[]seen{at("::ffff:11.0.0.2", 0)}, time.Time{}, "[11.0.0.2]"},
		"of the other family":        {[]seen{at("2a77::5", 0)}, time.Time{}, "[]"},
		"private: it stands inside":  {[]seen{at("192.168.1.5", 0)}, time.Time{}, "[]"},
		"no address":                 {[]seen{at("", 0)}, time.Time{}, "[]"},
		"followed by another":        {[]seen{at("11.0.0.2", time.Hour), at("11.0.0.3", 0)}, time.Time{}, "[11.0.0.3]"},
		"two at once":                {[]seen{at("11.0.0.2", time.Minute), at("11.0.0.3", 0)}, time.Time{}, "[11.0.0.2 11.0.0.3]"},
		"a public server is no heir": {[]seen{at("11.0.0.2", time.Hour), weak("11.0.0.3", 0)}, time.Time{}, "[11.0.0.2 11.0.0.3]"},
		"the same again":             {[]seen{at("11.0.0.2", time.Hour), at("11.0.0.2", 0)}, time.Time{}, "[11.0.0.2 11.0.0.2]"},
	} {
		got := []netip.Addr{}
		for _, s := range current(c.all, health.IPv4, noon, c.since) {
			got = append(got, s.Address)
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", what, got, c.want)
		}
	}
}
