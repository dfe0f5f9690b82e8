package witness

import (
	"math/rand/v2"
	"slices"

	"github.com/hearthgate/hearthgate/health"
)

// homePorts are those of Home Assistant and of what stands in front of it. With health.Weekly they are the fixed list of
// facts/exposure.md G, and 51821, our own page.
var homePorts = []uint16{80, 443, 8443, 8123, 51821}

// allowed tells whether a witness looks at a port, or would with also.
func allowed(port uint16, also []uint16) bool {
	return slices.Contains(homePorts, port) || health.Betrays(port) != "" || slices.Contains(also, port)
}

// byName are the ports behind which a server tells its guests apart by name.
func byName(port uint16) bool { return port == 80 || port == 443 || port == 8443 }

func randomHigh() uint16 {
	return lowestPrivate + uint16(rand.N(1<<16-lowestPrivate))
}
