package homeassistant

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for s, want := range map[string][]string{
		"http://192.168.1.10:8123":       {"http 192.168.1.10:8123"},
		"http://192.168.1.10":            {"http 192.168.1.10:80"},
		"https://home.example.org":       {"https home.example.org:443"},
		"https://home.example.org:8443/": {"https home.example.org:8443"},
		"HTTP://Home.Example.ORG.":       {"http home.example.org:80"},
		"http://[fd00::5]:8123":          {"http [fd00::5]:8123"},
		"http://[fd00::5]":               {"http [fd00::5]:80"},
		"http://[fe80::5%25eth0]:8123":   {"http [fe80::5%eth0]:8123"},
		"homeassistant.local:8123":       {"http homeassistant.local:8123", "https homeassistant.local:8123"},
		"[fd00::5]:8123":                 {"http [fd00::5]:8123", "https [fd00::5]:8123"},
		"192.168.1.10:80":                {"http 192.168.1.10:80", "https 192.168.1.10:80"},
		"home_pi": {
			"http home_pi:8123", "https home_pi:8123", "http home_pi:80", "https home_pi:443",
		},
		"192.168.1.10": {
			"http 192.168.1.10:8123", "https 192.168.1.10:8123", "http 192.168.1.10:80", "https 192.168.1.10:443",
		},
		"fd00::5": {
			"http [fd00::5]:8123", "https [fd00::5]:8123", "http [fd00::5]:80", "https [fd00::5]:443",
		},
		"::ffff:192.168.1.10": {
			"http 192.168.1.10:8123", "https 192.168.1.10:8123", "http 192.168.1.10:80", "https 192.168.1.10:443",
		},
	} {
		targets, err := ParseAddress(s)
		if err != nil {
			t.Errorf("ParseAddress(%q): %v", s, err)
			continue
		}
		var got []string
		for _, target := range targets {
			got = append(got, target.Scheme+" "+target.Addr())
		}
		if !slices.Equal(got, want) {
			t.Errorf("ParseAddress(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for s, want := range map[string]string{
		"":                                  "expected http://",
		" ":                                 "neither an IP address nor a host name",
		"ftp://192.168.1.10":                `"ftp" is not http or https`,
		"://192.168.1.10":                   "expected http://",
		"http://":                           "expected http://",
		"http:///":                          "expected http://",
		"http://anna:secret@192.168.1.10":   "a user name or password must not be in it",
		"http://192.168.1.10/lovelace":      "a path",
		"http://192.168.1.10/?x=1":          "a query",
		"http://192.168.1.10?":              "a query",
		"http://192.168.1.10#x":             "a fragment",
		"http://192.168.1.10#":              "a fragment",
		"http://192.168.1.10:":              "no port after the colon",
		"http://192.168.1.10:0":             "is not a number from 1 to 65535",
		"http://192.168.1.10:65536":         "is not a number from 1 to 65535",
		"192.168.1.10:+80":                  "is not a number from 1 to 65535",
		"192.168.1.10:web":                  "is not a number from 1 to 65535",
		"192.168.1.10:80:90":                "expected http://",
		"192.168.1.10/x":                    "neither an IP address nor a host name",
		"192.168.1":                         "neither an IP address nor a host name",
		"http://2130706433":                 "neither an IP address nor a host name",
		"0.0.0.0:8123":                      "is not the address of a machine",
		"http://[::]:8123":                  "is not the address of a machine",
		"http://224.0.0.251":                "is not the address of a machine",
		"http://255.255.255.255":            "is not the address of a machine",
		"a b":                               "neither an IP address nor a host name",
		"-a":                                "neither an IP address nor a host name",
		"a..b":                              "neither an IP address nor a host name",
		"zuhause-größe.local":               "neither an IP address nor a host name",
		"fe80::1%eth0\nx":                   "is not the name of a network interface",
		"http://h\n:80":                     "expected http://",
		strings.Repeat("a", 600):            "longer than 512",
		strings.Repeat("a.", 200) + "local": "neither an IP address nor a host name",
	} {
		targets, err := ParseAddress(s)
		if err == nil {
			t.Errorf("ParseAddress(%q) = %v, want an error", s, targets)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("ParseAddress(%q): %q, want one line with %q", s, err, want)
		}
	}
}

// FuzzParseAddress: what is accepted can be dialled and printed, and what is printed is accepted as the same.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"http://192.168.1.10:8123", "homeassistant.local", "[fd00::5]:80", "fe80::1%eth0", "https://h", "http://[fe80::1%25x]:9", "a@b", "::",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		targets, err := ParseAddress(s)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("ParseAddress(%q): %q is not one clean line", s, err)
			}
			return
		}
		for _, target := range targets {
			host, port, err := net.SplitHostPort(target.Addr())
			if n, _ := strconv.Atoi(port); err != nil || host == "" || n < 1 || n > 65535 {
				t.Errorf("ParseAddress(%q) gives %q, which cannot be dialled", s, target.Addr())
			}
			if strings.ContainsAny(target.URL(), " \n\r\t\x1b\"'<>") {
				t.Errorf("ParseAddress(%q) gives the URL %q", s, target.URL())
			}
			again, err := ParseAddress(target.URL())
			if err != nil || len(again) != 1 || again[0] != target {
				t.Errorf("ParseAddress(%q) gives %q, which is read as %v, %v", s, target.URL(), again, err)
			}
			if addr, err := netip.ParseAddr(host); err == nil && addr.IsUnspecified() {
				t.Errorf("ParseAddress(%q) gives %v", s, addr)
			}
		}
	})
}
