package homeassistant

import (
	"fmt"
	"net/netip"
	"slices"
)

// The codes of warnings; contract.
const (
	TrustedNetworks = "trusted_networks"
	Banned          = "banned"
	NotOnboarded    = "not_onboarded"
)

// A Warning is something about Home Assistant that makes the tunnel unsafe or useless, and that the household can set
// right there. Text says what it is, why it matters and what to do.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// trustedNetworksWarning: all phones come to Home Assistant from this machine's address, so what it offers to us it
// offers to each of them.
func trustedNetworksWarning(from netip.Addr) Warning {
	return Warning{TrustedNetworks, fmt.Sprintf("Home Assistant lets %s sign in without a password (trusted_networks), "+
		"and so anybody who holds a phone that is in the tunnel. In Home Assistant's configuration.yaml, take that address "+
		"out of trusted_networks, and restart Home Assistant.", us(from))}
}

func bannedWarning(from netip.Addr) Warning {
	return Warning{Banned, fmt.Sprintf("Home Assistant has banned %s after failed sign-ins and refuses every phone that comes "+
		"through it. Find out who tried, then remove the address from ip_bans.yaml in Home Assistant's configuration folder, and "+
		"restart Home Assistant.", us(from))}
}

func notOnboardedWarning(t Target) Warning {
	return Warning{NotOnboarded, fmt.Sprintf("Home Assistant has no owner yet: whoever opens it first becomes the owner, and that "+
		"may be any phone in the tunnel. Open %s now and go through its first steps.", t.URL())}
}

func us(from netip.Addr) string {
	if !from.IsValid() {
		return "this machine"
	}
	return fmt.Sprintf("this machine (%s)", from)
}

// fresh are the warnings that were not there before.
func fresh(before, now []Warning) []Warning {
	var news []Warning
	for _, w := range now {
		if !slices.ContainsFunc(before, func(b Warning) bool { return b.Code == w.Code }) {
			news = append(news, w)
		}
	}
	return news
}
