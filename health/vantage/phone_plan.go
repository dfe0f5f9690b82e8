package vantage

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/hearthgate/hearthgate/health"
)

// A phoneSort is what a try is for.
type phoneSort int

const (
	phoneIsTarget  phoneSort = iota // at home
	phoneIsControl                  // at the witness, where somebody answers
	phoneIsDecoy                    // at the witness, where nobody does
)

type phoneTry struct {
	sort    phoneSort
	family  health.Family // of a target
	address netip.Addr    // of a target
	port    uint16        // of a target or a decoy
	control PhoneControl  // of a control or a decoy
}

// phoneDecoys are ports that no witness opens and every browser asks.
var phoneDecoys = []uint16{40321, 41873, 43117, 44789, 46351, 47713, 48947}

// phonePlan puts the controls and decoys among the targets, in an order that tells nobody what is what.
func phonePlan(targets []phoneTry, controls []PhoneControl) []phoneTry {
	plan := slices.Clone(targets[:min(len(targets), maxPhoneTries-2*maxPhoneControls)])
	for _, c := range controls[:min(len(controls), maxPhoneControls)] {
		decoy := phoneDecoys[rand.IntN(len(phoneDecoys))]
		plan = append(plan, phoneTry{sort: phoneIsControl, control: c}, phoneTry{sort: phoneIsDecoy, control: c, port: decoy})
	}
	rand.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	return plan
}

// maxPhoneControls is how many addresses of witnesses stand by: four witnesses with one of each family.
const maxPhoneControls = 8

// public is the try as the browser gets it. GET /manifest.json and the WebSocket's greeting are what Home Assistant gives to
// everybody and takes for no sign-in.
func (t phoneTry) public(nonce string) PhoneTry {
	switch t.sort {
	case phoneIsControl:
		at := net.JoinHostPort(t.control.Host, strconv.Itoa(int(t.control.Port)))
		return PhoneTry{HTTP: "http://" + at + "/control?n=" + nonce, WS: "ws://" + at + "/control/socket", Read: true}
	case phoneIsDecoy:
		return phoneAt(net.JoinHostPort(t.control.Host, strconv.Itoa(int(t.port))))
	default:
		return phoneAt(netip.AddrPortFrom(t.address, t.port).String())
	}
}

func phoneAt(at string) PhoneTry {
	return PhoneTry{HTTP: "http://" + at + "/manifest.json", WS: "ws://" + at + "/api/websocket"}
}

// phoneBadPorts are those that browsers refuse to ask (Fetch Standard, section 2.9 "Port blocking").
var phoneBadPorts = []uint16{
	1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117,
	119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
	989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
}
