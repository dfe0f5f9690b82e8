package tunnel

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/peers"
)

func newSecret(t testing.TB) key.Secret {
	t.Helper()
	s, err := key.NewPrivate()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newAccess(t testing.TB, n byte) peers.Access {
	t.Helper()
	pub, err := newSecret(t).Public()
	if err != nil {
		t.Fatal(err)
	}
	return peers.Access{
		PeerID: string('a' + rune(n)), Name: "phone " + string('a'+rune(n)),
		Pair: peers.Pair{
			PublicKey: pub, PresharedKey: newSecret(t),
			IPv4: netip.AddrFrom4([4]byte{10, 77, 0, n + 2}), IPv6: netip.AddrFrom16([16]byte{0: 0xfd, 15: n + 2}),
		},
	}
}

// applied is what the device would be after cfg.
func applied(have *wgtypes.Device, cfg wgtypes.Config) *wgtypes.Device {
	out := &wgtypes.Device{PrivateKey: have.PrivateKey}
	if cfg.PrivateKey != nil {
		out.PrivateKey = *cfg.PrivateKey
	}
	byKey := make(map[wgtypes.Key]wgtypes.Peer)
	for _, p := range have.Peers {
		byKey[p.PublicKey] = p
	}
	for _, c := range cfg.Peers {
		if c.Remove {
			delete(byKey, c.PublicKey)
			continue
		}
		p := byKey[c.PublicKey]
		p.PublicKey, p.PresharedKey, p.AllowedIPs = c.PublicKey, *c.PresharedKey, c.AllowedIPs
		byKey[c.PublicKey] = p
	}
	for _, p := range byKey {
		out.Peers = append(out.Peers, p)
	}
	return out
}

func TestReconcileReachesWhatIsWantedAndThenRests(t *testing.T) {
	server := newSecret(t)
	all := make([]peers.Access, 20)
	for i := range all {
		all[i] = newAccess(t, byte(i))
	}
	device := &wgtypes.Device{}
	for range 200 {
		var want []peers.Access
		for _, a := range all {
			if rand.IntN(2) == 0 {
				want = append(want, a)
			}
		}
		cfg, differs := reconcile(device, desired{server, want})
		before := device
		device = applied(device, cfg)
		if len(device.Peers) != len(want) || device.PrivateKey != deviceKey(server) {
			t.Fatalf("after reconciling: %d peers, want %d", len(device.Peers), len(want))
		}
		if !differs && len(before.Peers) != len(want) {
			t.Fatal("reconcile said that nothing differs")
		}
		if again, differs := reconcile(device, desired{server, want}); differs {
			t.Fatalf("applied twice, reconcile still wants to change %+v", again)
		}
	}
}

func TestReconcileLeavesTheOthersAlone(t *testing.T) {
	server := newSecret(t)
	anna, ben := newAccess(t, 0), newAccess(t, 1)
	first, _ := reconcile(&wgtypes.Device{}, desired{server, []peers.Access{anna}})
	device := applied(&wgtypes.Device{}, first)
	cfg, _ := reconcile(device, desired{server, []peers.Access{anna, ben}})
	if cfg.ReplacePeers || cfg.PrivateKey != nil || len(cfg.Peers) != 1 || cfg.Peers[0].PublicKey != wgtypes.Key(ben.Pair.PublicKey) {
		t.Errorf("adding Ben touches more than Ben: %+v", cfg)
	}
	cfg, _ = reconcile(applied(device, cfg), desired{server, []peers.Access{ben}})
	if len(cfg.Peers) != 1 || !cfg.Peers[0].Remove || cfg.Peers[0].PublicKey != wgtypes.Key(anna.Pair.PublicKey) {
		t.Errorf("removing Anna touches more than Anna: %+v", cfg)
	}
}

func TestReconcileRemovesBeforeItGivesAnAddressAway(t *testing.T) {
	server := newSecret(t)
	old, successor := newAccess(t, 0), newAccess(t, 1)
	successor.Pair.IPv4, successor.Pair.IPv6 = old.Pair.IPv4, old.Pair.IPv6
	first, _ := reconcile(&wgtypes.Device{}, desired{server, []peers.Access{old}})
	cfg, _ := reconcile(applied(&wgtypes.Device{}, first), desired{server, []peers.Access{successor}})
	if len(cfg.Peers) != 2 || !cfg.Peers[0].Remove {
		t.Errorf("the old key must go first: %+v", cfg.Peers)
	}
}

func TestReconcileMendsWhatSomebodyChanged(t *testing.T) {
	server := newSecret(t)
	anna := newAccess(t, 0)
	first, _ := reconcile(&wgtypes.Device{}, desired{server, []peers.Access{anna}})
	device := applied(&wgtypes.Device{}, first)
	device.Peers[0].AllowedIPs = append(device.Peers[0].AllowedIPs, hostNet(netip.MustParseAddr("10.77.0.99")))
	cfg, differs := reconcile(device, desired{server, []peers.Access{anna}})
	if !differs || !cfg.Peers[0].UpdateOnly || !cfg.Peers[0].ReplaceAllowedIPs || len(cfg.Peers[0].AllowedIPs) != 2 {
		t.Errorf("an allowed IP that was added by hand stays: %+v", cfg)
	}
	device = applied(device, cfg)
	device.Peers[0].PresharedKey = wgtypes.Key{}
	if _, differs := reconcile(device, desired{server, []peers.Access{anna}}); !differs {
		t.Error("a preshared key that was taken away stays away")
	}
}
