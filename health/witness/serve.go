package witness

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/netip"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// session is one exchange, as the witness has it.
type session struct {
	*Server
	conn   net.Conn
	place  *place
	key    ed25519.PrivateKey
	meter  *meter
	from   netip.Addr // the caller
	own    netip.Addr // ours, as the connection has it
	guest  publicKey
	nonce  Nonce
	issued Nonce

	reserve int // for the answer
}

// serve is one exchange. Whatever is late, too long, malformed or unsigned ends it without a word.
func (s *Server) serve(ctx context.Context, conn net.Conn, at *place, key seed) {
	e := &session{Server: s, conn: conn, place: at, key: key.private(), meter: &meter{}, from: remote(conn), own: local(conn)}
	if !e.hello() {
		s.counts.silent.Add(1)
		return
	}
	q, ok := e.question()
	if !ok {
		return
	}
	end, no := e.admit(q)
	if no != nil {
		e.refuse(no)
		return
	}
	defer end()
	s.counts.looks.Add(1)
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Pace.Whole)
	defer cancel()
	a, ok := e.look(ctx, q)
	if !ok {
		return
	}
	a.Nonce, a.Challenge = e.nonce, e.issued
	e.meter.refund(e.reserve)
	e.write(kindAnswer, a)
}

// hello reads the caller's first message. The padding is read only after the signature holds.
func (e *session) hello() bool {
	_ = e.conn.SetReadDeadline(time.Now().Add(e.cfg.Limits.Greet))
	f, err := readFrame(e.conn, kindHello)
	if err != nil || f.length() < minHello {
		return false
	}
	var h hello
	if f.decode(&h) != nil || !f.signedBy(h.Key) || !e.cfg.Book.knows(h.Key) || f.skipPadding(e.conn) != nil {
		return false
	}
	e.guest, e.nonce, e.issued = h.Key, h.Nonce, newNonce()
	e.meter.received(f.length())
	if no := e.origin(); no != nil {
		e.refuse(no)
		return false
	}
	if !e.place.known(e.guest) {
		e.refuse(refuse(TooBusy, "your invite is used for too many questions at once"))
		return false
	}
	if !e.budget.greet(e.from) {
		e.refuse(refuse(TooCurious, "your address was asked for too often"))
		return false
	}
	return e.write(kindChallenge, challenge{e.nonce, e.issued, e.from, e.cfg.Now().UTC()})
}

// origin tells whether the caller is somebody at whom one may look at all.
func (e *session) origin() *Refusal {
	if !e.cfg.Public(e.from) {
		return refuse(NotPublic, "your address here is %s, which is not one of the internet", e.from)
	}
	for _, p := range e.cfg.Own() {
		a := p.Addr()
		if a == e.from || a.Is6() && e.from.Is6() && e.cfg.Public(a) && network(a) == network(e.from) {
			return refuse(OwnLine, "you are on the same line as this witness")
		}
	}
	return nil
}

// question reads the second message. A caller who only wanted to know the own address just leaves.
func (e *session) question() (q Question, ok bool) {
	_ = e.conn.SetReadDeadline(time.Now().Add(e.cfg.Limits.Ask))
	f, err := readFrame(e.conn, kindQuestion)
	if err != nil || !f.signedBy(e.guest) {
		return q, false
	}
	var m signedQuestion
	if f.decode(&m) != nil || m.Nonce != e.nonce || m.Challenge != e.issued || f.skipPadding(e.conn) != nil {
		e.counts.silent.Add(1)
		return q, false
	}
	e.meter.received(f.length())
	return m.Question, true
}

// admit tells whether a question may be asked, now, by this caller; end is called when it has been answered.
func (e *session) admit(q Question) (end func(), no *Refusal) {
	if no := q.check(e.from, e.cfg.Also); no != nil {
		return nil, no
	}
	// What the answer costs is put aside first: a look whose answer cannot be sent would be for nothing.
	if e.reserve = q.answerCost(); !e.meter.spend(e.reserve) {
		return nil, refuse(TooLittle, "a question must be as long as what it makes the witness send")
	}
	return e.budget.beginFor(e.guest, e.from)
}

// check tells what is wrong with a question of a caller.
func (q Question) check(from netip.Addr, also []uint16) *Refusal {
	if len(q.Targets) == 0 || len(q.Targets) > MaxAddresses || len(q.Names) > MaxNames {
		return refuse(TooMany, "a question has 1 to %d addresses and at most %d names", MaxAddresses, MaxNames)
	}
	for _, name := range q.Names {
		if !IsHostName(name) {
			return refuse(BadTarget, "one of the names cannot be the name of a host")
		}
	}
	if q.Canary != 0 && q.Canary < lowestPrivate {
		return &Refusal{Code: BadPort, Text: "a port that was opened for a look is one from 49152 on", Port: q.Canary}
	}
	ports := make(map[uint16]bool)
	pairs := make(map[netip.AddrPort]bool)
	for _, t := range q.Targets {
		a, ok := t.at(from)
		if !ok {
			return refuse(BadTarget, "an address is not in the network from which you ask")
		}
		for _, port := range t.Ports {
			if !allowed(port, also) {
				return &Refusal{Code: BadPort, Text: "a port is not on the list of those that are looked at", Port: port}
			}
			if pairs[netip.AddrPortFrom(a, port)] {
				return refuse(TooMany, "a port is named twice")
			}
			ports[port], pairs[netip.AddrPortFrom(a, port)] = true, true
		}
	}
	if len(ports) == 0 || len(ports) > MaxPorts {
		return refuse(TooMany, "a question has 1 to %d ports", MaxPorts)
	}
	return nil
}

// at is the target's address: the caller's own, or for IPv6 one in the caller's /64. No other is ever looked at.
func (t Target) at(from netip.Addr) (netip.Addr, bool) {
	switch {
	case !t.Address.IsValid() || t.Address == from:
		return from, true
	case from.Is6() && t.Address.Is6() && !t.Address.Is4In6() && t.Address.Zone() == "" && network(from).Contains(t.Address):
		return t.Address, true
	default:
		return netip.Addr{}, false
	}
}

func (e *session) refuse(r *Refusal) {
	e.counts.refused.Add(1)
	e.write(kindRefusal, refusal{e.nonce, r.Code, r.Text, r.Port, r.Again.UTC()})
}

// write sends a message, if it was paid for.
func (e *session) write(k kind, message any) bool {
	b, err := encode(k, message, e.key, 0)
	if err != nil || !e.meter.spend(sending(len(b))) {
		return false
	}
	_ = e.conn.SetWriteDeadline(time.Now().Add(e.cfg.Limits.Greet))
	_, err = e.conn.Write(b)
	return err == nil
}

func local(conn net.Conn) netip.Addr {
	if a, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

func familyOf(a netip.Addr) health.Family {
	if a.Is4() {
		return health.IPv4
	}
	return health.IPv6
}
