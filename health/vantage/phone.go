package vantage

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// Phone looks from a phone that is away: its browser tries the home's public address, outside the tunnel, and tells what became
// of it. It is no health.Vantage, for nobody can ask a phone to look; it looks when somebody opens its page in the tunnel.
//
// It can prove that Home Assistant is exposed: a browser can read the greeting of a WebSocket across origins, the greeting
// names the version, and no machine on the way invents that. It can never prove closed. A browser does not tell a refusal
// from a port that speaks something else, nor silence from somebody who is silent, and the phone may lie; so finding nothing
// renews what somebody else has seen closed, and only where the controls show that the phone would have found something.
type Phone struct {
	cfg    PhoneConfig
	mu     sync.Mutex
	tasks  map[string]phoneTask // by peer id
	looked map[string]phonePace // by peer id

	asking sync.Mutex // held while Home Assistant is asked, so that phones that ask at once do not multiply it
	home   homeassistant.Fingerprint
	homeAt time.Time
}

// PhoneConfig is what a Phone is made of. All fields but Controls are required.
type PhoneConfig struct {
	// Controls are our witnesses' pages for browsers. Without one, finding nothing proves nothing.
	Controls func() []PhoneControl
	// Facts are what is known of the household now.
	Facts func() health.Facts
	// Fingerprint is what Home Assistant shows of itself at home now; zero: it does not answer.
	Fingerprint func(ctx context.Context) homeassistant.Fingerprint
	// Endpoint is where the peer's last packet came from, and when it last shook hands. It must be read from the device: what is
	// remembered from the last handshake is too old for a phone that has just come home.
	Endpoint func(peerID string) (netip.AddrPort, time.Time)
	// Name is what people call the peer.
	Name func(peerID string) string
	// Add takes what was seen: health.Loop.Add.
	Add func(seen ...health.Observation)
	Now func() time.Time
	Log *slog.Logger
}

// How long things take, and how often.
const (
	phoneTaskLife   = 5 * time.Minute   // a run takes 40 s at most, and people look away
	phoneHandshake  = 180 * time.Second // REJECT_AFTER_TIME of the WireGuard paper, section 6.1
	phoneUnasked    = time.Hour         // between runs that nobody asked for
	phoneHomeFresh  = 5 * time.Second   // what Home Assistant showed of itself; no page is loaded again faster by a person
	maxPhoneAsked   = 20                // reports of one peer in an hour: history is finite, and everybody's
	maxPhoneTasks   = 256               // of all peers together; the oldest goes
	maxPhoneTries   = 72                // 8 IPv6 addresses at 6 ports, IPv4, the page's, controls and decoys
	maxPhoneMessage = 512               // bytes of what a try has read
)

// NewPhone makes one. It starts nothing.
func NewPhone(c PhoneConfig) *Phone {
	return &Phone{cfg: c, tasks: make(map[string]phoneTask), looked: make(map[string]phonePace)}
}

// Begin draws up what the peer's browser is to try. asked: a person wants it; else it happens by itself, at most hourly. The
// error is a [PhoneRefusal].
func (p *Phone) Begin(ctx context.Context, peerID string, asked bool) (PhoneTask, error) {
	now, facts := p.cfg.Now(), p.cfg.Facts()
	if !p.due(peerID, now, asked) {
		return PhoneTask{}, PhoneRefusal(PhoneTooSoon)
	}
	targets := phoneTargets(facts)
	if len(targets) == 0 {
		return PhoneTask{}, PhoneRefusal(PhoneNoTarget)
	}
	endpoint, err := p.away(peerID, facts)
	if err != nil {
		return PhoneTask{}, err
	}
	home := p.fingerprint(ctx)
	if home.Version == "" {
		return PhoneTask{}, PhoneRefusal(PhoneHomeDown)
	}
	t := phoneTask{
		peer: peerID, nonce: rand.Text(), round: "phone-" + rand.Text()[:8], began: now, endpoint: endpoint.Addr().Unmap(), home: home,
		tries: phonePlan(targets, p.controls()),
	}
	p.keep(t)
	return t.public(), nil
}

// Report takes what the browser found. It is taken once, from the peer that the nonce was drawn for, within five minutes.
func (p *Phone) Report(ctx context.Context, peerID string, r PhoneReport) PhoneOutcome {
	t, ok := p.take(peerID, r.Nonce)
	if !ok {
		return PhoneTooLate
	}
	if !r.complete(t) {
		return PhoneDoubted
	}
	facts := p.cfg.Facts()
	endpoint, err := p.away(peerID, facts)
	look := phoneLook{
		phoneTask: t, results: r.Results, facts: facts, homeAfter: p.fingerprint(ctx),
		stayed: err == nil && endpoint.Addr().Unmap() == t.endpoint,
		from:   p.cfg.Name(peerID), now: p.cfg.Now(),
	}
	outcome, seen := look.judge()
	p.cfg.Log.Info("phone looked from outside", "peer", peerID, "outcome", string(outcome))
	if len(seen) > 0 {
		p.cfg.Add(seen...)
	}
	return outcome
}

// fingerprint asks Home Assistant, unless it has just been asked: also when it did not answer, or else a phone that loads its page
// again and again would hold up all others with a Home Assistant that is down.
func (p *Phone) fingerprint(ctx context.Context) homeassistant.Fingerprint {
	p.asking.Lock()
	defer p.asking.Unlock()
	if age := p.cfg.Now().Sub(p.homeAt); age < 0 || age >= phoneHomeFresh {
		p.home, p.homeAt = p.cfg.Fingerprint(ctx), p.cfg.Now()
	}
	return p.home
}

func (p *Phone) controls() []PhoneControl {
	if p.cfg.Controls == nil {
		return nil
	}
	return p.cfg.Controls()
}
