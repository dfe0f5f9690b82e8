package surroundings

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
)

// whole is a snapshot in which everything is known.
func whole() Snapshot {
	return Snapshot{
		At: noon, Public: ip("11.0.0.2"), Prefixes: []netip.Prefix{netip.MustParsePrefix("2a77::/64")},
		Own:      ips("192.168.1.2", "2a77::2"),
		Gateways: [2]Way{{"lan", ip("192.168.1.1"), "02:00:00:00:00:01"}, {"lan", ip("fe80::1"), "02:00:00:00:00:01"}},
		UDN:      "uuid:1", BootID: "5", Epoch: gateway.Epoch{By: gateway.PCP, Seconds: 1000, At: noon},
		Home: HomeMark{
			Address: ip("192.168.1.5"), Port: 8123, MACs: []string{"02:00:00:00:00:05"}, Shown: true, TLS: "aa",
			Global6: map[string]time.Time{"2a77::5": noon},
		},
		Witnesses: map[string]string{"server": "k1"},
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	both := func(c health.Code) map[health.Family]health.Code {
		return map[health.Family]health.Code{health.IPv4: c, health.IPv6: c}
	}
	four := func(c health.Code) map[health.Family]health.Code {
		return map[health.Family]health.Code{health.IPv4: c}
	}
	six := func(c health.Code) map[health.Family]health.Code {
		return map[health.Family]health.Code{health.IPv6: c}
	}
	later := noon.Add(time.Hour)
	for what, c := range map[string]struct {
		change func(*Snapshot)
		want   map[health.Family]health.Code
	}{
		"nothing":                       {func(*Snapshot) {}, nil},
		"the public address":            {func(s *Snapshot) { s.Public = ip("11.0.0.3") }, four(health.WhatAddress)},
		"it is not known":               {func(s *Snapshot) { s.Public = netip.Addr{} }, nil},
		"the IPv6 network":              {func(s *Snapshot) { s.Prefixes = []netip.Prefix{netip.MustParsePrefix("2a77:1::/64")} }, six(health.WhatPrefix)},
		"a second IPv6 network":         {func(s *Snapshot) { s.Prefixes = append(s.Prefixes, netip.MustParsePrefix("2a77:1::/64")) }, six(health.WhatPrefix)},
		"no IPv6 network":               {func(s *Snapshot) { s.Prefixes = nil }, nil},
		"the gateway's address":         {func(s *Snapshot) { s.Gateways[0].Gateway = ip("192.168.1.254") }, both(health.WhatGateway)},
		"the gateway's machine":         {func(s *Snapshot) { s.Gateways[0].MAC = "02:00:00:00:00:02" }, both(health.WhatGateway)},
		"the IPv6 gateway's machine":    {func(s *Snapshot) { s.Gateways[1].MAC = "02:00:00:00:00:02" }, six(health.WhatGateway)},
		"another link":                  {func(s *Snapshot) { s.Gateways[0].Link = "wlan" }, both(health.WhatGateway)},
		"the gateway is not known":      {func(s *Snapshot) { s.Gateways = [2]Way{} }, nil},
		"the cable":                     {func(s *Snapshot) { s.Down, s.Gateways = true, [2]Way{} }, both(health.WhatLink)},
		"another router":                {func(s *Snapshot) { s.UDN = "uuid:2" }, both(health.WhatRestart)},
		"the router started anew":       {func(s *Snapshot) { s.BootID = "6" }, both(health.WhatRestart)},
		"its time went back":            {func(s *Snapshot) { s.Epoch = gateway.Epoch{By: gateway.PCP, Seconds: 10, At: later} }, both(health.WhatRestart)},
		"its time went on":              {func(s *Snapshot) { s.Epoch = gateway.Epoch{By: gateway.PCP, Seconds: 4600, At: later} }, nil},
		"it did not answer":             {func(s *Snapshot) { s.UDN, s.BootID, s.Epoch = "", "", gateway.Epoch{} }, nil},
		"Home Assistant's address":      {func(s *Snapshot) { s.Home.Address = ip("192.168.1.6") }, both(health.WhatHome)},
		"Home Assistant's port":         {func(s *Snapshot) { s.Home.Port = 80 }, both(health.WhatHome)},
		"Home Assistant's machine":      {func(s *Snapshot) { s.Home.MACs = []string{"02:00:00:00:00:06"} }, both(health.WhatHome)},
		"Home Assistant's certificate":  {func(s *Snapshot) { s.Home.TLS = "bb" }, both(health.WhatHome)},
		"Home Assistant without TLS":    {func(s *Snapshot) { s.Home.TLS = "" }, both(health.WhatHome)},
		"Home Assistant did not answer": {func(s *Snapshot) { s.Home.Shown, s.Home.TLS = false, "" }, nil},
		"Home Assistant is nowhere":     {func(s *Snapshot) { s.Home = HomeMark{} }, nil},
		"another IPv6 address":          {func(s *Snapshot) { s.Home.Global6 = map[string]time.Time{"2a77::6": later} }, six(health.WhatHome6)},
		"one IPv6 address less":         {func(s *Snapshot) { s.Home.Global6 = nil }, nil},
		"this machine's IPv4 address":   {func(s *Snapshot) { s.Own = ips("192.168.1.3", "2a77::2") }, four(health.WhatOwn)},
		"this machine's IPv6 address":   {func(s *Snapshot) { s.Own = ips("192.168.1.2", "2a77::3") }, six(health.WhatOwn)},
		"this machine's address, gone":  {func(s *Snapshot) { s.Own = ips("192.168.1.2") }, nil},
		"a witness's key":               {func(s *Snapshot) { s.Witnesses = map[string]string{"server": "k2"} }, both(health.WhatWitness)},
		"one witness more":              {func(s *Snapshot) { s.Witnesses = map[string]string{"server": "k1", "friend": "k2"} }, nil},
		"no witness":                    {func(s *Snapshot) { s.Witnesses = map[string]string{} }, nil},
	} {
		is := whole()
		is.At = later
		c.change(&is)
		if got := changes(whole(), is); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
		// What is told once is not told again, and what was not known in between is no change when it is back.
		if got := changes(is.over(whole()), is); len(got) != 0 {
			t.Errorf("%s: told again: %v", what, got)
		}
		if back := whole(); len(c.want) == 0 {
			back.At = later.Add(time.Hour)
			back.Epoch = gateway.Epoch{By: gateway.PCP, Seconds: 1000 + 7200, At: back.At}
			if got := changes(is.over(whole()), back); len(got) != 0 {
				t.Errorf("%s, and back again: %v", what, got)
			}
		}
		if got := changes(Snapshot{}, is); is.Down == (len(got) == 0) {
			t.Errorf("%s, seen for the first time: %v", what, got)
		}
	}
}

func TestASnapshotIsKeptWhole(t *testing.T) {
	t.Parallel()
	for _, was := range []Snapshot{whole(), {}} {
		text, err := json.Marshal(was)
		if err != nil {
			t.Fatal(err)
		}
		var is Snapshot
		if err := json.Unmarshal(text, &is); err != nil || !reflect.DeepEqual(was, is) {
			t.Errorf("%s: %+v, %v", text, is, err)
		}
	}
}

// The neighbour table forgets addresses that are still in use.
func TestAnAddressThatComesBackIsNotNew(t *testing.T) {
	t.Parallel()
	was := whole()
	gone := whole()
	gone.At, gone.Home.Global6 = noon.Add(24*time.Hour), map[string]time.Time{}
	gone = gone.over(was)
	back := whole()
	back.At = noon.Add(48 * time.Hour)
	if got := changes(gone, back); len(got) != 0 {
		t.Errorf("after two days: %v", got)
	}
	other := whole()
	other.At, other.Home.Global6 = noon.Add(8*24*time.Hour), map[string]time.Time{"2a77::6": noon.Add(8 * 24 * time.Hour)}
	if got := other.over(was).Home.Global6; fmt.Sprint(got) != fmt.Sprint(other.Home.Global6) {
		t.Errorf("after eight days there still is %v", got)
	}
}

func TestAMachineWithTwoMACs(t *testing.T) {
	t.Parallel()
	other := whole()
	other.Home.MACs = []string{"02:00:00:00:00:06"}
	if both := other.over(whole()); len(both.Home.MACs) != 2 || len(changes(both, whole())) != 0 || len(changes(both, other)) != 0 {
		t.Errorf("of both MACs, %v is known", both.Home.MACs)
	}
}

// A witness of the same name is another one when it has another key, also when there was none in between.
func TestAWitnessThatComesBackWithAnotherKey(t *testing.T) {
	t.Parallel()
	none, other := whole(), whole()
	none.Witnesses, other.Witnesses = map[string]string{}, map[string]string{"server": "k2"}
	if got := changes(none.over(whole()), other); got[health.IPv4] != health.WhatWitness {
		t.Errorf("changed: %v", got)
	}
	if got := changes(none.over(whole()), whole()); len(got) != 0 {
		t.Errorf("with the same key: %v", got)
	}
}
