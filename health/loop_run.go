package health

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
)

const (
	// settle is how long the loop waits after a change for what else changes with it; a round follows within two minutes of the first.
	settle = 10 * time.Second

	// restless is how long a round of those outside is not repeated because of changes alone: a witness lets itself be asked six
	// times an hour, and a link that flaps must not use that up.
	restless = 11 * time.Minute

	// retry is when a vantage that saw nothing is asked again.
	retry = 15 * time.Minute

	// firstLook is how long after the start the first round begins: Home Assistant has been found by then.
	firstLook = 8 * time.Second

	// deep is how often the ports that betray a home are looked at.
	deep = 7 * 24 * time.Hour

	// rejudge is how often the verdict is made anew although nobody looked: what was seen grows old.
	rejudge = 5 * time.Minute
)

// Run asks the vantages at their intervals, when somebody wants it, and when something changed, until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	if err := l.recall(); err != nil {
		return err
	}
	tick := time.NewTicker(rejudge)
	defer tick.Stop()
	settings := l.cfg.Settings.Changed()
	settled := time.After(firstLook)
	for {
		var err error
		next := time.NewTimer(l.untilDue())
		select {
		case <-ctx.Done():
			next.Stop()
			return l.end()
		case <-l.asked:
			err = l.round(ctx, l.everybody(), true)
		case <-l.cfg.Surroundings.Watch():
			if settled == nil {
				settled = time.After(settle)
			}
		case <-settings:
			settings = l.cfg.Settings.Changed()
			l.hurry()
			settled = time.After(settle / 10)
		case <-settled:
			settled = nil
			err = l.changed(ctx)
		case <-next.C:
			err = l.round(ctx, l.dueNow(), false)
		case <-tick.C:
			err = l.judge(nil)
		}
		next.Stop()
		if err != nil {
			return err
		}
	}
}

// recall reads what was seen before the last end.
func (l *Loop) recall() error {
	now := l.cfg.Now()
	seen, standing, err := l.history.load(now)
	if err != nil {
		return err
	}
	if l.cfg.Synchronised != nil && !l.cfg.Synchronised() {
		seen = slices.DeleteFunc(seen, func(o Observation) bool { return o.Kind.Outside() && o.nothingThere() })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen, l.past = seen, standing.past()
	l.deepDue = now.Add(jitter(time.Hour)) // not at once: a restart is no reason to try thirty ports
	l.report = Report{Verdict: standing.Verdict}
	for _, v := range l.cfg.Vantages {
		l.due[v.Kind()] = l.dueAfter(v, lookedAt(seen, v.Kind()))
	}
	return nil
}

// dueAfter is when a vantage is asked again that looked last at that time: after its interval, more or less a fifth, so that
// nobody can tell when, and not all homes ask at once.
func (l *Loop) dueAfter(v Vantage, last time.Time) time.Time {
	if last.IsZero() {
		return l.cfg.Now().Add(firstLook)
	}
	return last.Add(jitter(v.Every()))
}

func jitter(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()-0.5)*0.4*float64(d)) //nolint:gosec // it spreads load, and hides nothing
}

// hurry lets those look soon who have not seen anything yet, because they were not set up.
func (l *Loop) hurry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.cfg.Vantages {
		if lookedAt(l.seen, v.Kind()).IsZero() {
			l.due[v.Kind()] = l.cfg.Now().Add(2 * settle / 10)
		}
	}
}

func (l *Loop) untilDue() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := time.Hour
	for _, at := range l.due {
		wait = min(wait, at.Sub(l.cfg.Now()))
	}
	return max(wait, 100*time.Millisecond)
}

func (l *Loop) everybody() []Vantage { return l.cfg.Vantages }

func (l *Loop) dueNow() (out []Vantage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.cfg.Vantages {
		if at, ok := l.due[v.Kind()]; ok && !at.After(l.cfg.Now()) {
			out = append(out, v)
		}
	}
	return out
}

// changed looks at the surroundings again, and has everybody look whose word is worth nothing now.
func (l *Loop) changed(ctx context.Context) error {
	facts, err := l.cfg.Surroundings.Facts(ctx)
	if err != nil {
		l.cfg.Log.Warn("looking at the household's surroundings failed", "error", err)
		return nil
	}
	home := l.cfg.Surroundings.Home(ctx, facts)
	l.mu.Lock()
	before, now := l.facts, l.cfg.Now()
	if home.Fingerprint.IsHome() {
		l.home = home.Fingerprint
		l.quiet = slices.DeleteFunc(slices.Clone(l.quiet), func(a netip.Addr) bool { _, refused := home.at(IPv6, a); return !refused })
	}
	l.facts, l.seen = facts.without(l.quiet), prune(l.seen, now)
	l.hasten(now)
	for _, v := range l.cfg.Vantages {
		if l.judged && newSeat(before, l.facts, v.Kind()) {
			l.due[v.Kind()] = now
		}
	}
	l.mu.Unlock()
	return l.judge(nil)
}

// notBefore is the first moment at which a change alone may have a vantage asked.
func (l *Loop) notBefore(kind Kind, now time.Time) time.Time {
	var last time.Time
	for _, o := range l.seen {
		if o.Kind == kind && o.At.After(last) {
			last = o.At
		}
	}
	if at := last.Add(restless); kind.Outside() && !last.IsZero() && at.After(now) {
		return at
	}
	return now
}

// newSeat tells whether a kind of vantage got a seat, or whether what a closed needs of it became more.
func newSeat(before, now Facts, kind Kind) bool {
	for _, s := range now.Seats {
		if s.Kind == kind && (!slices.Contains(before.Seats, s) || now.Canary && !before.Canary && s.Able) {
			return true
		}
	}
	return false
}

func earlier(a, b time.Time) time.Time {
	if !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// Add takes what a vantage saw by itself, outside a round: the phone's reports.
func (l *Loop) Add(seen ...Observation) {
	if len(seen) == 0 {
		return
	}
	if err := l.judge(seen); err != nil {
		l.cfg.Log.Error("keeping what a phone saw failed", "error", err)
	}
}

// judge takes what was seen and makes the verdict anew. It writes the history, and the journal when the verdict is another one.
func (l *Loop) judge(seen []Observation) error {
	l.judging.Lock()
	defer l.judging.Unlock()
	l.mu.Lock()
	now, was, stood := l.cfg.Now(), l.report.Verdict, pack(Report{Past: l.past})
	l.seen = prune(append(l.seen, seen...), now)
	report := Judge(now, l.facts, l.seen, l.past)
	l.report, l.past, l.judged = report, report.Past, true
	l.mu.Unlock()
	return l.keep(now, was, stood, report, l.entries(now, seen, report))
}

// sighted makes it known at once that somebody sees Home Assistant, while others still look: a round with public probes takes minutes. What
// was seen is kept with the rest of the round, once its controls are made; that it was seen needs none.
func (l *Loop) sighted(seen []Observation) {
	seen = slices.DeleteFunc(slices.Clone(seen), func(o Observation) bool { return o.State != PortOpen || o.Identity != OurHome })
	if len(seen) == 0 {
		return
	}
	l.judging.Lock()
	defer l.judging.Unlock()
	l.mu.Lock()
	now, was, stood := l.cfg.Now(), l.report.Verdict, pack(Report{Past: l.past})
	report := Judge(now, l.facts, append(slices.Clone(l.seen), seen...), l.past)
	if report.Verdict != Exposed || was == Exposed {
		l.mu.Unlock()
		return
	}
	l.report, l.past, l.judged = report, report.Past, true
	l.mu.Unlock()
	if err := l.keep(now, was, stood, report, nil); err != nil {
		l.cfg.Log.Error("keeping an exposure failed", "error", err)
	}
}

// keep writes what came of judging, and tells everybody who watches. It is called with judging held.
func (l *Loop) keep(now time.Time, was Verdict, stood keptStanding, report Report, entries []keptEntry) error {
	var events []journal.Event
	if report.Verdict != was {
		events = append(events, verdictEvent(was, report))
		entries = append(entries, keptEntry{First: now, Last: now, Times: 1, Verdict: report.Verdict, Reasons: report.Reasons})
	}
	var standing *keptStanding
	if next := pack(report); report.Verdict != was || !slices.EqualFunc(next.Past, stood.Past, sameStanding) {
		standing = &next
	}
	err := l.history.write(now, entries, standing, l.cfg.Journal, events...)
	l.tell()
	return err
}

func sameStanding(a, b keptStood) bool {
	return a.Door == b.Door && a.Since.Equal(b.Since) && a.Last.Equal(b.Last) && a.Absent.Equal(b.Absent) && slices.Equal(a.Kinds, b.Kinds)
}

func (l *Loop) entries(now time.Time, seen []Observation, r Report) (out []keptEntry) {
	byKind := make(map[Kind][]Observation)
	var kinds []Kind
	for _, o := range seen {
		if byKind[o.Kind] == nil {
			kinds = append(kinds, o.Kind)
		}
		byKind[o.Kind] = append(byKind[o.Kind], o)
	}
	for _, kind := range kinds {
		often := kind == Router || kind == Notices
		out = append(out, l.history.looked(now, kind, byKind[kind], r.Verdict, often)...)
	}
	return out
}

func verdictEvent(was Verdict, r Report) journal.Event {
	message := map[Verdict]string{
		Closed: "Home Assistant is closed to the internet", Exposed: "Home Assistant is open to the internet",
		Unverified: "whether Home Assistant can be reached from the internet is not known",
	}[r.Verdict]
	data := map[string]string{"verdict": r.Verdict.String(), "before": was.String()}
	if len(r.Reasons) > 0 {
		message += ": " + r.Reasons[0].Text()
		maps.Copy(data, r.Reasons[0].Args) // for the page, whose language may be another one
		data["reason"] = string(r.Reasons[0].Code)
	}
	return journal.Event{Type: journal.ExposureChanged, Message: message, Data: data}
}

// mostAlike are kept of observations that say the same again and again, and only from inside or that nothing was seen. It takes
// two of them, ten minutes apart, to see an exposure gone, and a router is asked every 15 minutes.
const mostAlike = 8

// prune drops what is of no use any more: what is older than a week; what was said often enough, so that a router with a long
// table does not take the room of a witness; and what is from the future, because the clock was put back, before that future
// comes and makes it new again.
func prune(seen []Observation, now time.Time) []Observation {
	seen = slices.DeleteFunc(seen, func(o Observation) bool {
		return now.Sub(o.At) > max(renewable, lifetimes[o.Kind]) || o.At.Sub(now) > maxSkew
	})
	type same struct {
		kind   Kind
		seat   string
		at     string
		door   Door
		state  State
		reason Code
	}
	times := make(map[same]int)
	for i, o := range slices.Backward(seen) {
		if o.Kind.Outside() && o.State != Untested {
			continue
		}
		l := same{o.Kind, o.Seat, o.Address.String(), o.door(), o.State, o.Why}
		if times[l]++; times[l] > mostAlike {
			seen[i].Kind = "" // said often enough
		}
	}
	seen = slices.DeleteFunc(seen, func(o Observation) bool { return o.Kind == "" })
	const most = 4000 // a week of one witness is some 800
	if len(seen) > most {
		seen = slices.Clone(seen[len(seen)-most:])
	}
	return seen
}

// latest is the last observation of each vantage, port and address, the newest first.
func latest(seen []Observation) (out []Observation) {
	type place struct {
		kind    Kind
		seat    string
		door    Door
		address string
	}
	index := make(map[place]int)
	for _, o := range seen {
		p := place{o.Kind, o.Seat, o.door(), o.Address.String()}
		if i, ok := index[p]; ok {
			if !o.At.Before(out[i].At) {
				out[i] = o
			}
			continue
		}
		index[p] = len(out)
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b Observation) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Family, b.Family), cmp.Compare(a.Port, b.Port))
	})
	return out
}

// end writes what was only counted.
func (l *Loop) end() error {
	l.judging.Lock()
	defer l.judging.Unlock()
	return l.history.write(l.cfg.Now(), l.history.flush(), nil, l.cfg.Journal)
}

func roundID(began time.Time, n uint64) string {
	return fmt.Sprintf("%s-%d", began.UTC().Format("20060102T150405"), n)
}
