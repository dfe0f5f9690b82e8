package health

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// The history lies in a log of its own. What looks often and sees the same, like the router every 15 minutes, is counted and
// written once a day; observations that differ in nothing but port and address are written as one. So a day with one witness
// over IPv4 is some 8 KB, and a year some 3 MB (TestAMonthOfHistory).
const (
	historyBucket  = "health.history"
	verdictRecord  = "verdict"
	historyAge     = 365 * 24 * time.Hour
	historyEntries = 20_000 // whatever happens, no more: at most some 20 MB
	flushEvery     = 24 * time.Hour
)

// Entry is one line of history: what a vantage saw, as long as it saw the same, or a change of the verdict.
type Entry struct {
	Seq     uint64        `json:"seq"`
	First   time.Time     `json:"first"`
	Last    time.Time     `json:"last"`
	Times   int           `json:"times"`             // looks
	Kind    Kind          `json:"vantage,omitempty"` // empty: a change of the verdict
	Same    bool          `json:"same,omitempty"`    // it saw what its last entry says; Seen is empty
	Seen    []Observation `json:"seen,omitempty"`
	Verdict Verdict       `json:"verdict"` // afterwards
	Reasons []Reason      `json:"reasons,omitempty"`
}

// keptEntry is an Entry on the disk.
type keptEntry struct {
	First   time.Time   `json:"first"`
	Last    time.Time   `json:"last"`
	Times   int         `json:"times"`
	Kind    Kind        `json:"vantage,omitempty"`
	Same    bool        `json:"same,omitempty"`
	Seen    []keptGroup `json:"seen,omitempty"`
	Verdict Verdict     `json:"verdict"`
	Reasons []Reason    `json:"reasons,omitempty"`
}

// keptGroup are observations that differ in port and address only.
type keptGroup struct {
	Observation
	Address   struct{}     `json:"address,omitzero"` // hides the field of one
	Port      struct{}     `json:"port,omitzero"`
	Addresses []netip.Addr `json:"addresses"`
	Ports     []uint16     `json:"ports"` // as many: the n-th observation is of the n-th address and port
}

// group packs observations.
func group(seen []Observation) (out []keptGroup) {
	index := make(map[string]int)
	for _, o := range seen {
		alike := o
		alike.Address, alike.Port = netip.Addr{}, 0
		// The arguments that repeat the port would keep apart what is alike.
		text, _ := json.Marshal(alike) // plain data: it cannot fail
		i, ok := index[string(text)]
		if !ok {
			i = len(out)
			index[string(text)] = i
			out = append(out, keptGroup{Observation: alike})
		}
		out[i].Addresses, out[i].Ports = append(out[i].Addresses, o.Address), append(out[i].Ports, o.Port)
	}
	return out
}

// ungroup unpacks them. What does not fit together is left out: history is told, never relied on for a closed.
func ungroup(groups []keptGroup) (out []Observation) {
	for _, g := range groups {
		if len(g.Addresses) != len(g.Ports) {
			continue
		}
		for i := range g.Ports {
			o := g.Observation
			o.Address, o.Port = g.Addresses[i], g.Ports[i]
			out = append(out, o)
		}
	}
	return out
}

// standing is what a restart must not forget.
type keptStanding struct {
	Verdict Verdict     `json:"verdict"`
	Past    []keptStood `json:"past,omitempty"`
}

type keptStood struct {
	Door
	Exposure
}

func pack(r Report) keptStanding {
	k := keptStanding{Verdict: r.Verdict}
	for door, e := range r.Past {
		k.Past = append(k.Past, keptStood{door, e})
	}
	slices.SortFunc(k.Past, func(a, b keptStood) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Port, b.Port))
	})
	return k
}

func (k keptStanding) past() Past {
	out := Past{}
	for _, s := range k.Past {
		out[s.Door] = s.Exposure
	}
	return out
}

// history is the log, and the counts that are not written yet.
type history struct {
	store *store.Store
	same  map[Kind]*Entry // of the looks that saw what the last entry says
	last  map[Kind]string // what each kind saw last, as one text
}

func newHistory(st *store.Store) history {
	return history{store: st, same: make(map[Kind]*Entry), last: make(map[Kind]string)}
}

// load reads what was seen in the last week, and what stood.
func (h *history) load(now time.Time) (seen []Observation, standing keptStanding, err error) {
	err = h.store.View(func(tx *store.Tx) error {
		if standing, _, err = store.Get[keptStanding](tx, bucket, verdictRecord); err != nil {
			return err
		}
		first, last, err := store.Ends(tx, historyBucket)
		if err != nil || last == 0 {
			return err
		}
		const week = 2000 // entries: some 40 a day, and as many more if all changes all the time
		var entries []keptEntry
		err = store.EachFrom(tx, historyBucket, max(first, last-min(last, week)), func(_ uint64, e keptEntry) error {
			entries = append(entries, e)
			return nil
		})
		for _, e := range inOrder(entries) {
			if e.Kind != "" && now.Sub(e.Last) <= 8*24*time.Hour && e.Last.Sub(now) <= maxSkew {
				seen = append(seen, ungroup(e.Seen)...)
			}
		}
		return err
	})
	if err != nil {
		return nil, keptStanding{}, fmt.Errorf("reading what was seen from outside: %w", err)
	}
	return seen, standing, nil
}

// inOrder drops entries that say that they are later than what was written after them: the clock was put back since, and they
// must not become news again when their time comes. Those that only count say when they were counted, and not when written.
func inOrder(entries []keptEntry) (out []keptEntry) {
	var next time.Time
	for _, e := range slices.Backward(entries) {
		if !next.IsZero() && e.Last.Sub(next) > maxSkew {
			continue
		}
		if !e.Same {
			next = e.Last
		}
		out = append(out, e)
	}
	slices.Reverse(out)
	return out
}

// looked takes what one kind of vantage saw in a round. often says that it looks so often that the same again is only counted.
func (h *history) looked(now time.Time, kind Kind, seen []Observation, verdict Verdict, often bool) []keptEntry {
	text := likeness(seen)
	if often && h.last[kind] == text {
		e := h.same[kind]
		if e == nil {
			e = &Entry{Kind: kind, First: now, Same: true}
			h.same[kind] = e
		}
		e.Last, e.Verdict = now, verdict
		e.Times++
		if now.Sub(e.First) < flushEvery {
			return nil
		}
		return h.flush(kind)
	}
	out := h.flush(kind)
	h.last[kind] = text
	return append(out, keptEntry{First: now, Last: now, Times: 1, Kind: kind, Seen: group(seen), Verdict: verdict})
}

// flush gives the entries of what was only counted so far; without kinds, of all.
func (h *history) flush(kinds ...Kind) (out []keptEntry) {
	for kind, e := range h.same {
		if len(kinds) == 0 || slices.Contains(kinds, kind) {
			out = append(out, keptEntry{First: e.First, Last: e.Last, Times: e.Times, Kind: kind, Same: true, Verdict: e.Verdict})
			delete(h.same, kind)
		}
	}
	return out
}

// likeness is what was seen as one text, without when, by which rounds tell whether anything is new.
func likeness(seen []Observation) string {
	alike := slices.Clone(seen)
	for i := range alike {
		alike[i].Round, alike[i].Began, alike[i].At = "", time.Time{}, time.Time{}
	}
	text, _ := json.Marshal(alike) // plain data: it cannot fail
	return string(text)
}

// write appends entries, keeps what stands, and writes to the journal what has to be told, all or nothing.
func (h *history) write(now time.Time, entries []keptEntry, standing *keptStanding, j *journal.Journal, events ...journal.Event) error {
	if len(entries) == 0 && standing == nil && len(events) == 0 {
		return nil
	}
	err := h.store.Update(func(tx *store.Tx) error {
		for _, e := range entries {
			if _, err := store.Append(tx, historyBucket, func(uint64) keptEntry { return e }); err != nil {
				return err
			}
		}
		if standing != nil {
			if err := store.Put(tx, bucket, verdictRecord, *standing); err != nil {
				return err
			}
		}
		for _, e := range events {
			if err := j.RecordTx(tx, e); err != nil {
				return err
			}
		}
		return trim(tx, now)
	})
	if err != nil {
		return fmt.Errorf("keeping what was seen from outside: %w", err)
	}
	return nil
}

// trim drops what is more than a year old, and what is more than there is room for.
func trim(tx *store.Tx, now time.Time) error {
	first, last, err := store.Ends(tx, historyBucket)
	if err != nil || last == 0 {
		return err
	}
	from := first
	if last-first >= historyEntries {
		from = last - historyEntries + 1
	}
	err = store.EachFrom(tx, historyBucket, from, func(seq uint64, e keptEntry) error {
		if from = seq; now.Sub(e.Last) <= historyAge {
			return store.ErrStop
		}
		return nil
	})
	if err != nil || from == first {
		return err
	}
	return store.Trim(tx, historyBucket, from)
}

// page is at most limit entries older than before, the newest first.
func (h *history) page(before uint64, limit int) (out []Entry, err error) {
	err = h.store.View(func(tx *store.Tx) error {
		first, last, err := store.Ends(tx, historyBucket)
		if err != nil || last == 0 {
			return err
		}
		if before == 0 || before > last {
			before = last + 1
		}
		from := max(first, before-min(before, uint64(max(limit, 0))))
		return store.EachFrom(tx, historyBucket, from, func(seq uint64, e keptEntry) error {
			if seq >= before {
				return store.ErrStop
			}
			out = append(out, Entry{
				Seq: seq, First: e.First, Last: e.Last, Times: e.Times, Kind: e.Kind, Same: e.Same, Seen: ungroup(e.Seen),
				Verdict: e.Verdict, Reasons: e.Reasons,
			})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading what was seen from outside: %w", err)
	}
	slices.Reverse(out)
	return out, nil
}
