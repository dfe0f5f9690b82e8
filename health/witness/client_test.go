package witness

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// liar is a witness that does as it is told, and the invite to it.
type liar struct {
	key       seed
	challenge func(h hello, c *challenge, key *seed)
	answer    func(q signedQuestion, a *Answer, key *seed)
	instead   func(q signedQuestion) (kind, any)
}

func (l *liar) start(t *testing.T) Invite {
	t.Helper()
	l.key = newSeed()
	port := listen(t, func(c net.Conn) { l.serve(t, c) })
	return Invite{Name: "liar", Witness: l.key.public(), Addresses: []string{netip.AddrPortFrom(loopback4, port).String()}, seed: newSeed()}
}

func (l *liar) serve(t *testing.T, conn net.Conn) {
	f, err := readFrame(conn, kindHello)
	var h hello
	if err != nil || f.decode(&h) != nil || f.skipPadding(conn) != nil {
		return
	}
	c, key := challenge{h.Nonce, newNonce(), loopback4, time.Now()}, l.key
	if l.challenge != nil {
		l.challenge(h, &c, &key)
	}
	_, _ = conn.Write(message(t, kindChallenge, c, key, 0))
	f, err = readFrame(conn, kindQuestion)
	var q signedQuestion
	if err != nil || f.decode(&q) != nil || f.skipPadding(conn) != nil {
		return
	}
	a := Answer{Nonce: q.Nonce, Challenge: q.Challenge, Address: loopback4, Family: health.IPv4, Started: time.Now(), Ended: time.Now()}
	for _, port := range q.Targets[0].Ports {
		a.Results = append(a.Results, Result{Address: loopback4, Port: port, State: health.PortClosed})
	}
	k, m := kindAnswer, any(&a)
	if l.instead != nil {
		k, m = l.instead(q)
	}
	if l.answer != nil {
		l.answer(q, &a, &key)
	}
	_, _ = conn.Write(message(t, k, m, key, 0))
}

func TestAWitnessThatLies(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	for name, c := range map[string]struct {
		liar liar
		want error
	}{
		"honest":           {liar{}, nil},
		"another clock":    {liar{challenge: func(_ hello, c *challenge, _ *seed) { c.Time = c.Time.Add(-hour) }, answer: shifted(-hour)}, nil},
		"stale":            {liar{answer: shifted(-hour)}, ErrStale},
		"early":            {liar{answer: shifted(hour)}, ErrStale},
		"backwards":        {liar{answer: func(_ signedQuestion, a *Answer, _ *seed) { a.Started = a.Ended.Add(hour) }}, ErrStale},
		"another key":      {liar{answer: func(_ signedQuestion, _ *Answer, key *seed) { *key = newSeed() }}, ErrUnsigned},
		"another hello":    {liar{challenge: func(_ hello, _ *challenge, key *seed) { *key = newSeed() }}, ErrUnsigned},
		"replayed":         {liar{answer: func(_ signedQuestion, a *Answer, _ *seed) { a.Nonce = newNonce() }}, ErrReplayed},
		"another exchange": {liar{answer: func(_ signedQuestion, a *Answer, _ *seed) { a.Challenge = newNonce() }}, ErrReplayed},
		"old challenge":    {liar{challenge: func(_ hello, c *challenge, _ *seed) { c.Nonce = newNonce() }}, ErrReplayed},
		"old refusal": {
			liar{instead: func(signedQuestion) (kind, any) { return kindRefusal, refusal{Nonce: newNonce()} }}, ErrReplayed,
		},
		"other family":   {liar{challenge: func(_ hello, c *challenge, _ *seed) { c.Address = netip.IPv6Loopback() }}, ErrBroken},
		"no address":     {liar{challenge: func(_ hello, c *challenge, _ *seed) { c.Address = netip.Addr{} }}, ErrBroken},
		"other target":   {liar{answer: func(_ signedQuestion, a *Answer, _ *seed) { a.Address = netip.MustParseAddr("11.0.0.9") }}, ErrBroken},
		"fewer ports":    {liar{answer: func(_ signedQuestion, a *Answer, _ *seed) { a.Results = a.Results[:1] }}, ErrBroken},
		"more ports":     {liar{answer: func(_ signedQuestion, a *Answer, _ *seed) { a.Results = append(a.Results, a.Results[0]) }}, ErrBroken},
		"other ports":    {liar{answer: func(_ signedQuestion, a *Answer, _ *seed) { a.Results[0].Port = 1 }}, ErrBroken},
		"one port twice": {liar{answer: func(_ signedQuestion, a *Answer, _ *seed) { a.Results[0] = a.Results[1] }}, ErrBroken},
		"another message": {
			liar{instead: func(signedQuestion) (kind, any) { return kindChallenge, challenge{} }}, ErrBroken,
		},
		"nonsense": {
			liar{instead: func(signedQuestion) (kind, any) { return kindAnswer, map[string]int{"x": 1} }}, ErrBroken,
		},
	} {
		i := c.liar.start(t)
		_, _, err := Client{Wait: 10 * time.Second}.Look(t.Context(), i, health.IPv4, func(Exchange) (Question, error) {
			return Question{Targets: portsOf(8123, 443)}, nil
		})
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func shifted(by time.Duration) func(signedQuestion, *Answer, *seed) {
	return func(_ signedQuestion, a *Answer, _ *seed) { a.Started, a.Ended = a.Started.Add(by), a.Ended.Add(by) }
}

func TestAWitnessThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	ask := func(family health.Family, wait time.Duration, addresses ...string) error {
		_, err := Client{Wait: wait}.Address(t.Context(), Invite{Addresses: addresses, seed: newSeed()}, family)
		return err
	}
	mute := netip.AddrPortFrom(loopback4, listen(t, func(c net.Conn) { time.Sleep(2 * time.Second) })).String()
	shut := netip.AddrPortFrom(loopback4, closedPort(t)).String()
	for name, c := range map[string]struct{ err, want error }{
		"mute":         {ask(health.IPv4, 200*time.Millisecond, mute), ErrSilent},
		"shut":         {ask(health.IPv4, time.Minute, shut), ErrSilent},
		"other family": {ask(health.IPv6, time.Minute, shut), ErrNoRoute},
		"none":         {ask(health.IPv4, time.Minute, "[::1]:8124"), ErrNoRoute},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
}

func TestTheSecondAddressIsTried(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	b.invite.Addresses = append([]string{netip.AddrPortFrom(loopback4, closedPort(t)).String()}, b.invite.Addresses...)
	ex, err := (Client{}).Address(t.Context(), b.invite, health.IPv4)
	if err != nil || ex.Address != loopback4 {
		t.Errorf("%+v, %v", ex, err)
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6") // the lab has
	}
	open := addrPort(l).Port()
	defer l.Close()
	b := startBench(t, func(c *Config) {
		c.Listen = "[::1]:0"
		c.Also = []uint16{open}
	})
	six := netip.IPv6Loopback()
	a, ex, err := Client{From: six}.Look(t.Context(), b.invite, health.IPv6, func(Exchange) (Question, error) {
		return Question{Targets: []Target{{six, []uint16{open}}, {six.Next(), []uint16{open}}}}, nil
	})
	if err != nil || ex.Witness != six || a.Results[0].State != health.PortOpen {
		t.Fatalf("%+v, %v", a, err)
	}
	if r := a.Results[1]; r.Address != six.Next() || r.State == health.PortOpen {
		t.Errorf("the neighbour is %+v", r)
	}
}

func TestTheWitnessSaysNothingThatATerminalObeys(t *testing.T) {
	t.Parallel()
	if got := clean("a\x1b[2J\n\u009bb"); got != "a [2J  b" {
		t.Errorf("%q", got)
	}
}
