package vantage

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"strconv"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/health/witness"
)

// witnessLook is one witness, asked over one family in one round.
type witnessLook struct {
	w      *Witness
	r      health.Round
	seat   seat
	family health.Family
	canary *OpenCanary // nil: there is none
	seen   []health.Observation
}

// all asks the questions one after the other. After one that was not answered at all the rest is not asked.
func (l *witnessLook) all(ctx context.Context, plans []witnessPlan) {
	if l.seat.broken {
		l.untested(witnessPlan{}, health.VantageBroken, nil)
		return
	}
	for i, p := range plans {
		if p.barred {
			l.barred(p)
			continue
		}
		why, args := l.one(ctx, p, i == 0)
		if why == "" || why == health.VantageRefused { // which was about this question
			continue
		}
		for _, rest := range plans[i+1:] {
			l.untested(rest, why, args)
		}
		return
	}
}

// one asks one question, and again without each port at which the witness may not look. It returns why there was no answer.
func (l *witnessLook) one(ctx context.Context, p witnessPlan, first bool) (health.Code, health.Args) {
	for len(p.targets) > 0 {
		err := l.ask(ctx, p, first)
		var no *witness.Refusal
		if errors.As(err, &no) && no.Code == witness.BadPort && p.has(no.Port) {
			o := l.observe(netip.Addr{}, no.Port)
			o.Why, o.Args = health.PortNotAllowed, health.Args{"port": strconv.Itoa(int(no.Port))}
			l.seen = append(l.seen, o)
			p = p.without(no.Port)
			continue
		}
		if err != nil {
			why, args := l.because(err)
			l.untested(p, why, args)
			return why, args
		}
		break
	}
	return "", nil
}

// ask asks one question and reads the answer.
func (l *witnessLook) ask(ctx context.Context, p witnessPlan, first bool) error {
	path := l.expect()
	defer path.stop()
	canary, from := l.canaryFor(p, first)
	client := l.w.cfg.Client
	if from.IsValid() {
		client.From = from
	}
	l.r.Tell(health.Witness, "asks "+l.seat.name+" over "+familyWords[l.family])
	began := l.r.Now()
	a, ex, err := client.Look(ctx, l.seat.invite, l.family, func(ex witness.Exchange) (witness.Question, error) {
		if !l.w.inside(ex) {
			l.w.saw(l.family, ex.Address, l.seat.name)
		}
		return witness.Question{
			Targets: p.targets, Names: l.names(), Path: path.port, Before: path.nonces[0], After: path.nonces[1], Canary: canary,
		}, nil
	})
	if err != nil {
		return l.placed(err, ex)
	}
	l.r.Tell(health.Witness, l.seat.name+" has looked over "+familyWords[l.family])
	path.wait(ctx)
	controls, why := l.controls(a, ex, path)
	controls.Canary = l.sawCanary(canary, a, ex.Witness)
	for _, result := range a.Results {
		l.seen = append(l.seen, l.read(result, controls, why, began))
	}
	return nil
}

var familyWords = map[health.Family]string{health.IPv4: "IPv4", health.IPv6: "IPv6"}

// names are those by which a question may ask.
func (l *witnessLook) names() (out []string) {
	for _, name := range l.r.Facts.Names {
		if len(out) < witness.MaxNames && witness.IsHostName(name) {
			out = append(out, name)
		}
	}
	return out
}

// errInside is a refusal that comes of the witness's place: it stands where we do.
var errInside = errors.New("the witness stands in this home's own network")

// placed finds in a refusal that the witness stands in our own network: from there our address is not one of the internet.
func (l *witnessLook) placed(err error, ex witness.Exchange) error {
	var no *witness.Refusal
	if !errors.As(err, &no) {
		return err
	}
	if no.Code == witness.OwnLine || no.Code == witness.NotPublic && (!l.w.cfg.public(ex.Witness) || l.w.cfg.nearby(ex.Witness)) {
		return errInside
	}
	return err
}

// because turns what went wrong into a reason.
func (l *witnessLook) because(err error) (health.Code, health.Args) {
	var no *witness.Refusal
	is := func(e error) bool { return errors.Is(err, e) }
	switch {
	case errors.As(err, &no):
		switch no.Code {
		case witness.TooOften, witness.TooBusy, witness.TooCurious:
			at := no.Again
			if at.IsZero() {
				at = l.r.Now().Add(time.Minute)
			}
			return health.VantageBusy, health.Args{"at": at.UTC().Format(time.RFC3339)}
		default:
			return health.VantageRefused, health.Args{"why": no.Text}
		}
	case is(errInside):
		return health.VantageInside, nil
	case is(witness.ErrUnsigned):
		return health.VantageUnsigned, nil
	case is(witness.ErrReplayed):
		return health.VantageReplayed, nil
	case is(witness.ErrStale):
		return health.VantageStale, nil
	case is(witness.ErrBroken):
		return health.VantageBroken, nil
	case is(witness.ErrNoRoute):
		return health.NoRoute, nil
	default:
		return health.VantageSilent, nil
	}
}

// untested says of all of a plan that nothing was seen, port by port; a plan without targets stands for everything.
func (l *witnessLook) untested(p witnessPlan, why health.Code, args health.Args) {
	if len(p.targets) == 0 {
		o := l.observe(netip.Addr{}, 0)
		o.Why, o.Args = why, args
		l.seen = append(l.seen, o)
		return
	}
	for _, t := range p.targets {
		for _, port := range t.Ports {
			o := l.observe(t.Address, port)
			o.Why, o.Args = why, args
			l.seen = append(l.seen, o)
		}
	}
}

// barred says of addresses that no witness may look at them for us.
func (l *witnessLook) barred(p witnessPlan) {
	for _, t := range p.targets {
		l.untested(witnessPlan{targets: []witness.Target{t}}, health.OtherPrefix, health.Args{"addresses": t.Address.String()})
	}
}

func (l *witnessLook) observe(address netip.Addr, port uint16) health.Observation {
	o := l.r.Observe(health.Witness, l.seat.name, l.seat.name, l.family, address, port)
	if address.Is4In6() {
		o.Address = address.Unmap()
	}
	return o
}

// witnessPath is the path control of one question. A port of 0: there is none.
type witnessPath struct {
	port    uint16
	nonces  [2]witness.Nonce
	arrived [2]<-chan netip.AddrPort
	stops   [2]func()
	from    [2]netip.Addr // who sent it; zero: it has not come
}

// pathPatience is how long after the answer its last datagram may come: it was sent before.
const pathPatience = 2 * time.Second

func (l *witnessLook) expect() *witnessPath {
	p := &witnessPath{}
	for i := range p.nonces {
		_, _ = rand.Read(p.nonces[i][:]) // never fails (crypto/rand)
		p.stops[i] = func() {}
	}
	if l.w.cfg.Path == nil {
		return p
	}
	if p.port = l.w.cfg.Path.Port(); p.port == 0 {
		return p
	}
	for i := range p.nonces {
		p.arrived[i], p.stops[i] = l.w.cfg.Path.Expect(p.nonces[i])
	}
	return p
}

func (p *witnessPath) stop() {
	for _, stop := range p.stops {
		stop()
	}
}

// wait takes what has arrived, and waits a moment for what has not.
func (p *witnessPath) wait(ctx context.Context) {
	if p.port == 0 {
		return
	}
	patience := time.NewTimer(pathPatience)
	defer patience.Stop()
	for missing := 2; missing > 0; missing-- {
		select {
		case from := <-p.arrived[0]:
			p.from[0], p.arrived[0] = from.Addr().Unmap().WithZone(""), nil
		case from := <-p.arrived[1]:
			p.from[1], p.arrived[1] = from.Addr().Unmap().WithZone(""), nil
		case <-patience.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
