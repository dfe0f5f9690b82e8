package vantage

import (
	"cmp"
	"crypto/subtle"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// PhoneTask is what a browser is to try, each in every run.
type PhoneTask struct {
	Nonce string
	Runs  int
	Tries []PhoneTry // in an order that tells nobody what is what
	// Controlled tells that a witness stands by: without one, finding nothing proves nothing.
	Controlled bool
}

// PhoneTry is one thing to try: to fetch a page and, where something answers, to read the first message of a WebSocket.
// Where Read is set, the page's text is the message.
type PhoneTry struct {
	HTTP, WS string // URLs
	Read     bool
}

// PhoneOutcome is what came of a look, in one word for each sentence that a page can say.
type PhoneOutcome string

// The outcomes.
const (
	PhoneExposed    PhoneOutcome = "exposed"    // our Home Assistant was reached
	PhoneAnswers    PhoneOutcome = "answers"    // something else was
	PhoneNothing    PhoneOutcome = "nothing"    // nobody was, and it counts
	PhoneUnproven   PhoneOutcome = "unproven"   // nobody was; without a witness that proves nothing
	PhoneBlind      PhoneOutcome = "blind"      // nobody was; Home Assistant speaks TLS, which a browser cannot ask an address for
	PhoneRelayed    PhoneOutcome = "relayed"    // nobody was; the browser's traffic takes another way than the tunnel's
	PhoneBlocked    PhoneOutcome = "blocked"    // nobody was; the phone's network stopped the control too
	PhoneMiddlebox  PhoneOutcome = "middlebox"  // what nobody has opened answers, too
	PhoneDoubted    PhoneOutcome = "doubted"    // the report does not hold together
	PhoneNotAway    PhoneOutcome = "not_away"   // the phone is at home, or all its traffic takes the tunnel
	PhoneMoved      PhoneOutcome = "moved"      // it went from one network to another meanwhile
	PhoneChanged    PhoneOutcome = "changed"    // the home's address changed meanwhile
	PhoneNoTarget   PhoneOutcome = "no_target"  // the home's public address is not known
	PhoneHomeDown   PhoneOutcome = "home_down"  // Home Assistant does not answer at home
	PhoneTooSoon    PhoneOutcome = "too_soon"   // it looked within the last hour
	PhoneTooLate    PhoneOutcome = "too_late"   // nobody waits for this report, or not any more
	PhoneUnreadable PhoneOutcome = "unreadable" // it is no report
	PhoneNotSetUp   PhoneOutcome = "not_set_up" // the daemon has no health loop
)

// PhoneOutcomes are all there are.
func PhoneOutcomes() []PhoneOutcome {
	return []PhoneOutcome{
		PhoneExposed, PhoneAnswers, PhoneNothing, PhoneUnproven, PhoneBlind, PhoneRelayed, PhoneBlocked, PhoneMiddlebox, PhoneDoubted,
		PhoneNotAway, PhoneMoved, PhoneChanged, PhoneNoTarget, PhoneHomeDown, PhoneTooSoon, PhoneTooLate, PhoneUnreadable, PhoneNotSetUp,
	}
}

// PhoneRefusal is why there is nothing to try.
type PhoneRefusal PhoneOutcome

func (r PhoneRefusal) Error() string { return "nothing to try from the phone: " + string(r) }

// phoneTask is a PhoneTask and what only we know of it.
type phoneTask struct {
	peer, nonce, round string
	began              time.Time
	endpoint           netip.Addr // the phone's, outside
	home               homeassistant.Fingerprint
	tries              []phoneTry
}

// phoneRuns is how often everything is tried: what is seen once only does not count as nothing.
const phoneRuns = 2

func (t phoneTask) public() PhoneTask {
	out := PhoneTask{Nonce: t.nonce, Runs: phoneRuns}
	for _, one := range t.tries {
		out.Tries = append(out.Tries, one.public(t.nonce))
		out.Controlled = out.Controlled || one.sort == phoneIsControl
	}
	return out
}

// keep remembers a task in place of the peer's last one.
func (p *Phone) keep(t phoneTask) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.tasks, func(_ string, old phoneTask) bool { return t.began.Sub(old.began) > phoneTaskLife })
	if len(p.tasks) >= maxPhoneTasks {
		oldest := slices.MinFunc(slices.Collect(maps.Values(p.tasks)), func(a, b phoneTask) int { return a.began.Compare(b.began) })
		delete(p.tasks, oldest.peer)
	}
	p.tasks[t.peer] = t
}

// take gives a peer's task away, once.
func (p *Phone) take(peerID, nonce string) (phoneTask, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.tasks[peerID]
	if !ok || subtle.ConstantTimeCompare([]byte(t.nonce), []byte(nonce)) != 1 {
		return phoneTask{}, false
	}
	now := p.cfg.Now()
	delete(p.tasks, peerID)
	maps.DeleteFunc(p.looked, func(_ string, pace phonePace) bool { return now.Sub(pace.last) > phoneUnasked })
	p.looked[peerID] = p.looked[peerID].next(now)
	return t, now.Sub(t.began) <= phoneTaskLife
}

// phonePace is how often a peer has reported.
type phonePace struct {
	last  time.Time
	since time.Time // when the hour began in which count was counted
	count int
}

func (a phonePace) next(now time.Time) phonePace {
	if now.Sub(a.since) >= phoneUnasked {
		a.since, a.count = now, 0
	}
	return phonePace{last: now, since: a.since, count: a.count + 1}
}

// due tells whether a run may begin. One that nobody asked for waits until none goes on and the last report is an hour old.
func (p *Phone) due(peerID string, now time.Time, asked bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	pace, reported := p.looked[peerID]
	if asked {
		return pace.count < maxPhoneAsked || now.Sub(pace.since) >= phoneUnasked
	}
	t, begun := p.tasks[peerID]
	goesOn := begun && now.Sub(t.began) <= phoneTaskLife
	return !goesOn && (!reported || now.Sub(pace.last) >= phoneUnasked)
}

// phoneTargets are the addresses and ports to try. A port that browsers refuse to ask cannot be tried.
func phoneTargets(f health.Facts) []phoneTry {
	var out []phoneTry
	add := func(family health.Family, address netip.Addr, port uint16) {
		if !slices.Contains(phoneBadPorts, port) {
			out = append(out, phoneTry{sort: phoneIsTarget, family: family, address: address, port: port})
		}
	}
	for _, w := range f.Ports() {
		if four := f.Public[health.IPv4]; four.Standing == health.Known {
			add(health.IPv4, four.Address.Unmap(), w.Port)
		}
		six := f.Home.Global6
		if w.Role == health.RolePage {
			six = f.Own6
		}
		for _, address := range six[:min(len(six), maxPhoneSix)] {
			add(health.IPv6, address, w.Port)
		}
	}
	slices.SortStableFunc(out, func(a, b phoneTry) int { return cmp.Compare(a.family, b.family) })
	return out
}

// maxPhoneSix is how many IPv6 addresses are tried.
const maxPhoneSix = 8
