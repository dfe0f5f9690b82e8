package usage

import "time"

// jump is from when on a difference between the wall clock and the monotonic one counts as the clock having been set.
const jump = time.Minute

// sample reads the counters once and counts what they say. It does nothing while the days cannot be read: the counters are
// still there the next time.
func (u *Usage) sample() {
	counters := u.cfg.Source()
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.load(); err != nil {
		u.cfg.Log.Warn("usage not counted", "error", err)
		return
	}
	wall, steady := u.cfg.Now().Round(0), u.steadily()
	if off := wall.Sub(u.wall) - (steady - u.steady); !u.wall.IsZero() && off.Abs() >= jump {
		u.redate(wall, steady)
	}
	u.wall, u.steady = wall, steady
	today := dateOf(wall, u.cfg.Location)
	next := make(map[string]Counters, len(counters))
	for id, c := range counters {
		c = Counters{max(c.Received, 0), max(c.Sent, 0)} // a counter cannot be less than nothing
		next[id] = c
		if moved := since(u.last[id], c); moved != (Counters{}) {
			u.account(id).add(today, steady, moved)
		}
	}
	u.last = next
}

// redate moves what is recent of every peer to the dates that the clock says now.
func (u *Usage) redate(wall time.Time, steady time.Duration) {
	for _, a := range u.peers {
		a.redate(func(at time.Duration) date { return dateOf(wall.Add(at-steady), u.cfg.Location) })
	}
}

func (u *Usage) account(id string) *account {
	a := u.peers[id]
	if a == nil {
		a = &account{}
		u.peers[id] = a
	}
	return a
}

// since gives what has moved between two readings. Where either counter went down both have begun again: everything that
// they show is new. (After a rekey the old key's part drops out of the sum within seconds of the new key's first handshake,
// so that what was counted of the new one before is hardly anything.)
func since(before, now Counters) Counters {
	if now.Received < before.Received || now.Sent < before.Sent {
		return now
	}
	return Counters{now.Received - before.Received, now.Sent - before.Sent}
}
