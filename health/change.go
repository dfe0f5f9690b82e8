package health

import (
	"maps"
	"slices"
)

// What may change such that nothing counts that was seen before: the codes of Change.What, and of the argument "what" of Changed.
const (
	WhatAddress Code = "public_address" // the home's public address
	WhatPrefix  Code = "network_prefix" // this machine's IPv6 network
	WhatOwn     Code = "own_address"    // this machine's own address, and Home Assistant is on it
	WhatGateway Code = "gateway"        // another router, or the way to it
	WhatRestart Code = "router_restart" // the router started anew, or is another device
	WhatLink    Code = "link"           // the way out broke
	WhatHome    Code = "home_assistant" // its machine, address, port or certificate
	WhatHome6   Code = "home_ipv6"      // Home Assistant has an IPv6 address that nobody has looked at
	WhatWitness Code = "witness_key"    // a witness has another key
	WhatClock   Code = "clock"          // the clock was set
)

// whats are the words for them, to follow "Something changed since the last look:".
var whats = map[Code]string{
	WhatAddress: "the home's public address",
	WhatPrefix:  "the home's IPv6 network",
	WhatOwn:     "this machine's address",
	WhatGateway: "the router, or the way to it",
	WhatRestart: "the router started anew",
	WhatLink:    "the network was interrupted",
	WhatHome:    "Home Assistant's machine, address, port or certificate",
	WhatHome6:   "Home Assistant has another IPv6 address",
	WhatWitness: "a witness has another key",
	WhatClock:   "the clock was set",
}

// Whats are the codes of all that may change, in a fixed order.
func Whats() []Code { return slices.Sorted(maps.Keys(whats)) }

// What is what changed, in English; a code that has no words stands for itself.
func What(code Code) string {
	if text, ok := whats[code]; ok {
		return text
	}
	return string(code)
}
