package peers

import (
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"net/netip"
)

// chooseNetworks picks the tunnel's /20 and /64 at random, so that two homes of
// one phone seldom have the same. A phone's network may be anything, a café's or
// an employer's, so that besides what this host has (taken) we stay off the
// ranges that people and products commonly pick.
func chooseNetworks(taken []netip.Prefix) (v4, v6 netip.Prefix, err error) {
	if v4, err = chooseNetwork4(taken); err != nil {
		return netip.Prefix{}, netip.Prefix{}, err
	}
	v6, err = chooseNetwork6(taken)
	return v4, v6, err
}

// chooseNetwork4 takes a common range only where no other is free.
func chooseNetwork4(taken []netip.Prefix) (netip.Prefix, error) {
	for _, uncommon := range []bool{true, false} {
		var free []netip.Prefix
		for second := range 256 {
			if uncommon && isCommon(second) {
				continue
			}
			for third := 0; third < 256; third += 16 {
				network := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(second), byte(third), 0}), 20)
				if !overlaps(network, taken) {
					free = append(free, network)
				}
			}
		}
		if len(free) > 0 {
			return free[mathrand.IntN(len(free))], nil
		}
	}
	return netip.Prefix{}, errors.New("choosing a tunnel network: this host's networks leave no free /20 in 10.0.0.0/8")
}

// chooseNetwork6 makes a unique local prefix with a random global ID (RFC 4193,
// section 3.2). Its subnet ID is 0, which keeps the phone's config short.
func chooseNetwork6(taken []netip.Prefix) (netip.Prefix, error) {
	for range 1000 { // one in 2^40 collides by chance; what fails so often covers all
		var addr [16]byte
		addr[0] = 0xfd
		rand.Read(addr[1:6]) // never fails (crypto/rand)
		network := netip.PrefixFrom(netip.AddrFrom16(addr), 64)
		if !overlaps(network, taken) {
			return network, nil
		}
	}
	return netip.Prefix{}, errors.New("choosing a tunnel network: this host's networks leave no free /64 in fd00::/8")
}

// overlaps holds when a network of ours would meet one that is taken. What covers
// all that we could choose from, such as a default route or a company's route to
// 10.0.0.0/8, does not count: it cannot be avoided, and ours is the more specific.
func overlaps(network netip.Prefix, taken []netip.Prefix) bool {
	for _, t := range taken {
		if t.IsValid() && t.Bits() > 8 && network.Overlaps(t) {
			return true
		}
	}
	return false
}

// isCommon holds for a second octet of 10/8 that others often use.
func isCommon(second int) bool {
	// Home routers, offices and campus networks number from the bottom: 10.0.0.0/24
	// and 10.0.1.0/24 are makers' defaults, 10.8.0.0/24 is OpenVPN's example, 10.6 to
	// 10.13 are WireGuard installers', 10.42 and 10.43 are k3s's and NetworkManager's.
	if second < 64 {
		return true
	}
	for _, c := range common {
		if c.first <= second && second <= c.last {
			return true
		}
	}
	return false
}

var common = []struct {
	first, last int
	who         string
}{
	{66, 66, "10.66.66.0/24, a WireGuard install script's default"},
	{77, 77, "10.77.0.0, in many tutorials"},
	{88, 89, "Podman's default networks"},
	{96, 111, "10.96.0.0/12, kubeadm's services; 10.100 and 10.110, offices"},
	{128, 128, "10.128.0.0/20, Google Cloud's first subnet"},
	{152, 152, "MicroK8s's services"},
	{200, 200, "offices"},
	{244, 245, "Flannel's pods"},
	{254, 255, "offices, for management networks"},
}
