package witness

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// say sends bytes to the witness and returns all that comes back.
func (b *bench) say(t *testing.T, text []byte) (heard []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", b.ask.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = conn.Write(text)
	heard, err = io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the witness waits on")
	}
	return heard
}

func message(t *testing.T, k kind, m any, key seed, length int) []byte {
	t.Helper()
	b, err := encode(k, m, key.private(), length)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAStrangerHearsNothing(t *testing.T) {
	t.Parallel()
	b := startBench(t, func(c *Config) { c.Limits.Greet = 300 * time.Millisecond })
	guest, stranger := b.invite.seed, newSeed()
	good := message(t, kindHello, hello{guest.public(), newNonce()}, guest, minHello)
	forged := bytes.Clone(good)
	forged[headerLength+len(`{"key":"`)+60]++
	for name, text := range map[string][]byte{
		"nothing":           nil,
		"HTTP":              []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + string(make([]byte, 2000))),
		"an unknown key":    message(t, kindHello, hello{stranger.public(), newNonce()}, stranger, minHello),
		"a guest's name":    message(t, kindHello, hello{guest.public(), newNonce()}, stranger, minHello),
		"too short":         message(t, kindHello, hello{guest.public(), newNonce()}, guest, 0),
		"half of it":        good[:len(good)/2],
		"no padding":        good[:len(good)-1],
		"changed":           forged,
		"another message":   message(t, kindQuestion, signedQuestion{Question: Question{Targets: portsOf(8123)}}, guest, minHello),
		"more than allowed": append([]byte(magic), 1, 0xff, 0xff, 0xff, 0, 0, 0, 0),
		"much":              append([]byte(magic), bytes.Repeat([]byte{0xff}, 100_000)...),
	} {
		if heard := b.say(t, text); len(heard) != 0 {
			t.Errorf("%s: it hears %d bytes", name, len(heard))
		}
	}
	if b.wire.bytes() != 0 {
		t.Errorf("%d bytes went out for strangers", b.wire.bytes())
	}
}

func TestASlowCallerIsLeft(t *testing.T) {
	t.Parallel()
	b := startBench(t, func(c *Config) { c.Limits.Greet = 200 * time.Millisecond })
	text := message(t, kindHello, hello{b.invite.seed.public(), newNonce()}, b.invite.seed, minHello)
	conn, err := net.Dial("tcp", b.ask.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	for i := range text {
		if _, err := conn.Write(text[i : i+1]); err != nil {
			break
		}
		time.Sleep(5 * time.Millisecond) // slowness is what is tested
		if time.Since(began) > 5*time.Second {
			t.Fatal("it is patient")
		}
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	if n, _ := conn.Read(make([]byte, 10)); n != 0 {
		t.Error("a slow caller is answered")
	}
}

func TestOneSourceHasFewConnections(t *testing.T) {
	t.Parallel()
	b := startBench(t, func(c *Config) { c.Limits.Greet = time.Minute })
	closed := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		return !errors.Is(err, os.ErrDeadlineExceeded)
	}
	var open []net.Conn
	for i := range 6 {
		c, err := net.Dial("tcp", b.ask.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := closed(c); got != (i >= 4) {
			t.Errorf("connection %d is closed: %t", i, got)
		}
		open = append(open, c)
	}
	open[0].Close()
	for range 100 {
		c, err := net.Dial("tcp", b.ask.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if !closed(c) {
			return
		}
	}
	t.Error("a place that became free is not given")
}

// begin goes through a hello by hand.
func (b *bench) begin(t *testing.T, key seed) (conn net.Conn, nonce Nonce, c challenge) {
	t.Helper()
	conn, err := net.Dial("tcp", b.ask.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	nonce = newNonce()
	_, _ = conn.Write(message(t, kindHello, hello{key.public(), nonce}, key, minHello))
	f, err := readFrame(conn, kindChallenge)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(f.body, &c); err != nil || !ed25519.Verify(b.invite.Witness[:], signed(f.header, f.body), f.signature[:]) {
		t.Fatalf("the challenge is %s, %v", f.body, err)
	}
	return conn, nonce, c
}

func TestAQuestionCountsOnceAndForItsChallenge(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	q := Question{Targets: portsOf(8123)}
	key := b.invite.seed
	_, nonce, c := b.begin(t, key)
	recorded := message(t, kindQuestion, signedQuestion{nonce, c.Challenge, q}, key, q.cost())
	other := newSeed()
	conn2, nonce2, c2 := b.begin(t, key)
	for name, text := range map[string][]byte{
		"recorded": recorded,
		"unsigned": message(t, kindQuestion, signedQuestion{nonce2, c2.Challenge, q}, other, q.cost()),
	} {
		conn := conn2
		if name == "recorded" {
			conn, _, _ = b.begin(t, key)
		}
		_, _ = conn.Write(text)
		if heard, _ := io.ReadAll(conn); len(heard) != 0 {
			t.Errorf("%s: it hears %d bytes", name, len(heard))
		}
	}
	if b.wire.bytes() != 0 {
		t.Errorf("%d bytes went out", b.wire.bytes())
	}
}

func TestNoMoreGoesOutThanCameIn(t *testing.T) {
	t.Parallel()
	home := homeAssistant(t)
	also := []uint16{home}
	for range 10 {
		also = append(also, homeAssistant(t))
	}
	b := startBench(t, func(c *Config) { c.Also = also })
	port, _ := udp(t)
	key := b.invite.seed
	for name, q := range map[string]Question{
		"ordinary": {Targets: portsOf(home, 8123), Path: port},
		"all open": {Targets: portsOf(also...), Names: []string{"a.example", "b.example"}, Path: port},
	} {
		for padding, share := range map[string]float64{"paid": 1, "half paid": 0.5, "hardly paid": 0.05} {
			before := b.wire.bytes()
			conn, nonce, c := b.begin(t, key)
			b.server.budget = newBudget(Limits{PerAddress: 100, PerNetwork: 100}.whole(), time.Now)
			text := message(t, kindQuestion, signedQuestion{nonce, c.Challenge, q}, key, int(float64(q.cost())*share))
			_, _ = conn.Write(text)
			heard, _ := io.ReadAll(conn)
			in := len(text) + minHello
			out := b.wire.bytes() - before + sending(len(heard)) + 600 // the challenge, generously
			t.Logf("%s, %s: %d bytes in, %d out", name, padding, in, out)
			if out > in {
				t.Errorf("%s, %s: %d bytes came in, and %d went out", name, padding, in, out)
			}
			if share < 1 {
				continue
			}
			var a Answer
			f, err := readFrame(bytes.NewReader(heard), kindAnswer)
			if err != nil || f.decode(&a) != nil {
				t.Fatal(err)
			}
			for _, r := range a.Results {
				if r.Port != 8123 && (r.State != health.PortOpen || len(r.Shows) == 0) {
					t.Errorf("%s: what was paid is not done: %+v", name, r)
				}
			}
		}
	}
}

func TestWhatIsNotPaidIsNotSeen(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	q := Question{Targets: portsOf(8123, 443)}
	key := b.invite.seed
	conn, nonce, c := b.begin(t, key)
	_, _ = conn.Write(message(t, kindQuestion, signedQuestion{nonce, c.Challenge, q}, key, 4000))
	var a Answer
	f, err := readFrame(conn, kindAnswer)
	if err != nil || f.decode(&a) != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, r := range append(a.Results, a.Decoy) {
		if r.State != health.Untested {
			seen++
		}
	}
	if seen == 3 {
		t.Errorf("all was seen: %+v", a.Results)
	}
}
