package witness

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// dialFrom connects from one of loopback's many addresses.
func dialFrom(t *testing.T, from string, to netip.AddrPort) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}
	conn, err := d.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// TestStrangersCannotKeepAGuestOut who fill every place from many addresses and say nothing, or half of something.
func TestStrangersCannotKeepAGuestOut(t *testing.T) {
	t.Parallel()
	b := startBench(t, func(c *Config) { c.Limits = Limits{Connections: 16, Greet: time.Minute} })
	stranger := newSeed()
	half := message(t, kindHello, hello{stranger.public(), newNonce()}, stranger, minHello)[:headerLength+40]
	for i := range 200 {
		conn := dialFrom(t, fmt.Sprintf("127.0.%d.%d", 1+i/200, 1+i%200), b.ask)
		if i%2 == 0 {
			_, _ = conn.Write(half)
		}
	}
	if _, err := b.look(t, Question{Targets: portsOf(8123)}); err != nil {
		t.Errorf("a guest is kept out: %v", err)
	}
	p := b.server.places
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open > 16 || len(p.sources) > p.open || p.unknown.Len() > 16 {
		t.Errorf("%d places, %d sources, %d strangers", p.open, len(p.sources), p.unknown.Len())
	}
}

// TestPlacesAreGivenBack whatever became of their holders.
func TestPlacesAreGivenBack(t *testing.T) {
	t.Parallel()
	p := newPlaces(Limits{Connections: 4, PerSource: 100, PerGuestOpen: 2}.whole())
	guest := newSeed().public()
	var held []*place
	for range 100 {
		near, far := net.Pipe()
		defer far.Close()
		if at, ok := p.enter(near); ok {
			held = append(held, at)
		}
	}
	known := 0
	for _, at := range held {
		if at.known(guest) {
			known++
		}
	}
	if len(held) != 100 || p.open != 4 || known != 2 {
		t.Errorf("%d entered, and %d at once with one invite", len(held), known)
	}
	for _, at := range held {
		at.leave()
	}
	if p.open != 0 || len(p.sources) != 0 || len(p.guests) != 0 || p.unknown.Len() != 0 {
		t.Errorf("left: %+v", p)
	}
}

// TestOneInviteFromManyAddresses has no more looks than its own, and leaves the others theirs.
func TestOneInviteFromManyAddresses(t *testing.T) {
	t.Parallel()
	b, clock := someBudget(Limits{})
	hostile, honest := newSeed().public(), newSeed().public()
	looks := 0
	for i := range 60_000 {
		a := netip.AddrFrom16([16]byte{0x2a, 0x77, 0x0d, 0xb8, 0, byte(i >> 16), byte(i >> 8), byte(i), 15: 1}) // a /48's networks
		if end, no := b.beginFor(hostile, a); no == nil {
			looks++
			end()
		}
		if i%1000 == 0 {
			clock.at = clock.at.Add(time.Second)
		}
	}
	if looks != b.limits.PerGuest {
		t.Errorf("%d looks with one invite", looks)
	}
	if _, no := b.beginFor(honest, netip.MustParseAddr("11.0.0.2")); no != nil {
		t.Errorf("another guest: %v", no)
	}
	clock.at = clock.at.Add(time.Hour)
	if _, no := b.beginFor(hostile, netip.MustParseAddr("11.0.0.3")); no != nil || len(b.guests[hostile]) != 1 {
		t.Errorf("an hour later: %v, %d remembered", no, len(b.guests[hostile]))
	}
}

// TestOneInviteHasFewConnections from however many addresses.
func TestOneInviteHasFewConnections(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	told := 0
	for i := range 20 {
		conn := dialFrom(t, fmt.Sprintf("127.0.0.%d", 10+i), b.ask)
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = conn.Write(message(t, kindHello, hello{b.invite.seed.public(), newNonce()}, b.invite.seed, minHello))
		f, err := readFrame(conn, kindChallenge, kindRefusal)
		if err != nil {
			t.Fatal(err)
		}
		if f.kind == kindChallenge {
			told++
		}
	}
	if told != DefaultLimits.PerGuestOpen {
		t.Errorf("%d connections at once", told)
	}
}

// TestARecordedHelloTellsItsReplayerOnly where he himself is, and makes the witness look at nobody.
func TestARecordedHelloTellsItsReplayerOnly(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	recorded := message(t, kindHello, hello{b.invite.seed.public(), newNonce()}, b.invite.seed, minHello)
	for _, from := range []string{"127.0.0.1", "127.9.9.9"} {
		conn := dialFrom(t, from, b.ask)
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = conn.Write(recorded)
		f, err := readFrame(conn, kindChallenge)
		var c challenge
		if err != nil || json.Unmarshal(f.body, &c) != nil || c.Address.String() != from {
			t.Errorf("from %s: %+v, %v", from, c, err)
		}
	}
	if b.wire.bytes() != 0 {
		t.Errorf("%d bytes went out", b.wire.bytes())
	}
}

// TestNoSpellingReachesAThirdAddress: a target is the caller's own address, or one of the caller's /64 in its one spelling.
func TestNoSpellingReachesAThirdAddress(t *testing.T) {
	t.Parallel()
	four, six := netip.MustParseAddr("11.0.0.2"), netip.MustParseAddr("2a77:db8:1:2::10")
	for _, text := range []string{
		"8.8.8.8", "11.0.0.3", "::ffff:11.0.0.3", "::ffff:8.8.8.8", "::11.0.0.2", "2002:b00:2::1", "64:ff9b::b00:2", "64:ff9b:1::b00:2",
		"2001:0:b00:2::1", "fe80::5efe:b00:2", "::1", "127.0.0.1", "0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "ff02::1", "fe80::1%eth0",
		"2a77:db8:1:3::10", "2a77:db8:1:2::10%eth0", "2a77:db8:1:2::11%1",
	} {
		a := netip.MustParseAddr(text)
		for _, from := range []netip.Addr{four, six} {
			if at, ok := (Target{Address: a}).at(from); ok {
				t.Errorf("from %s, %s is looked at as %s", from, text, at)
			}
		}
	}
	if at, ok := (Target{Address: netip.MustParseAddr("2a77:db8:1:2:abcd::")}).at(six); !ok || network(at) != network(six) {
		t.Error("a neighbour in the /64 is not looked at")
	}
	for _, text := range []string{"2a77:db8:1:2::/64", "8.8.8.8:53", "example.org", "0x08080808", "010.0.0.1"} {
		if json.Unmarshal([]byte(`{"address":"`+text+`","ports":[443]}`), new(Target)) == nil {
			t.Errorf("%s is an address", text)
		}
	}
}

// TestNoPortBeyondTheList, not even a canary's in the range of services.
func TestNoPortBeyondTheList(t *testing.T) {
	t.Parallel()
	from, looked := netip.MustParseAddr("11.0.0.2"), 0
	for port := range 1 << 16 {
		if (Question{Targets: portsOf(uint16(port))}).check(from, nil) == nil {
			looked++
		}
		if no := (Question{Targets: portsOf(443), Canary: uint16(port)}).check(from, nil); (no == nil) != (port == 0 || port >= lowestPrivate) {
			t.Fatalf("a canary at %d: %v", port, no)
		}
	}
	if want := len(homePorts) + len(health.Weekly()); looked != want {
		t.Errorf("%d ports are looked at, want %d", looked, want)
	}
}

// TestTheControlRepeatsNothingThatIsNoNonce and nothing of the headers.
func TestTheControlRepeatsNothingThatIsNoNonce(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	for _, request := range []string{
		"GET /control?n=%0d%0aSet-Cookie:%20evil HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /control?n=%3Cscript%3Eevil HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /control?n=evil%22 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /evil HTTP/1.1\r\nHost: evil\r\nOrigin: http://evil\r\nX-Forwarded-For: 8.8.8.8\r\n\r\n",
		"GET //evil/control/.. HTTP/1.1\r\nHost: evil\r\n\r\n",
		"GET http://evil/control HTTP/1.1\r\nHost: evil\r\n\r\n",
		"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n",
		"GET /control/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSocket-Key: evil\r\n\r\n",
		"POST /control?n=a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nevil",
		"GET /control?n=a HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: evil\r\nForwarded: for=evil\r\nX-Real-IP: evil\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Evil: evil\r\n", 2000) + "\r\n",
	} {
		conn := dialFrom(t, "127.0.0.1", b.web)
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, request)
		heard, _ := io.ReadAll(conn)
		if text := string(heard); strings.Contains(text, "evil") || strings.Contains(text, "8.8.8.8") || len(heard) > 1000 ||
			!strings.HasPrefix(text, "HTTP/1.1 4") && !strings.Contains(request, "?n=a HTTP/1.1\r\nHost: x\r\nX-F") {
			t.Errorf("%.60q: %q", request, text)
		}
		conn.Close()
	}
}

// TestTheControlKeepsNoConnection: each serves one request, so that places are never held by asking again and again.
func TestTheControlKeepsNoConnection(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	conn := dialFrom(t, "127.0.0.1", b.web)
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	in := bufio.NewReader(conn)
	_, _ = io.WriteString(conn, "GET /control?n=a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n")
	response, err := http.ReadResponse(in, nil)
	if err != nil || !response.Close {
		t.Fatalf("%+v, %v", response, err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("it stays open: %v", err)
	}
}

// TestABookClosesNoOthersDirectory: the mode of a directory in which there are other things stays as it is.
func TestABookClosesNoOthersDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "others"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	b := NewBook(dir)
	if _, err := b.Invite("anna", []string{"11.0.0.1"}, time.Now()); err == nil || !strings.Contains(err.Error(), "others") {
		t.Errorf("%v", err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%v", entries)
	}
}

// TestANameThatWasGivenTwiceIsRevokedTwice as two can do who invite at once.
func TestANameThatWasGivenTwiceIsRevokedTwice(t *testing.T) {
	t.Parallel()
	b := NewBook(t.TempDir())
	for range 2 {
		if err := b.make(); err != nil {
			t.Fatal(err)
		}
		key := newSeed().public()
		if err := writeNew(b.guestPath(key), fmt.Appendf(nil, `{"name":"anna","key":%q}`, key)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Revoke("anna"); err != nil {
		t.Fatal(err)
	}
	if left, err := b.Guests(); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
	if err := b.Revoke("anna"); !errors.Is(err, ErrNoGuest) {
		t.Errorf("%v", err)
	}
}
