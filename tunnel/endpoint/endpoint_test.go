package endpoint

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestCurrent(t *testing.T) {
	lan := func(addr string) func() (netip.Addr, error) {
		return func() (netip.Addr, error) { return netip.MustParseAddr(addr), nil }
	}
	for _, c := range []struct {
		configured string
		port       uint16
		lan        func() (netip.Addr, error)
		want       string
		scope      Scope
	}{
		{"home.example.org:51820", 4000, lan("192.168.1.5"), "home.example.org:51820", Configured},
		{"198.51.100.7:51820", 4000, lan("192.168.1.5"), "198.51.100.7:51820", Configured},
		{"[2001:db8::7]:51820", 4000, lan("192.168.1.5"), "[2001:db8::7]:51820", Configured},
		{"192.168.1.9:51820", 4000, lan("192.168.1.5"), "192.168.1.9:51820", LAN},
		{"100.65.0.1:51820", 4000, lan("192.168.1.5"), "100.65.0.1:51820", LAN},
		{"[fd00::7]:51820", 4000, lan("192.168.1.5"), "[fd00::7]:51820", LAN},
		{"localhost:51820", 4000, lan("192.168.1.5"), "localhost:51820", LAN},
		{"Hearthgate.Local:51820", 4000, lan("192.168.1.5"), "Hearthgate.Local:51820", LAN},
		{"pi:51820", 4000, lan("192.168.1.5"), "pi:51820", LAN},
		{"", 4000, lan("192.168.1.5"), "192.168.1.5:4000", LAN},
		{"", 51820, lan("::ffff:192.168.1.5"), "192.168.1.5:51820", LAN},
		{"", 51820, lan("fd00::5"), "[fd00::5]:51820", LAN},
	} {
		got, err := Current(c.configured, c.port, c.lan)
		if err != nil || got.Address != c.want || got.Scope != c.scope {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
		if note := got.Note(); (note != "") != (c.scope == LAN) || (c.scope == LAN && !strings.Contains(note, "at home only until an endpoint is set")) {
			t.Errorf("%+v: note %q", c, note)
		}
	}
}

func TestTheNoteNamesThePortThatIsUsed(t *testing.T) {
	if note := (Endpoint{Address: "[fd00::5]:4000", Scope: LAN}).Note(); !strings.Contains(note, "UDP port 4000") {
		t.Errorf("note: %q", note)
	}
}

func TestNoAddressIsAnErrorThatSaysWhatToDo(t *testing.T) {
	for _, lan := range []func() (netip.Addr, error){
		func() (netip.Addr, error) { return netip.Addr{}, errors.New("no default route") },
		func() (netip.Addr, error) { return netip.Addr{}, nil },
	} {
		_, err := Current("", 51820, lan)
		if !errors.Is(err, ErrNoAddress) || !strings.Contains(err.Error(), "--endpoint") {
			t.Errorf("error: %v", err)
		}
	}
}
