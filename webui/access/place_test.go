package access

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		text, written string
		want          Place
		anywhere      bool
	}{
		{":51821", ":51821", Place{port: 51821}, true},
		{":0", ":0", Place{}, true},
		{"0.0.0.0:80", "0.0.0.0:80", Place{addr: netip.IPv4Unspecified(), port: 80}, true},
		{"[::]:80", "[::]:80", Place{addr: netip.IPv6Unspecified(), port: 80}, true},
		{"192.168.1.5:51821", "192.168.1.5:51821", Place{addr: netip.MustParseAddr("192.168.1.5"), port: 51821}, false},
		{"[fd00::1]:51821", "[fd00::1]:51821", Place{addr: netip.MustParseAddr("fd00::1"), port: 51821}, false},
		{"[FD00:0::1]:0051821", "[fd00::1]:51821", Place{addr: netip.MustParseAddr("fd00::1"), port: 51821}, false},
		{"[fe80::1%eth0]:80", "[fe80::1%eth0]:80", Place{addr: netip.MustParseAddr("fe80::1%eth0"), port: 80}, false},
		{"[::ffff:192.168.1.5]:80", "192.168.1.5:80", Place{addr: netip.MustParseAddr("192.168.1.5"), port: 80}, false},
		{"eth0:51821", "eth0:51821", Place{link: "eth0", port: 51821}, false},
		{"br-lan.10:1", "br-lan.10:1", Place{link: "br-lan.10", port: 1}, false},
	} {
		got, err := ParsePlace(c.text)
		if err != nil || got != c.want || got.String() != c.written || got.anywhere() != c.anywhere || got.Port() != c.want.port {
			t.Errorf("ParsePlace(%q) = %+v (%s), %v, want %+v (%s)", c.text, got, got, err, c.want, c.written)
		}
	}
}

func TestWhatIsNoPlaceSaysWhatToWrite(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "the port is missing; write :51821",
		"51821":                    "write :51821",
		"eth0":                     "write eth0:51821",
		"192.168.1.5":              "write 192.168.1.5:51821",
		"[fd00::1]":                "write [fd00::1]:51821",
		"fd00::1":                  "write [fd00::1]:51821",
		"fd00::1:51821":            "brackets",
		"a:b:51821":                "brackets",
		"http://192.168.1.5:51821": "not a URL",
		":":                        "no port",
		":http":                    "no port",
		":65536":                   "no port",
		":-1":                      "no port",
		":+1":                      "no port",
		"192.168.1.300:80":         "no IPv4 address",
		"192.168.1:80":             "no IPv4 address",
		"[192.168.1.5]:80":         "no IPv6 address",
		"[fd00::1:80":              "no IPv6 address",
		"[eth0]:80":                "no IPv6 address",
		"*:80":                     "only a port",
		"localhost:80":             "127.0.0.1",
		"hearthgate.local:80":      "neither an address nor the name of a link",
		"eth 0:80":                 "neither an address nor the name of a link",
		"eth0/1:80":                "neither an address nor the name of a link",
		"224.0.0.1:80":             "no address of one machine",
		"255.255.255.255:80":       "no address of one machine",
		"[ff02::1%eth0]:80":        "no address of one machine",
		"[fe80::1]:80":             "needs its link",
	} {
		if p, err := ParsePlace(text); err == nil || !strings.Contains(err.Error(), want) || p != (Place{}) {
			t.Errorf("ParsePlace(%q) = %v, %v, want an error with %q", text, p, err, want)
		}
	}
}

func FuzzParsePlace(f *testing.F) {
	for _, s := range []string{":51821", "192.168.1.5:1", "[fd00::1]:2", "eth0:3", "[fe80::1%eth0]:4", "[::]:5", "1:2:3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePlace(s)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "--web ") {
				t.Errorf("ParsePlace(%q): %v does not name the flag", s, err)
			}
			return
		}
		if again, err := ParsePlace(p.String()); err != nil || again != p {
			t.Errorf("ParsePlace(%q) prints %q, which reads as %+v, %v", s, p, again, err)
		}
	})
}

func TestAnyIPv4AddressIsNoIPv6Address(t *testing.T) {
	l, err := New(Config{Place: place(t, "0.0.0.0:0")}).Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if at := l.Addr().String(); !strings.HasPrefix(at, "0.0.0.0:") {
		t.Errorf("--web 0.0.0.0:0 listens on %s", at)
	}
}

func TestFree(t *testing.T) {
	free := place(t, "127.0.0.1:0")
	if err := free.Free(t.Context()); err != nil {
		t.Errorf("Free() of any port: %v", err)
	}

	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := place(t, l.Addr().String())
	if err := taken.Free(t.Context()); !errors.Is(err, ErrPortInUse) || !strings.Contains(err.Error(), "--web") {
		t.Errorf("Free() of a port that is taken: %v", err)
	}
	if err := (Place{port: taken.port}).Free(t.Context()); !errors.Is(err, ErrPortInUse) {
		t.Errorf("Free() of any address, whose port is taken on one: %v", err)
	}
	elsewhere := place(t, "203.0.113.77:0")
	if err := elsewhere.Free(t.Context()); !errors.Is(err, syscall.EADDRNOTAVAIL) || !strings.Contains(err.Error(), "203.0.113.77 is no address of this machine") {
		t.Errorf("Free() of somebody else's address: %v", err)
	}
	if err := place(t, "nosuchlink:0").Free(t.Context()); err == nil || !strings.Contains(err.Error(), "no link nosuchlink (it has lo") {
		t.Errorf("Free() of no link: %v", err)
	}
	if err := (Place{port: 80}).explain(syscall.EACCES); !strings.Contains(err.Error(), "above 1023 with --web") {
		t.Errorf("a port that is reserved: %v", err)
	}
}
