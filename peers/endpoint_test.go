package peers

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	for s, want := range map[string]string{
		"home.example.org":        "home.example.org:51820",
		"home.example.org:443":    "home.example.org:443",
		"Home.Example.ORG.:1":     "home.example.org:1",
		"fritz":                   "fritz:51820",
		"xn--bcher-kva.example":   "xn--bcher-kva.example:51820",
		"192.0.2.7":               "192.0.2.7:51820",
		"192.0.2.7:65535":         "192.0.2.7:65535",
		"2001:DB8::1":             "[2001:db8::1]:51820",
		"[2001:db8::1]":           "[2001:db8::1]:51820",
		"[2001:db8:0:0::1]:51821": "[2001:db8::1]:51821",
		"::ffff:192.0.2.7":        "192.0.2.7:51820",
		"127.0.0.1:5":             "127.0.0.1:5",
		"::1":                     "[::1]:51820",
		"3com.example":            "3com.example:51820",
	} {
		if got, err := ParseEndpoint(s, 51820); err != nil || got != want {
			t.Errorf("ParseEndpoint(%q) = %q, %v; want %q", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", ":", ":51820", "host:", "host:0", "host:65536", "host:-1", "host:+1", "host:051820", "host:1x", "host:٣", "host :1",
		"my_home.lan", "1.2.3", "1.2.3.4.5", "010.0.0.1", "0x7f", "home.example.1st", "-a.example", "a-.example", "a..b", ".a",
		strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 127) + "aa",
		"bücher.example", "home.example.org/path", "wg://home", "user@host", "a?b", "a#b", "a b", "%",
		"[192.0.2.7]:1", "[home]:1", "[2001:db8::1", "[2001:db8::1]1", "[2001:db8::1]:", "2001:db8::1]", "[::1]]:1", "[]", "[]:1",
		"fe80::1", "fe80::1%eth0", "[2001:db8::1%eth0]:1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255",
		"host:1\nPostUp=reboot", "host\r", "a\x00", "\nhost", "host\u2028", "(none)",
	} {
		got, err := ParseEndpoint(s, 51820)
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("ParseEndpoint(%q) = %q, %v; want a refusal", s, got, err)
			continue
		}
		assertSentence(t, err)
	}
	if got, err := ParseEndpoint("home.example.org", 0); !errors.Is(err, ErrInvalid) {
		t.Errorf("without any port: %q, %v", got, err)
	}
}

func FuzzParseEndpoint(f *testing.F) {
	for _, seed := range []string{"home.example.org:51820", "[2001:db8::1]:1", "fe80::1%a\nb", "192.0.2.7", "a:1\nb", "[::ffff:1.2.3.4]"} {
		f.Add(seed)
	}
	shape := regexp.MustCompile(`^(?:[a-z0-9.-]+|\[[0-9a-f:]+\]):[1-9][0-9]{0,4}$`)
	f.Fuzz(func(t *testing.T, s string) {
		endpoint, err := ParseEndpoint(s, 51820)
		if err != nil {
			assertSentence(t, err)
			return
		}
		if !shape.MatchString(endpoint) {
			t.Fatalf("ParseEndpoint(%q) = %q", s, endpoint)
		}
		if again, err := ParseEndpoint(endpoint, 0); err != nil || again != endpoint {
			t.Fatalf("%q is read again as %q, %v", endpoint, again, err)
		}
	})
}
