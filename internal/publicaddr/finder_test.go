package publicaddr

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const homeText = "11.0.0.2"

// stunServer answers every question but the first lost ones with at, after a packet of noise.
func stunServer(t *testing.T, at string, lost int32) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if lost > 0 {
				lost--
				continue
			}
			_, _ = conn.WriteTo([]byte("noise"), from)
			_, _ = conn.WriteTo(answerTo(buf[:n], netip.AddrPortFrom(netip.MustParseAddr(at), 4711)), from)
		}
	}()
	return conn.LocalAddr().String()
}

func page(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAsk(t *testing.T) {
	t.Parallel()
	stun := func(by, at string) func(*testing.T) Way {
		return func(t *testing.T) Way { return Way{By: by, Mechanism: STUN, At: stunServer(t, at, 0)} }
	}
	web := func(by, body string) func(*testing.T) Way {
		return func(t *testing.T) Way { return Way{By: by, Mechanism: HTTPS, At: page(t, 200, body)} }
	}
	const trace = "fl=1\nh=1.1.1.1\nip=" + homeText + "\nts=1.2\nloc=DE\n"
	for _, test := range []struct {
		name string
		ways []func(*testing.T) Way
		want Standing
	}{
		{"two operators, two mechanisms", []func(*testing.T) Way{stun("A", homeText), web("B", homeText+"\n")}, Known},
		{"JSON", []func(*testing.T) Way{stun("A", homeText), web("B", `{"ip":"`+homeText+`"}`)}, Known},
		{"all", []func(*testing.T) Way{stun("A", homeText), stun("B", homeText), web("C", homeText), web("A", trace)}, Known},
		{"one operator", []func(*testing.T) Way{stun("A", homeText), web("A", trace)}, Unknown},
		{"one mechanism", []func(*testing.T) Way{stun("A", homeText), stun("B", homeText)}, Unknown},
		{"one", []func(*testing.T) Way{stun("A", homeText)}, Unknown},
		{"one disagrees", []func(*testing.T) Way{stun("A", homeText), stun("B", "11.0.0.3"), web("C", homeText)}, Ambiguous},
		{"a private address does not count", []func(*testing.T) Way{stun("A", "192.168.1.1"), web("B", homeText)}, Unknown},
		{"nor does it disagree", []func(*testing.T) Way{stun("A", "100.64.1.1"), stun("C", homeText), web("B", homeText)}, Known},
		{"another family", []func(*testing.T) Way{stun("A", homeText), web("B", "2a77:db8::1")}, Unknown},
		{"a captive portal", []func(*testing.T) Way{stun("A", homeText), web("B", "<html>Welcome to our hotel</html>")}, Unknown},
		{"a page without end", []func(*testing.T) Way{stun("A", homeText), web("B", strings.Repeat("a", 1<<20))}, Unknown},
		{"nobody", nil, Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ways := []Way{}
			for _, make := range test.ways {
				ways = append(ways, make(t))
			}
			r := New(Config{Ways: ways}).Ask(t.Context(), IPv4)
			if r.Standing != test.want || r.Addr.IsValid() != (test.want == Known) || len(r.Said) != len(ways) || r.NoRoute {
				t.Errorf("%+v", r)
			}
			for i, s := range r.Said {
				if s.By != ways[i].By || s.Addr.IsValid() == (s.Err != nil) || s.Addr.IsPrivate() && !s.Odd {
					t.Errorf("%+v", s)
				}
			}
			if strings.HasPrefix(test.name, "all") && r.Country != "DE" {
				t.Errorf("the country is %q", r.Country)
			}
		})
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	t.Cleanup(server.Close)
	r := New(Config{Ways: []Way{{By: "A", Mechanism: HTTPS, At: server.URL}}}).Ask(t.Context(), IPv4)
	if r.Said[0].Err == nil || asked.Load() != 1 {
		t.Errorf("%d questions: %+v", asked.Load(), r)
	}
}

func TestAWayIsOfItsFamily(t *testing.T) {
	t.Parallel()
	for _, family := range []Family{IPv4, IPv6} {
		mechanisms, operators := map[Mechanism]bool{}, map[string]bool{}
		for _, w := range New(Config{}).of(family) {
			mechanisms[w.Mechanism], operators[w.By] = true, true
		}
		if len(mechanisms) != 2 || len(operators) < 3 {
			t.Errorf("%s: %v by %v", family, mechanisms, operators)
		}
	}
}

func TestALostPacketIsSentAgain(t *testing.T) {
	t.Parallel()
	w := Way{By: "lossy", Mechanism: STUN, At: stunServer(t, homeText, 1)}
	if a := New(Config{}).one(t.Context(), IPv4, w); a.err != nil || a.addr.String() != homeText {
		t.Errorf("%+v", a)
	}
}

func TestAskEndsInTime(t *testing.T) {
	t.Parallel()
	ways := []Way{
		{By: "A", Mechanism: STUN, At: stunServer(t, homeText, 1000)},
		{By: "B", Mechanism: HTTPS, At: "http://" + deaf(t)},
	}
	began := time.Now()
	r := New(Config{Ways: ways, Timeout: 50 * time.Millisecond}).Ask(t.Context(), IPv4)
	if took := time.Since(began); took > 2*time.Second || r.Standing != Unknown {
		t.Errorf("%s: %+v", took, r)
	}
}

// deaf accepts and never says anything.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestNoRoute(t *testing.T) {
	t.Parallel()
	ways := []Way{{By: "A", Mechanism: STUN}, {By: "B", Mechanism: HTTPS}}
	gone := answer{err: fmt.Errorf("asking: %w", &net.OpError{Op: "dial", Err: syscall.ENETUNREACH})}
	if r := conclude(IPv6, ways, []answer{gone, gone}); !r.NoRoute {
		t.Errorf("%+v", r)
	}
	if r := conclude(IPv6, ways, []answer{gone, {err: errors.New("silence")}}); r.NoRoute {
		t.Errorf("%+v", r)
	}
}

// In IPv6 every connection may come from another address of the same network.
func TestIPv6AgreesByNetwork(t *testing.T) {
	t.Parallel()
	ways := []Way{{By: "A", Mechanism: STUN}, {By: "B", Mechanism: HTTPS}}
	said := func(a, b string) Result {
		return conclude(IPv6, ways, []answer{{addr: netip.MustParseAddr(a)}, {addr: netip.MustParseAddr(b)}})
	}
	if r := said("2a77:db8:0:1::1", "2a77:db8:0:1::2"); r.Standing != Known || r.Addr != netip.MustParseAddr("2a77:db8:0:1::1") {
		t.Errorf("%+v", r)
	}
	if r := said("2a77:db8:0:1::1", "2a77:db8:0:2::1"); r.Standing != Ambiguous {
		t.Errorf("%+v", r)
	}
}

func TestIsPublic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"8.8.8.8": true, "11.0.1.5": true, "100.63.255.255": true, "100.128.0.0": true, "223.255.255.255": true, "9.255.255.255": true,
		"0.0.0.0": false, "10.1.2.3": false, "100.64.0.1": false, "100.127.255.255": false, "127.0.0.1": false, "169.254.1.1": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.0.0.9": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.1.1": false,
		"198.18.0.1": false, "198.19.255.255": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "240.0.0.1": false,
		"255.255.255.255": false,
		"2a77:db8::5":     true, "2001:4860:4860::8888": true, "2600::1": true,
		"::": false, "::1": false, "::ffff:8.8.8.8": false, "::8.8.8.8": false, "64:ff9b::808:808": false, "64:ff9b:1::1": false,
		"100::1": false, "2001::1": false, "2001:10::1": false, "2001:db8::1": false, "2002:808:808::1": false, "2620:4f:8000::1": false,
		"3fff::1": false, "4000::1": false, "5f00::1": false, "fc00::1": false, "fd12::1": false, "fe80::1": false, "fec0::1": false,
		"ff02::1": false, "2a77:db8::5%eth0": false,
	} {
		if got := IsPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %t, want %t", text, got, want)
		}
	}
	if IsPublic(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func FuzzReadEcho(f *testing.F) {
	for _, page := range []string{homeText, `{"ip":"11.0.0.2"}`, "ip=11.0.0.2\nloc=DE", "<html>", "fe80::1%eth0", "ip=::ffff:11.0.0.2"} {
		f.Add([]byte(page))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		addr, country, err := readEcho(body)
		if err == nil && (!addr.IsValid() || addr.Zone() != "" || addr.Is4In6()) || len(country) != 0 && len(country) != 2 {
			t.Errorf("%s, %q, %v", addr, country, err)
		}
	})
}
