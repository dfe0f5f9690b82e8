package peers

import (
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/internal/store"
)

// What the random walk of TestModel does, each to the registry and to the model.

func (m *model) doAdd() {
	name := m.pickFrom(names)
	clean, bad := cleanName(name)
	public, taken := m.brought()
	req := AddRequest{Name: name, PublicKey: public}
	if m.random.IntN(3) == 0 {
		req.ExpiresAt = m.Now().Add(time.Duration(m.random.IntN(72)-2) * time.Hour)
	}
	var want error
	switch {
	case bad != nil, !req.ExpiresAt.IsZero() && !req.ExpiresAt.After(m.Now()):
		want = ErrInvalid
	case m.nameTaken(clean, ""):
		want = ErrNameTaken
	case taken:
		want = ErrKeyTaken
	case m.isFull():
		want = ErrNoAddress
		m.full++
	}
	e, err := m.Add(req)
	if !m.expect(err, want) {
		return
	}
	m.peers[e.Peer.ID] = &modelPeer{name: clean, pair: m.newPair(e.Peer.Pair), services: []string{"home-assistant"}, expires: req.ExpiresAt}
}

func (m *model) doRename() {
	id, p := m.pick()
	name := m.pickFrom(names)
	clean, bad := cleanName(name)
	var want error
	switch {
	case p == nil:
		want = ErrNotFound
	case bad != nil:
		want = ErrInvalid
	case m.nameTaken(clean, id):
		want = ErrNameTaken
	}
	if _, err := m.Rename(id, name); m.expect(err, want) {
		p.name = clean
	}
}

func (m *model) doDisable() {
	id, p := m.pick()
	disabled := m.random.IntN(2) == 0
	var want error
	switch {
	case p == nil:
		want = ErrNotFound
	case !disabled && m.over(p):
		want = ErrExpired
	}
	if _, err := m.SetDisabled(id, disabled); m.expect(err, want) {
		p.disabled = disabled
	}
}

func (m *model) doExpiry() {
	id, p := m.pick()
	at := m.Now().Add(time.Duration(m.random.IntN(96)-4) * time.Hour)
	if m.random.IntN(4) == 0 {
		at = time.Time{}
	}
	var want error
	switch {
	case p == nil:
		want = ErrNotFound
	case !at.IsZero() && !at.After(m.Now()):
		want = ErrInvalid
	}
	if _, err := m.SetExpiry(id, at); m.expect(err, want) {
		p.expires, p.expired = at, false
	}
}

func (m *model) doServices() {
	id, p := m.pick()
	services := [][]string{{}, {"home-assistant"}, {"home-assistant", "esphome"}, {"a b"}}[m.random.IntN(4)]
	var want error
	switch {
	case p == nil:
		want = ErrNotFound
	case slices.Contains(services, "a b"):
		want = ErrInvalid
	}
	if _, err := m.SetServices(id, services); m.expect(err, want) {
		p.services = services
	}
}

func (m *model) doForget() {
	if err := m.store.Update(func(tx *store.Tx) error { return m.ForgetService("esphome")(tx) }); err != nil {
		m.t.Error(err)
	}
	for _, p := range m.peers {
		p.services = slices.DeleteFunc(slices.Clone(p.services), func(s string) bool { return s == "esphome" })
	}
}

func (m *model) doRekey() {
	id, p := m.pick()
	public, taken := m.brought()
	now := m.random.IntN(3) == 0
	var want error
	switch {
	case p == nil:
		want = ErrNotFound
	case taken:
		want = ErrKeyTaken
	case m.isFull():
		want = ErrNoAddress
		m.full++
	}
	e, err := m.Rekey(id, public, now)
	if !m.expect(err, want) {
		return
	}
	pair := m.newPair(e.Peer.Pair)
	if p.retiring != nil && !m.Now().Before(p.retireAt) { // over, though not swept
		m.rest(p.retiring)
		p.retiring = nil
	}
	switch {
	case now || p.void:
		m.rest(p.pair)
		if p.retiring != nil {
			m.rest(p.retiring)
		}
		p.retiring = nil
	case p.retiring != nil:
		m.rest(p.pair)
	default:
		p.retiring = p.pair
	}
	p.pair, p.retireAt, p.void = pair, m.Now().Add(24*time.Hour), false
}

func (m *model) doServerRekey() {
	if _, list, err := m.RekeyServer(); err != nil || len(list) != len(m.peers) {
		m.t.Errorf("%d peers, %v", len(list), err)
	}
	for _, p := range m.peers {
		if p.void = true; p.retiring != nil {
			m.rest(p.retiring)
			p.retiring = nil
		}
	}
}

func (m *model) doRemove() {
	id, p := m.pick()
	var want error
	if p == nil {
		want = ErrNotFound
	}
	if !m.expect(m.Remove(id), want) {
		return
	}
	m.rest(p.pair)
	if p.retiring != nil {
		m.rest(p.retiring)
	}
	delete(m.peers, id)
}

func (m *model) doSeen() {
	id, p := m.pick()
	if p == nil {
		m.seen(id, key.Public{1})
		return
	}
	pair := p.pair
	if p.retiring != nil && m.random.IntN(2) == 0 {
		pair = p.retiring
	}
	m.seen(id, pair.public)
	if p.void {
		return
	}
	if pair.first.IsZero() {
		pair.first = m.clock.Now()
	}
	if pair == p.pair && p.retiring != nil {
		m.rest(p.retiring)
		p.retiring = nil
	}
}

func (m *model) doWait() {
	time.Sleep(time.Duration(m.random.IntN(12*60)) * time.Minute)
}

func (m *model) doClock() {
	m.clock.wrong, m.clock.unsure = 0, m.random.IntN(2) == 0
	if m.clock.unsure {
		m.clock.wrong = []time.Duration{0, -20 * 365 * 24 * time.Hour, century}[m.random.IntN(3)]
	}
}

func (m *model) doSweep() {
	next := m.sweep()
	if wait := time.Until(next); wait <= 0 || wait > 10*time.Minute {
		m.t.Errorf("the next sweep is in %v", wait)
	}
	if !m.mark.Synchronised() {
		return
	}
	for _, p := range m.peers {
		p.expired = m.over(p)
		if p.retiring == nil {
			continue
		}
		if latest := m.Now().Add(24 * time.Hour); p.retireAt.After(latest) {
			p.retireAt = latest
		}
		if !m.Now().Before(p.retireAt) {
			m.rest(p.retiring)
			p.retiring = nil
		}
	}
	for addr, until := range m.rests {
		if latest := m.Now().Add(24 * time.Hour); until.After(latest) {
			m.rests[addr] = latest
		}
	}
}
