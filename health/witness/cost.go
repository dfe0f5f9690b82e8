package witness

import "github.com/hearthgate/hearthgate/internal/homeassistant"

// What a question must bring along so that all of the look can be paid. Too little is no error: what cannot be paid is left
// out, and fingerprints come last.
const (
	showCost      = homeassistant.FingerprintSends + 3*openCost
	paidShows     = 12  // more listeners than that are not looked at closely in one question
	resultBytes   = 220 // of the answer
	shownBytes    = 400
	fixedBytes    = 2048 // the rest of the answer, datagrams, the connection itself
	hopsPerPort   = 4
	farthest      = 20 // routers on the way that are looked for
	triesExpected = 3
)

// cost is how long a question must be.
func (q Question) cost() int {
	ports, shows := make(map[uint16]bool), 0
	for _, t := range q.Targets {
		for _, port := range t.Ports {
			ports[port] = true
			shows++
			if byName(port) {
				shows += len(q.Names)
			}
		}
	}
	shows = min(shows, paidShows)
	probes := (q.pairs() + 2) * triesExpected * attemptCost
	hops := (farthest + len(ports)*hopsPerPort) * hopCost
	total := probes + hops + shows*(showCost+shownBytes) + q.answerCost() + 6*datagramCost
	return total + total/16 // the acknowledgements that all this makes the witness send
}

// answerCost is what the answer costs without what the listeners show of themselves.
func (q Question) answerCost() int { return sending((q.pairs()+2)*resultBytes + fixedBytes) }

func (q Question) pairs() (n int) {
	for _, t := range q.Targets {
		n += len(t.Ports)
	}
	return n
}
