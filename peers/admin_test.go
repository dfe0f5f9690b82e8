package peers

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/store"
)

// TestConfigNamesTheAdminPage: for whoever has it, and for nobody else.
func TestConfigNamesTheAdminPage(t *testing.T) {
	inHouse(t, func(h *house) {
		server := must(h.Server())
		if !server.Network4.Contains(server.Admin4) || server.Admin4.As4()[3] != 254 || !server.Network6.Contains(server.Admin6) {
			t.Errorf("the admin page is at %v and %v of %v and %v", server.Admin4, server.Admin6, server.Network4, server.Network6)
		}
		for name, tc := range map[string]struct {
			services []string
			want     []netip.Addr
		}{
			"Anna": {[]string{DefaultService}, []netip.Addr{server.Address4, server.Address6}},
			"Ben":  {[]string{DefaultService, AdminService}, []netip.Addr{server.Address4, server.Address6, server.Admin4, server.Admin6}},
			"Carl": {[]string{AdminService}, []netip.Addr{server.Address4, server.Address6, server.Admin4, server.Admin6}},
		} {
			c, err := h.addWith(name, tc.services...).Config(server, "home.example.org:51820")
			if err != nil || !slices.Equal(c.AllowedIPs, hosts(tc.want...)) {
				t.Errorf("%s's config has %v, %v; want %v", name, c.AllowedIPs, err, tc.want)
			}
			if again, err := ParseClientConfig(c.Text()); err != nil || again.Text() != c.Text() {
				t.Errorf("%s's config is read again as %v", name, err)
			}
			for _, a := range apps {
				if err := a.refuses(c.Text()); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// TestNeedsCodeForAdmin: the service alone is not enough, because the phone's config says what goes into the tunnel.
func TestNeedsCodeForAdmin(t *testing.T) {
	inHouse(t, func(h *house) {
		id := h.addWith("Anna", DefaultService).Peer.ID
		want := func(when string, needs bool) {
			t.Helper()
			if h.get(id).NeedsCodeForAdmin() != needs {
				t.Errorf("%s: needs a new code for the admin page is %t", when, !needs)
			}
		}
		set := func(services ...string) {
			t.Helper()
			if _, err := h.SetServices(id, services); err != nil {
				t.Fatal(err)
			}
		}
		want("without the service", false)
		set(DefaultService, AdminService)
		want("given later", true)
		h.restart()
		want("after a restart", true)
		h.rekey(id, false)
		want("with a new code", false)
		set(DefaultService)
		want("taken away", false)
		set(AdminService)
		want("given back", false)
		set()
		h.rekey(id, false)
		set(AdminService)
		want("rekeyed without it", true)
	})
}

// TestAdminAddressIsNobodys: whatever comes and goes.
func TestAdminAddressIsNobodys(t *testing.T) {
	inHouse(t, func(h *house) {
		h.smallNetwork(28)
		server := must(h.Server())
		if server.Admin4.String() != "10.200.16.14" {
			t.Fatalf("the admin page is at %v", server.Admin4)
		}
		for i := range 12 {
			e := h.add(fmt.Sprint("phone ", i))
			if e.Peer.Pair.IPv4 == server.Admin4 || e.Peer.Pair.IPv6 == server.Admin6 {
				t.Errorf("phone %d has the admin page's address", i)
			}
		}
		if e, err := h.Add(AddRequest{Name: "one more"}); err == nil {
			t.Errorf("one more phone has %v", e.Peer.Pair.IPv4)
		}
	})
}

// TestStateFromBeforeAdmin: a state in which the last address was given to a phone keeps working, the phone included.
func TestStateFromBeforeAdmin(t *testing.T) {
	inHouse(t, func(h *house) {
		h.smallNetwork(28)
		id := h.add("Anna").Peer.ID
		err := h.store.Update(func(tx *store.Tx) error {
			p, _, err := store.Get[peerRecord](tx, peerBucket, id)
			if err != nil {
				return err
			}
			p.Pair.Index = 14
			if err := putPeer(tx, id, p); err != nil {
				return err
			}
			return store.Delete(tx, changesBucket, countKey)
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			h.restart()
			server := must(h.Server())
			if anna := h.get(id).Pair.IPv4.String(); anna != "10.200.16.14" || server.Admin4.String() != "10.200.16.13" {
				t.Errorf("Anna is at %s, the admin page at %v", anna, server.Admin4)
			}
		}
		for i := range 11 {
			if e := h.add(fmt.Sprint("phone ", i)); e.Peer.Pair.IPv4.String() == "10.200.16.13" {
				t.Errorf("phone %d has the admin page's address", i)
			}
		}
	})
}

// TestEventsSayWhatAPageNeeds: in words of its own, whatever its language.
func TestEventsSayWhatAPageNeeds(t *testing.T) {
	inHouse(t, func(h *house) {
		e := h.addWith("Anna", DefaultService, AdminService)
		id := e.Peer.ID
		steps := []func() error{
			func() error { _, err := h.Rename(id, "Ben"); return err },
			func() error { _, err := h.SetDisabled(id, true); return err },
			func() error { _, err := h.SetDisabled(id, false); return err },
			func() error { _, err := h.SetExpiry(id, h.Now().AddDate(0, 0, 1)); return err },
			func() error { _, err := h.SetServices(id, []string{DefaultService}); return err },
			func() error { _, err := h.Rekey(id, nil, true); return err },
			func() error { _, err := h.Rekey(id, nil, false); return err },
			func() error { _, _, err := h.RekeyServer(); return err },
			func() error { return h.Remove(id) },
		}
		for _, step := range steps {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		events, err := h.journal.After(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		tomorrow := expiryText(h.Now().AddDate(0, 0, 1))
		want := []string{
			"peer.added Anna expires_at=never services=home-assistant admin",
			"peer.changed Ben change=name from=Anna to=Ben",
			"peer.changed Ben change=disabled from=false to=true",
			"peer.changed Ben change=disabled from=true to=false",
			"peer.changed Ben change=expires_at from=never to=" + tomorrow,
			"peer.changed Ben change=services from=home-assistant admin to=home-assistant",
			"peer.rekeyed Ben old_key_until=",
			"peer.rekeyed Ben old_key_until=" + tomorrow,
			"server.rekeyed peers=1",
			"peer.removed Ben",
		}
		var got []string
		for _, ev := range events {
			words := []string{string(ev.Type)}
			if ev.PeerName != "" {
				words = append(words, ev.PeerName)
			}
			for _, k := range []string{"change", "from", "to", "expires_at", "services", "old_key_until", "peers"} {
				if v, ok := ev.Data[k]; ok {
					words = append(words, k+"="+v)
				}
			}
			got = append(got, strings.Join(words, " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("the journal says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}
