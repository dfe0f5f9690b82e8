package witness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
	"unicode"

	"github.com/hearthgate/hearthgate/health"
)

// Client asks witnesses. Its zero value works.
type Client struct {
	// From is the address to ask from; the zero value lets the system choose.
	From netip.Addr
	// Resolver looks up the witness's name; nil: the system's.
	Resolver *net.Resolver
	// Wait is how long one exchange may take; 0: 3 minutes, which is longer than any look.
	Wait time.Duration
}

const (
	defaultWait = 3 * time.Minute
	dialWait    = 15 * time.Second
	// maxDrift is how far the witness's clock may run from ours during one exchange.
	maxDrift = 2 * time.Minute
)

// Exchange is what is known of an exchange besides the answer.
type Exchange struct {
	Witness netip.Addr // the address at which it was asked
	Address netip.Addr // ours, as the signed challenge names it
	Local   netip.Addr // of this machine, from which it was asked
}

// Look asks a question over one family. prepare is called once it is known who we
// are to the witness, and gives the question. The error is a
// *Refusal, or one of the package's, or ctx's. The exchange holds what was learnt before the error.
func (c Client) Look(ctx context.Context, i Invite, family health.Family, prepare func(Exchange) (Question, error)) (Answer, Exchange, error) {
	ctx, cancel := context.WithTimeout(ctx, c.wait())
	defer cancel()
	t, err := c.greet(ctx, i, family)
	if err != nil {
		return Answer{}, t.exchange, err
	}
	defer t.end()
	q, err := prepare(t.exchange)
	if err != nil {
		return Answer{}, t.exchange, err
	}
	a, err := t.ask(q)
	return a, t.exchange, orEnded(ctx, err)
}

// Address asks who we are over one family. It costs the witness's budget of looks nothing.
func (c Client) Address(ctx context.Context, i Invite, family health.Family) (Exchange, error) {
	ctx, cancel := context.WithTimeout(ctx, c.wait())
	defer cancel()
	t, err := c.greet(ctx, i, family)
	if err != nil {
		return t.exchange, err
	}
	t.end()
	return t.exchange, nil
}

func (c Client) wait() time.Duration {
	if c.Wait > 0 {
		return c.Wait
	}
	return defaultWait
}

// talk is one exchange.
type talk struct {
	conn      net.Conn
	stop      func() bool
	invite    Invite
	family    health.Family
	exchange  Exchange
	nonce     Nonce
	challenge challenge
	heard     time.Time // when the challenge came, with the monotonic clock
}

func (t *talk) end() {
	t.stop()
	_ = t.conn.Close()
}

func (c Client) greet(ctx context.Context, i Invite, family health.Family) (*talk, error) {
	t := &talk{invite: i, family: family, nonce: newNonce()}
	conn, err := c.dial(ctx, i, family)
	if err != nil {
		return t, err
	}
	t.conn = conn
	t.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	t.exchange.Witness = remote(conn)
	if local, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		t.exchange.Local = local.AddrPort().Addr().Unmap()
	}
	// Somebody who accepts and says nothing must not keep the others waiting as long as a look takes.
	_ = conn.SetDeadline(time.Now().Add(dialWait)) // of an open connection: it cannot fail
	if err := t.hello(); err != nil {
		t.end()
		return t, orEnded(ctx, err)
	}
	_ = conn.SetDeadline(time.Time{})
	return t, nil
}

func (t *talk) hello() error {
	key := t.invite.seed
	if err := t.send(kindHello, hello{key.public(), t.nonce}, minHello); err != nil {
		return err
	}
	f, err := t.receive(kindChallenge)
	if err != nil {
		return err
	}
	if err := f.decode(&t.challenge); err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	t.heard = time.Now()
	if t.challenge.Nonce != t.nonce {
		return ErrReplayed
	}
	t.exchange.Address = t.challenge.Address
	if !t.challenge.Address.IsValid() || t.challenge.Address.Is4() != (t.family == health.IPv4) {
		return fmt.Errorf("%w: it says that our address is %s", ErrBroken, t.challenge.Address)
	}
	return nil
}

func (t *talk) ask(q Question) (a Answer, err error) {
	message := signedQuestion{t.nonce, t.challenge.Challenge, q}
	if err := t.send(kindQuestion, message, q.cost()); err != nil {
		return a, err
	}
	f, err := t.receive(kindAnswer)
	if err != nil {
		return a, err
	}
	if err := f.decode(&a); err != nil {
		return a, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return a, t.check(q, a)
}

// check tells whether an answer is one to this question, from now. Our clock may be wrong, and so may the witness's, so it is the
// time that went by that is compared: the witness's since its challenge with ours.
func (t *talk) check(q Question, a Answer) error {
	if a.Nonce != t.nonce || a.Challenge != t.challenge.Challenge {
		return ErrReplayed
	}
	took := time.Since(t.heard)
	if drift := a.Ended.Sub(t.challenge.Time) - took; drift.Abs() > maxDrift || a.Started.Before(t.challenge.Time.Add(-time.Second)) ||
		a.Ended.Before(a.Started) {
		return ErrStale
	}
	if a.Address != t.exchange.Address || a.Family != t.family || !q.answeredBy(a) {
		return fmt.Errorf("%w: it is not about what was asked", ErrBroken)
	}
	return nil
}

// answeredBy tells whether an answer has one result for each address and port of the question, and none besides.
func (q Question) answeredBy(a Answer) bool {
	n := 0
	for _, t := range q.Targets {
		for _, port := range t.Ports {
			n++
			address := t.Address
			if !address.IsValid() {
				address = a.Address
			}
			if !slices.ContainsFunc(a.Results, func(r Result) bool { return r.Address == address && r.Port == port }) {
				return false
			}
		}
	}
	return n == len(a.Results)
}

func (t *talk) send(k kind, message any, length int) error {
	b, err := encode(k, message, t.invite.seed.private(), length)
	if err != nil {
		return err
	}
	if _, err := t.conn.Write(b); err != nil {
		return fmt.Errorf("%w: %w", ErrSilent, err)
	}
	return nil
}

// receive reads a message of one kind, or a refusal. Whatever is not signed by the witness is only that.
func (t *talk) receive(k kind) (frame, error) {
	f, err := readFrame(t.conn, k, kindRefusal)
	switch {
	case errors.Is(err, errFrame):
		return f, ErrBroken
	case err != nil:
		return f, fmt.Errorf("%w: %w", ErrSilent, err)
	case !f.signedBy(t.invite.Witness):
		return f, ErrUnsigned
	}
	if err := f.skipPadding(t.conn); err != nil {
		return f, fmt.Errorf("%w: %w", ErrSilent, err)
	}
	if f.kind != kindRefusal {
		return f, nil
	}
	var r refusal
	if err := f.decode(&r); err != nil {
		return f, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if r.Nonce != t.nonce {
		return f, ErrReplayed
	}
	return f, &Refusal{Code: r.Code, Text: clean(r.Text), Port: r.Port, Again: r.Again}
}

// clean is a witness's own sentence without anything that a terminal or a log would obey.
func clean(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if !unicode.IsPrint(r) { // nor turn the direction of writing
			r = ' '
		}
		out = append(out, r)
	}
	return string(out[:min(len(out), 200)])
}

// dial connects over one family, whatever else the witness has.
func (c Client) dial(ctx context.Context, i Invite, family health.Family) (net.Conn, error) {
	d := net.Dialer{Timeout: dialWait, Resolver: c.Resolver}
	network := "tcp4"
	if family == health.IPv6 {
		network = "tcp6"
	}
	if c.From.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.From, 0))
	}
	err := ErrNoRoute
	for _, address := range i.Addresses {
		conn, e := d.DialContext(ctx, network, address)
		if e == nil {
			return conn, nil
		}
		if !noRoute(e) {
			err = fmt.Errorf("%w: %w", ErrSilent, e)
		}
	}
	return nil, err
}

// noRoute tells whether an error means that the other side has no address of the family, or that we cannot get there with it.
func noRoute(err error) bool {
	var name *net.DNSError
	var address *net.AddrError
	switch {
	case errors.As(err, &name):
		return name.IsNotFound
	case errors.As(err, &address): // "no suitable address"
		return true
	default:
		return isUnreachable(err)
	}
}

func orEnded(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrReplayed) && !errors.As(err, new(*Refusal)) {
		return fmt.Errorf("%w: %w", ErrSilent, ctx.Err())
	}
	return err
}

func remote(conn net.Conn) netip.Addr {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
