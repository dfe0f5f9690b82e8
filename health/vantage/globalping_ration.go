package vantage

// These are what a run may cost. A test is one probe asked once; 250 an hour are free.
const (
	gpProbes   = 3  // fewer could all be wrong in the same way
	gpNetworks = 2  // that they must stand in, at least
	gpTests    = 12 // in one run, when nothing answers, besides the canary's
)

// gpDoor is a port that is to be looked at.
type gpDoor struct {
	port uint16
	pair bool // by both measurements even if the first finds nothing
	side bool // one of those at which Home Assistant may stand besides
}

// ration divides the tests: each port in each family is tried three times by each probe, and what is left goes to the second
// measurement, which tells refused from silent and tries once more, Home Assistant's own port first. In the usual case, with
// Home Assistant on 8123, all get both. The doors besides are tried by the first only, and not counted.
func ration(looks []*gpLook, ports, doors []uint16) {
	left := gpTests
	for range len(looks) * len(ports) {
		left -= gpProbes
	}
	for _, port := range ports {
		for _, l := range looks {
			d := gpDoor{port: port}
			if left >= gpProbes {
				d.pair = true
				left -= gpProbes
			}
			l.doors = append(l.doors, d)
		}
	}
	for _, l := range looks {
		for _, port := range doors {
			l.doors = append(l.doors, gpDoor{port: port, side: true})
		}
	}
}
